// Part of a file as memory: read when it is touched, and given back when much has been.
import Glibc
import Text

/// Bytes of a file, mapped read-only, which cost page cache and hardly any memory of this process.
///
/// Behind the file's end lie zeros, so that a vector may be loaded past its last bytes.
package final class MappedFile {
  /// The part that was asked for.
  package let bytes: UnsafeRawBufferPointer
  private let whole: UnsafeMutableRawBufferPointer
  private let watched: MappedRange
  private let pageSize: Int
  /// Bytes that may have been touched since they were given back.
  private var touched = 0

  /// So much may be in this process's tables of pages at a time: the system takes it back too, but not as soon.
  private let mostTouched = max(256 << 20, Int(MemoryLimit.ofMachine().total / 8))
  /// Pages that this thread had to wait for until the last scattered ranges were touched.
  private var waits = 0
  /// Whether the last scattered ranges were announced, and whether the last that were not had to be waited for.
  private var hasAnnounced = false
  private var isOnDisk = false
  private var number = 0
  /// What the system brings in around a byte that is touched.
  private static let around = 64 << 10
  /// RUSAGE_THREAD, which glibc shows to its own extensions only.
  private static let ofThisThread = __rusage_who_t(1)

  /// - Throws: `noInput`, or `inputOutput` where the part does not lie in the file, or cannot be mapped.
  package init(_ path: String, offset: Int, count: Int) throws(DistsgdError) {
    let name = sourceName(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DistsgdError(.noInput, "cannot open \(name): \(errorText(errno))")
    }
    defer { close(descriptor) }
    var status = stat()
    let size = offset + count
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) >= size
    else {
      throw DistsgdError(
        .inputOutput, "\(name) has changed while it was opened: give it again when it is complete")
    }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let length = (size + page - 1) / page * page + page
    // The last page is nobody's but this mapping's own.
    guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      start != MAP_FAILED
    else { throw DistsgdError(.inputOutput, "cannot map \(name): \(errorText(errno))") }
    whole = UnsafeMutableRawBufferPointer(start: start, count: length)
    bytes = UnsafeRawBufferPointer(start: start + offset, count: count)
    let isMapped = mmap(start, size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) != MAP_FAILED
    let code = errno
    guard isMapped, let watched = MappedRange(UnsafeRawBufferPointer(start: start, count: size), path: name)
    else {
      munmap(start, length)
      throw DistsgdError(
        .inputOutput, "cannot map \(name): \(isMapped ? "too many files are mapped" : errorText(code))")
    }
    self.watched = watched
    pageSize = page
    // Examples lie anywhere: what the system reads ahead of them is not wanted, and what is wanted it is told.
    madvise(start, size, Int32(MADV_RANDOM))
  }

  deinit {
    watched.forget()
    munmap(whole.baseAddress, whole.count)
  }

  /// Asks the system to read a range of `bytes`, which will be touched soon, and gives back what was touched long ago.
  package func willTouch(_ range: Range<Int>) {
    touch(range.count + Self.around)
    announce(range)
  }

  /// The same for ranges that lie scattered, each of so many bytes.
  /// - Returns: whether they should be announced. To announce what is in the page cache takes longer than to read it, so
  ///   some are read without now and then, and it is seen whether the disk must be waited for.
  package func willTouchScattered(_ count: Int, size: Int) -> Bool {
    touch(count * (size + Self.around))
    var usage = rusage()
    getrusage(Self.ofThisThread, &usage)
    if !hasAnnounced { isOnDisk = usage.ru_majflt > waits }
    waits = usage.ru_majflt
    number += 1
    hasAnnounced = isOnDisk && number % 256 != 0
    return hasAnnounced
  }

  private func touch(_ count: Int) {
    guard bytes.count > mostTouched else { return }
    touched += count
    if touched > mostTouched {
      touched = 0
      release()
    }
  }

  /// Asks the system to read a range of `bytes`. Any thread may call it.
  package func announce(_ range: Range<Int>) {
    let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress! + range.lowerBound)
    let first = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: start) & ~UInt(pageSize - 1))!
    madvise(first, start + range.count - first, Int32(MADV_WILLNEED))
  }

  /// Takes all pages out of this process; they stay in the page cache, and come back when they are touched. Any thread
  /// may call it.
  package func release() {
    madvise(whole.baseAddress, whole.count, Int32(MADV_DONTNEED))
  }
}
