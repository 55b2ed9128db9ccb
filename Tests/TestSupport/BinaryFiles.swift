// Small binary files, made byte by byte.

/// An IDX file of unsigned bytes.
public func idx(_ shape: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
  let sizes = shape.flatMap { size in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) }
  }
  return [0, 0, type, UInt8(shape.count)] + sizes + values
}

/// A gzip file of stored blocks (RFC 1951, 1952).
public func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var rest = bytes[...]
  repeat {
    let block = rest.prefix(65_535)
    rest = rest.dropFirst(block.count)
    let length = UInt16(block.count)
    result.append(rest.isEmpty ? 1 : 0)
    for word in [length, ~length] { result += [UInt8(word & 255), UInt8(word >> 8)] }
    result += block
  } while !rest.isEmpty
  for word in [crc32(bytes), UInt32(bytes.count)] {
    result += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: word >> $0) }
  }
  return result
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
  }
}

/// A version 1 npy file.
public func npy(_ type: String, _ shape: [Int], _ data: [UInt8], fortran: Bool = false) -> [UInt8] {
  let tuple = shape.map { "\($0)," }.joined(separator: " ")
  let order = fortran ? "True" : "False"
  let header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(tuple)), }\n"
  let length = UInt16(header.utf8.count)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
    + data
}

public func littleEndian(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value.bitPattern >> $0) } }
}
