// Protocol buffers, written: each field is a key (its number and how it is coded) and its value.

/// A message under construction.
package struct ProtocolBuffer {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// `int64`, `int32` and enumerations; 7 bits a byte, the lowest first.
  package mutating func add(_ field: Int, _ value: Int) {
    varint(field << 3)
    varint(value)
  }

  /// `float`
  package mutating func add(_ field: Int, _ value: Float) {
    varint(field << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// `double`
  package mutating func add(_ field: Int, _ value: Double) {
    varint(field << 3 | 1)
    append(value)
  }

  /// `repeated double`, packed.
  package mutating func add(_ field: Int, _ values: [Double]) {
    varint(field << 3 | 2)
    varint(8 * values.count)
    for value in values { append(value) }
  }

  /// `bool`
  package mutating func add(_ field: Int, _ value: Bool) { add(field, value ? 1 : 0) }

  /// `string`
  package mutating func add(_ field: Int, _ value: String) { add(field, Array(value.utf8)) }

  /// `bytes`, and messages within messages.
  package mutating func add(_ field: Int, _ value: [UInt8]) {
    varint(field << 3 | 2)
    varint(value.count)
    bytes += value
  }

  /// A message within this one.
  package mutating func add(_ field: Int, _ make: (inout ProtocolBuffer) -> Void) {
    var message = ProtocolBuffer()
    make(&message)
    add(field, message.bytes)
  }

  private mutating func append(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func varint(_ value: Int) {
    var rest = UInt64(bitPattern: Int64(value))
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
