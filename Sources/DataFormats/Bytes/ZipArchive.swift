// Reads the entries of a zip archive (PKWARE's APPNOTE 6.3), stored or deflated: what a .npz file is.
import System
import Text

/// A zip archive in memory, read through its central directory.
///
/// No size in the archive is trusted: an entry's bytes must lie in the file, and its uncompressed size must be
/// one that deflate can reach from them. Names are only compared: nothing is written anywhere.
struct ZipArchive {
  struct Entry {
    var name: String
    var method: Int
    var crc: UInt32
    var compressedSize: Int
    var size: Int
    var localOffset: Int
  }

  let source: String
  let bytes: UnsafeRawBufferPointer
  private(set) var entries: [Entry] = []
  /// What to do about a damaged archive.
  private let remedy: String

  /// - Throws: `badData` for what is no zip archive, or a damaged one.
  init(
    _ bytes: UnsafeRawBufferPointer, source: String, remedy: String = "write it again with numpy.savez"
  ) throws(DistsgdError) {
    self.bytes = bytes
    self.source = source
    self.remedy = remedy
    guard let end = findEnd() else {
      throw DistsgdError(.badData, "\(source) is no complete zip archive: \(remedy)")
    }
    var count = Int(number(end + 10, UInt16.self))
    var offset = Int(number(end + 16, UInt32.self))
    // Zip64: the locator stands before the end record, and points to a larger end record.
    if count == 0xFFFF || offset == 0xFFFF_FFFF, end >= 20, number(end - 20, UInt32.self) == 0x0706_4B50 {
      let large = number(end - 12, UInt64.self)
      guard large <= UInt64(bytes.count), bytes.count - Int(large) >= 56,
        number(Int(large), UInt32.self) == 0x0606_4B50
      else { throw damaged("its zip64 record") }
      count = Int(clamping: number(Int(large) + 32, UInt64.self))
      offset = Int(clamping: number(Int(large) + 48, UInt64.self))
    }
    var names: Set<String> = []
    for _ in 0..<min(count, bytes.count / 46) {
      offset = try readEntry(at: offset)
      // Readers differ in which of two they take.
      if let name = entries.last?.name, !names.insert(name).inserted {
        throw damaged("two entries are called \(printable(name))")
      }
    }
  }

  /// The uncompressed bytes of an entry, given to `body`.
  ///
  /// - Throws: `badData` for a damaged entry, an unsupported compression, or a wrong checksum.
  func withContents<R>(
    of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(DistsgdError) -> R
  ) throws(DistsgdError) -> R {
    let compressed = try data(of: entry)
    let name = "\(source)/\(printable(entry.name))"
    if entry.method == 0 {
      guard crc32(of: compressed) == entry.crc else {
        throw damaged("the checksum of \(printable(entry.name))")
      }
      return try body(compressed)
    }
    let stream = try InflateStream(compressed, format: .deflate, source: name)
    let contents = try stream.read(count: entry.size)
    guard contents.count == entry.size, try stream.isAtEnd() else {
      throw damaged("the size of \(printable(entry.name))")
    }
    var result: Result<R, DistsgdError>?
    contents.withUnsafeBytes { buffer in
      guard crc32(of: buffer) == entry.crc else { return }
      do throws(DistsgdError) { result = .success(try body(buffer)) } catch { result = .failure(error) }
    }
    guard let result else { throw damaged("the checksum of \(printable(entry.name))") }
    return try result.get()
  }

  /// The first bytes of an entry, at most `count`, without a checksum.
  func prefix(of entry: Entry, count: Int) throws(DistsgdError) -> [UInt8] {
    let compressed = try data(of: entry)
    if entry.method == 0 { return Array(compressed.prefix(count)) }
    let stream = try InflateStream(compressed, format: .deflate, source: source)
    return try stream.read(count: min(count, entry.size))
  }

  /// An entry's bytes as they lie in the archive.
  func data(of entry: Entry) throws(DistsgdError) -> UnsafeRawBufferPointer {
    let offset = entry.localOffset
    guard offset <= bytes.count - 30, number(offset, UInt32.self) == 0x0403_4B50 else {
      throw damaged("the header of \(printable(entry.name))")
    }
    let start =
      offset + 30 + Int(number(offset + 26, UInt16.self)) + Int(number(offset + 28, UInt16.self))
    guard start <= bytes.count, entry.compressedSize <= bytes.count - start else {
      throw damaged("the length of \(printable(entry.name))")
    }
    guard number(offset + 6, UInt16.self) & 1 == 0 else {
      throw DistsgdError(.badData, "\(source) is encrypted: \(remedy)")
    }
    guard entry.method == 0 || entry.method == 8 else {
      throw DistsgdError(
        .badData,
        "\(source)/\(printable(entry.name)) is compressed by method \(entry.method): only stored and deflated entries are read; write it again, an .npz with numpy.savez"
      )
    }
    let limit = entry.compressedSize.multipliedReportingOverflow(by: InflateStream.maximumExpansion)
    guard
      entry.method == 0
        ? entry.size == entry.compressedSize : limit.overflow || entry.size <= limit.partialValue
    else { throw damaged("the size of \(printable(entry.name))") }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.compressedSize])
  }

  /// Reads one central directory record; returns where the next one begins.
  private mutating func readEntry(at offset: Int) throws(DistsgdError) -> Int {
    guard offset >= 0, offset <= bytes.count - 46, number(offset, UInt32.self) == 0x0201_4B50 else {
      throw damaged("its directory")
    }
    let nameLength = Int(number(offset + 28, UInt16.self))
    let extraLength = Int(number(offset + 30, UInt16.self))
    let next = offset + 46 + nameLength + extraLength + Int(number(offset + 32, UInt16.self))
    guard next <= bytes.count else { throw damaged("its directory") }
    var sizes = [
      UInt64(number(offset + 24, UInt32.self)), UInt64(number(offset + 20, UInt32.self)),
      UInt64(number(offset + 42, UInt32.self)),
    ]
    // Zip64 extra field 1: the values that did not fit 32 bits, in this order.
    var extra = offset + 46 + nameLength
    let extraEnd = extra + extraLength
    while extra + 4 <= extraEnd {
      let length = Int(number(extra + 2, UInt16.self))
      if number(extra, UInt16.self) == 1, extra + 4 + length <= extraEnd {
        var field = extra + 4
        for index in sizes.indices where sizes[index] == 0xFFFF_FFFF && field + 8 <= extra + 4 + length {
          sizes[index] = number(field, UInt64.self)
          field += 8
        }
      }
      extra += 4 + length
    }
    entries.append(
      Entry(
        name: String(decoding: bytes[offset + 46..<offset + 46 + nameLength], as: UTF8.self),
        method: Int(number(offset + 10, UInt16.self)), crc: number(offset + 16, UInt32.self),
        compressedSize: Int(clamping: sizes[1]), size: Int(clamping: sizes[0]),
        localOffset: Int(clamping: sizes[2])))
    return next
  }

  /// The end record, which only a comment of at most 65,535 bytes may follow.
  private func findEnd() -> Int? {
    guard bytes.count >= 22 else { return nil }
    let last = bytes.count - 22
    return stride(from: last, through: max(0, last - 0xFFFF), by: -1).first {
      number($0, UInt32.self) == 0x0605_4B50
    }
  }

  private func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
    T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  func damaged(_ what: String) -> DistsgdError {
    DistsgdError(.badData, "\(source) is damaged (\(what)): \(remedy)")
  }
}
