// Bytes that come piece by piece, and memory that grows with what has come.
import Glibc
import System

/// What is decompressed like a file that is read.
protocol ByteStream {
  /// Fills the buffer as far as the stream reaches; returns how many bytes that is.
  ///
  /// - Throws: `badData` for a damaged stream, or one that ends too early.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DistsgdError) -> Int
}

/// Reads bytes while more of them come.
protocol EarlyReader: AnyObject {
  /// More are there, at the same place as before.
  func grow(to bytes: UnsafeRawBufferPointer)
  /// All are there.
  func end()
  /// No more will come.
  func stop()
}

/// Bytes in memory that grows without being copied: of `malloc`, or at one place.
final class OwnedBytes {
  private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private var memory: UnsafeMutableRawPointer?
  /// Where `memory` is, if it must not move.
  private var space: UnsafeMutableRawBufferPointer?

  /// Bytes of which somebody who reads them while they come is told at once, and from how many on.
  private static let step = 1 << 20
  private static let leastWatched = 1 << 20

  /// Reads the first bytes of a stream, about `limit`, or those before what is wrong with it.
  ///
  /// - Throws: only what is wrong with the first bytes of all.
  init(beginning stream: some ByteStream, limit: Int) throws(DistsgdError) {
    memory = malloc(limit)
    guard let memory else { return }
    // In pieces that grow: the whole of a short file must not fail at its end.
    var count = 0
    var size = 4
    while count < limit {
      size = min(size, limit - count)
      do throws(DistsgdError) {
        let got = try stream.read(into: UnsafeMutableRawBufferPointer(start: memory + count, count: size))
        count += got
        if got < size { break }
      } catch {
        if count == 0 { throw error }
        break
      }
      size = count
    }
    bytes = UnsafeRawBufferPointer(start: memory, count: count)
  }

  /// Reads a stream to its end.
  ///
  /// - Parameters:
  ///   - expected: bytes that are taken at once; more only as they come true, and no more than memory there is.
  ///   - source: the file, for messages.
  ///   - early: who reads the bytes while they come, where they are many.
  /// - Throws: also `usage` when the bytes do not fit this machine's memory.
  init(
    reading stream: some ByteStream, expected: Int, source: String, early: (any EarlyReader)? = nil
  ) throws(DistsgdError) {
    guard let early, expected >= Self.leastWatched, let space = Self.space() else {
      try read(stream, expected, source)
      return
    }
    (self.space, memory) = (space, space.baseAddress)
    do throws(DistsgdError) {
      try read(stream, expected, source, early)
    } catch {
      early.stop()
      throw error
    }
    early.end()
  }

  private func read(
    _ stream: some ByteStream, _ expected: Int, _ source: String, _ early: (any EarlyReader)? = nil
  ) throws(DistsgdError) {
    var count = 0
    // One byte more, so that the end is seen without growing.
    var capacity = max(expected, 1 << 12) + 1
    while true {
      // What has come is in use already.
      try requireMemory(
        bytes: Double(capacity - count), for: source, instead: "a smaller file, or decompress it first")
      guard let larger = grown(to: capacity) else {
        throw DistsgdError(.usage, "no memory for the contents of \(source): use a smaller file")
      }
      memory = larger
      while count < capacity {
        let size = early == nil ? capacity - count : min(Self.step, capacity - count)
        let got = try stream.read(into: UnsafeMutableRawBufferPointer(start: larger + count, count: size))
        count += got
        bytes = UnsafeRawBufferPointer(start: larger, count: count)
        early?.grow(to: bytes)
        if got < size { return }
      }
      capacity += max(capacity / 2, 1 << 16)
    }
  }

  private func grown(to capacity: Int) -> UnsafeMutableRawPointer? {
    guard let space else { return realloc(memory, capacity) }
    return capacity <= space.count ? space.baseAddress : nil
  }

  /// Addresses for as much as this machine's memory may hold, which take none before they are written to; nil where a
  /// limit of this process counts them.
  private static func space() -> UnsafeMutableRawBufferPointer? {
    guard MemoryLimit.ofProcess() == nil else { return nil }
    let count = Int(MemoryLimit.ofMachine().total)
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE)
    guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
      return nil
    }
    let space = UnsafeMutableRawBufferPointer(start: start, count: count)
    preferLargePages(space)
    return space
  }

  deinit {
    if let space {
      munmap(space.baseAddress!, space.count)
    } else {
      free(memory)
    }
  }
}
