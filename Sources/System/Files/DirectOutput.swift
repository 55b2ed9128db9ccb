// Writing past the page cache (open(2), O_DIRECT): the disk takes the bytes from our memory, and no processor
// copies them page by page.
import Glibc

/// Appends bytes to an open, empty file in blocks. Where the file system takes no such writes, they are the usual ones.
final class DirectOutput {
  /// What every file system's blocks divide.
  private static let alignment = 4096
  private static let capacity = 4 << 20

  private let descriptor: Int32
  private let path: String
  /// Shape (capacity); the first `count` bytes are yet to be written.
  private let block: UnsafeMutableRawPointer
  private var count = 0
  /// Bytes of the whole file so far.
  private var size = 0

  init(_ descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
    block = .allocate(byteCount: Self.capacity, alignment: Self.alignment)
    // Without the flag, for example on tmpfs, the writes below are only larger than they need be.
    if descriptor >= 0 { _ = fcntl(descriptor, F_SETFL, __O_DIRECT) }
  }

  deinit { block.deallocate() }

  /// - Throws: `DistsgdError` (`inputOutput`).
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Self.capacity - count)
      (block + count).copyMemory(from: piece.base.baseAddress! + piece.startIndex, byteCount: piece.count)
      count += piece.count
      size += piece.count
      rest = rest.dropFirst(piece.count)
      if count == Self.capacity { try flush() }
    }
  }

  /// Writes what is left, and cuts off the padding that made it whole blocks.
  /// - Throws: `DistsgdError` (`inputOutput`).
  func finish() throws {
    let end = (count + Self.alignment - 1) / Self.alignment * Self.alignment
    memset(block + count, 0, end - count)
    count = end
    try flush()
    if ftruncate(descriptor, off_t(size)) != 0 { throw writeError(path, errno) }
  }

  private func flush() throws {
    defer { count = 0 }
    let bytes = UnsafeRawBufferPointer(start: block, count: count)
    let start = lseek(descriptor, 0, SEEK_CUR)
    do {
      try writeAll(bytes, to: descriptor, path: path)
    } catch {
      // Some file systems accept the flag and refuse the writes, or take a part that ends within a block.
      guard fcntl(descriptor, F_GETFL) & __O_DIRECT != 0, start >= 0 else { throw error }
      _ = fcntl(descriptor, F_SETFL, 0)
      guard lseek(descriptor, start, SEEK_SET) == start else { throw error }
      try writeAll(bytes, to: descriptor, path: path)
    }
  }
}
