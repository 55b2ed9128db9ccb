// What happens when another program cuts a file short while it is read through a mapping: an error, not a crash.
import Glibc
import Synchronization

/// A mapped file that is watched for being cut short.
///
/// Reading behind the new end raises SIGBUS, which cannot become a thrown error. So the signal's handler does what
/// the program does about any error of one rank alone: it writes the line, and ends the process with the code.
struct MappedRange {
  private let slot: Int

  /// - Returns: nil when as many files are mapped as can be watched; this one should be read then.
  init?(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.init(bytes, line: "\(path) was cut short while it was read: give it again when it is complete")
  }

  /// - Parameter line: what the handler says.
  init?(_ bytes: UnsafeRawBufferPointer, line words: String) {
    let line = "distsgd: error: \(words)\n"
    let free = watched.withLock { watched -> Int? in
      guard let free = watched.isTaken.firstIndex(of: false) else { return nil }
      watched.isTaken[free] = true
      slots[free] = Slot(bytes: bytes, line: strdup(line), length: line.utf8.count)
      return free
    }
    guard let free else { return nil }
    slot = free
  }

  /// To be called before the range is unmapped.
  func forget() {
    watched.withLock { watched in
      let line = slots[slot].line
      slots[slot] = Slot()
      free(line)
      watched.isTaken[slot] = false
    }
  }
}

/// What the handler knows of a mapped file. It may neither wait nor allocate, so everything is ready beforehand.
private struct Slot {
  var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  var line: UnsafeMutablePointer<CChar>?
  var length = 0
}

private let slotCount = 16

private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot> = {
  let slots = UnsafeMutablePointer<Slot>.allocate(capacity: slotCount)
  slots.initialize(repeating: Slot(), count: slotCount)
  return slots
}()

private struct Watched {
  var isTaken = [Bool](repeating: false, count: slotCount)

  init() {
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { _, information, _ in
      let address = information.map { UnsafeRawPointer($0.pointee._sifields._sigfault.si_addr) } ?? nil
      for index in 0..<slotCount {
        let slot = slots[index]
        guard let address, let start = slot.bytes.baseAddress, start <= address,
          address < start + slot.bytes.count, let line = slot.line
        else { continue }
        // Several threads may read the file: the first to come here ends the process, the others are ended.
        while hasSpoken.exchange(true, ordering: .relaxed) { pause() }
        write(STDERR_FILENO, line, slot.length)
        endOfThisProcess?(ExitCode.inputOutput.rawValue)
        _exit(ExitCode.inputOutput.rawValue)
      }
      // Not of a file of ours: the access is repeated, and ends the process as it would have.
      signal(SIGBUS, SIG_DFL)
    }
    action.sa_flags = SA_SIGINFO
    sigaction(SIGBUS, &action, nil)
  }
}

private let watched = Mutex(Watched())
private let hasSpoken = Atomic(false)
