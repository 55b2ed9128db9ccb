// Arrays too large to be copied: their file is mapped, when its numbers can be trained on as they lie in it.
import CKernels
import System

extension MappedFeatures {
  /// Files with at least so many bytes are mapped.
  static let leastMapped = 1 << 30
  /// Up to so many bytes are looked through for NaN and infinities before training begins.
  static let mostChecked = 4 << 30

  /// What a `.npy` file holds; nil where it must be copied: it is small or compressed, in Fortran order, or of another
  /// type than float32 in this machine's byte order and unsigned bytes.
  static func npy(_ path: String) throws(DistsgdError) -> NPYArray? {
    guard let file = try large(path) else { return nil }
    defer { withExtendedLifetime(file) {} }
    guard file.bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else { return nil }
    let header = try NPYHeader(file.bytes, source: sourceName(path))
    let isFloat = header.type == "f4" && !header.isBigEndian
    guard isFloat || header.type == "u1", !header.shape.isEmpty, header.fileSize == file.bytes.count,
      !header.isFortranOrder || header.shape.count == 1, header.dataOffset % header.elementSize == 0
    else { return nil }
    let data = UnsafeRawBufferPointer(rebasing: file.bytes[header.dataOffset...])
    var array = NPYArray(shape: header.shape, values: isFloat ? .floats([]) : .bytes([]), isInteger: !isFloat)
    array.mapped = MappedFeatures(path: path, offset: header.dataOffset, byteCount: data.count)
    if isFloat, data.count <= mostChecked { try requireFinite(data, array, source: sourceName(path)) }
    return array
  }

  /// The images of an IDX file; nil where they must be copied.
  static func idx(
    _ path: String, dimensions: ClosedRange<Int>
  ) throws(DistsgdError) -> (shape: [Int], mapped: MappedFeatures)? {
    guard let file = try large(path) else { return nil }
    defer { withExtendedLifetime(file) {} }
    let bytes = file.bytes
    guard bytes[0] == 0, bytes[1] == 0, bytes[2] == 8, dimensions.contains(Int(bytes[3])) else { return nil }
    let shape = (0..<Int(bytes[3])).map { dimension in
      bytes[(4 + 4 * dimension)..<(8 + 4 * dimension)].reduce(0) { $0 << 8 | Int($1) }
    }
    let offset = 4 + 4 * shape.count
    guard product(shape) == bytes.count - offset else { return nil }
    return (shape, MappedFeatures(path: path, offset: offset, byteCount: bytes.count - offset))
  }

  private static func large(_ path: String) throws(DistsgdError) -> FileBytes? {
    guard pathKind(path) == .file else { return nil }
    let file = try FileBytes(path)
    return file.bytes.count >= leastMapped ? file : nil
  }
}

/// - Throws: `badData` that names the first number that is NaN or infinite.
private func requireFinite(
  _ data: UnsafeRawBufferPointer, _ array: NPYArray, source: String
) throws(DistsgdError) {
  let values = data.bindMemory(to: Float.self)
  let pieces = pieceCount(values.count, least: 1 << 18)
  var found = [Int?](repeating: nil, count: pieces)
  found.withUnsafeMutableBufferPointer { found in
    inParallel(pieces) { piece in
      let range = piece * values.count / pieces..<(piece + 1) * values.count / pieces
      let first = ckernels_first_not_finite(values.baseAddress! + range.lowerBound, range.count)
      if first < range.count { found[piece] = range.lowerBound + first }
    }
  }
  if let index = found.lazy.compactMap({ $0 }).first { throw notFinite(at: index, array, source: source) }
}
