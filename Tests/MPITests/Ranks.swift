// Threads that stand for the ranks of a server, and memory that they share.
import Foundation
import Synchronization

/// Zeroed memory as the ranks of a server have it: of a file, so that each rank may see it at an address of its own,
/// as processes do. It stays: neither boards nor threads that hang keep its owner.
struct ServerMemory: @unchecked Sendable {
  // Unchecked: whether ranks may share it is what the tests are about.
  private let mappings: [UnsafeMutableRawPointer]
  let byteCount: Int

  /// - Parameter addresses: at how many addresses; one rank after the other has the next of them.
  init(byteCount: Int, addresses: Int = 1) {
    let file = tmpfile()!
    defer { fclose(file) }
    precondition(ftruncate(fileno(file), byteCount) == 0)
    self.byteCount = byteCount
    mappings = (0..<addresses).map { _ in
      let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0)
      precondition(memory != nil && memory != MAP_FAILED)
      return memory!
    }
  }

  /// The memory as a rank sees it.
  subscript(rank: Int) -> UnsafeMutableRawPointer { mappings[rank % mappings.count] }

  var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: mappings[0], count: byteCount)) }

  /// Where the words stand that have this value.
  func places<Word: FixedWidthInteger>(of value: Word) -> [UnsafeMutablePointer<Word>] {
    stride(from: 0, to: byteCount, by: MemoryLayout<Word>.size)
      .map { (mappings[0] + $0).assumingMemoryBound(to: Word.self) }.filter { $0.pointee == value }
  }
}

/// What threads find wrong. Swift Testing does not know which test a thread belongs to.
final class Complaints: Sendable {
  private let lines = Mutex<[String]>([])

  /// The first ones tell enough.
  func add(_ line: String) { lines.withLock { if $0.count < 5 { $0.append(line) } } }

  var all: [String] { lines.withLock { $0 } }
}

/// Whether threads have hung before: then the others of a broken barrier are not waited for as long.
private let haveHung = Mutex(false)

/// Runs `body` for every rank, on a thread each.
/// - Parameter limit: seconds after which they hang, and are left to themselves.
/// - Returns: what was wrong.
func onThreads(
  ranks: Int, limit: Double = 120,
  _ body: @escaping @Sendable (_ rank: Int, _ complaints: Complaints) -> Void
) -> [String] {
  let limit = haveHung.withLock { $0 } ? limit / 30 : limit
  let complaints = Complaints()
  let group = DispatchGroup()
  for rank in 0..<ranks {
    group.enter()
    let thread = Thread {
      body(rank, complaints)
      group.leave()
    }
    thread.stackSize = 1 << 20
    thread.start()
  }
  if group.wait(timeout: .now() + limit) == .timedOut {
    haveHung.withLock { $0 = true }
    complaints.add("not all ranks have come to the end in \(limit) s")
  }
  return complaints.all
}

/// This thread's number in the system.
func threadNumber() -> UInt64 {
  let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
  return UInt64(link.split(separator: "/").last ?? "")!
}

/// Whether a thread of this process sleeps, as the system sees it (proc(5)); false for one that spins or yields.
func isAsleep(thread: UInt64) -> Bool {
  let descriptor = open("/proc/self/task/\(thread)/stat", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: 256)
  let count = max(0, read(descriptor, &buffer, buffer.count))
  // The state comes after the name, which may have any character.
  guard let end = buffer[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else { return false }
  return buffer[end + 2] == UInt8(ascii: "S")
}
