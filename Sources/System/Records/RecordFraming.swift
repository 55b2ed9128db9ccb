// TFRecord: how TensorFlow's files tell where a record ends, and that it is whole.

/// Appends a record: its length, a check of that, its bytes, a check of them; all little endian.
package func appendRecord(_ record: [UInt8], to buffer: inout [UInt8]) {
  let length = withUnsafeBytes(of: UInt64(record.count).littleEndian) { Array($0) }
  buffer += length
  append(maskedCheck(length), to: &buffer)
  buffer += record
  append(maskedCheck(record), to: &buffer)
}

/// A CRC-32C, turned and moved so that it is none of a text which holds checks itself.
private func maskedCheck(_ bytes: [UInt8]) -> UInt32 {
  let check = crc32c(bytes)
  return (check >> 15 | check << 17) &+ 0xA282_EAD8
}

private func append(_ value: UInt32, to buffer: inout [UInt8]) {
  withUnsafeBytes(of: value.littleEndian) { buffer.append(contentsOf: $0) }
}
