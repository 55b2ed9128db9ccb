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

/// Reads a stream instead of somebody who would take its bytes into memory first.
protocol EarlyReader: AnyObject {
  /// - Returns: whether nobody needs the bytes any more; if not, the stream is to be begun again.
  func read(_ stream: some ByteStream) -> Bool
}

/// Bytes in memory of `malloc`, which grows without being copied.
final class OwnedBytes {
  private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private var memory: UnsafeMutableRawPointer?

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
  /// - Throws: also `usage` when the bytes do not fit this machine's memory.
  init(reading stream: some ByteStream, expected: Int, source: String) throws(DistsgdError) {
    var count = 0
    // One byte more, so that the end is seen without growing.
    var capacity = max(expected, 1 << 12) + 1
    while true {
      // What has come is in use already.
      try requireMemory(
        bytes: Double(capacity - count), for: source, instead: "a smaller file, or decompress it first")
      guard let larger = realloc(memory, capacity) else {
        throw DistsgdError(.usage, "no memory for the contents of \(source): use a smaller file")
      }
      memory = larger
      let got = try stream.read(
        into: UnsafeMutableRawBufferPointer(start: larger + count, count: capacity - count))
      count += got
      bytes = UnsafeRawBufferPointer(start: larger, count: count)
      if count < capacity { return }
      capacity += max(capacity / 2, 1 << 16)
    }
  }

  deinit { free(memory) }
}
