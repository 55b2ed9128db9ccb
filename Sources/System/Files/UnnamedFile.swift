// Room on a disk for what memory does not hold: a file that no folder lists, gone when nobody has it open.
import Glibc
import Text

/// Memory that is a file's: the system writes it to the disk when it needs the place.
///
/// The file loses its name as soon as it is open, so that nothing is left behind however the process ends.
package final class UnnamedFile: @unchecked Sendable {
  // Unchecked: who fills the bytes hands them on when they are full.
  package let bytes: UnsafeMutableRawBufferPointer
  private let descriptor: Int32
  private let watched: MappedRange

  /// Where such files are made.
  package static var folder: String { environmentValue("TMPDIR") ?? "/var/tmp" }

  /// Takes all of its place on the disk at once: later there would be nobody to tell that the disk is full.
  /// - Parameter what: what it is for, in messages.
  /// - Throws: `cannotCreate` where no file can be made, `inputOutput` where the disk is full.
  package init(byteCount: Int, for what: String, in folder: String = UnnamedFile.folder) throws(DistsgdError)
  {
    let place = "a file in \(printable(folder, limit: 200))"
    func error(_ code: ExitCode, _ number: Int32, _ advice: String) -> DistsgdError {
      DistsgdError(
        code,
        "cannot keep \(gigabytes(Double(byteCount))) GB of \(what) in \(place): \(message(number)); \(advice), or use fewer rows"
      )
    }
    var template = temporaryTemplate("distsgd", in: folder)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw error(.cannotCreate, errno, "set TMPDIR to a folder that you may write to")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let size = max(1, byteCount)
    let refusal = diskIsFull.load(ordering: .relaxed) ? ENOSPC : posix_fallocate(descriptor, 0, off_t(size))
    guard refusal == 0 else {
      close(descriptor)
      throw error(.inputOutput, refusal, "free some space, set TMPDIR to a folder with more")
    }
    guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else {
      let number = errno
      close(descriptor)
      throw error(.inputOutput, number, "raise the limit (ulimit -v)")
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    guard
      let watched = MappedRange(
        UnsafeRawBufferPointer(start: start, count: size),
        line: "\(place) cannot be written or read: set TMPDIR to a folder on another disk")
    else {
      munmap(start, size)
      close(descriptor)
      throw error(.inputOutput, EMFILE, "too many files are mapped")
    }
    self.watched = watched
  }

  deinit {
    watched.forget()
    munmap(bytes.baseAddress, max(1, bytes.count))
    close(descriptor)
  }

  /// By which other processes of this machine open it while this object lives.
  package var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

  /// Takes its pages out of this process; they come back when they are touched.
  package func release() { madvise(bytes.baseAddress, bytes.count, Int32(MADV_DONTNEED)) }
}
