// Models on disk in the safetensors format, which PyTorch, NumPy and others read as it is.
//
// A file is: the header's length (8 bytes, little-endian), the header (one JSON object, padded with
// blanks to 8 bytes), and the tensors' values one after the other, little-endian, row-major.
// https://huggingface.co/docs/safetensors
import System

/// Named tensors of 32-bit floats and a few words about them.
package struct SafeTensors: Sendable, Equatable {
  /// A tensor that owns its values, row-major.
  package struct Tensor: Sendable, Equatable {
    package var name: String
    package var shape: [Int]
    package var values: [Float]

    package init(name: String, shape: [Int], values: [Float]) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// A tensor whose values lie in memory of somebody else, such as a parameter arena, row-major.
  package struct View {
    package var name: String
    package var shape: [Int]
    package var values: UnsafeBufferPointer<Float>

    package init(name: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// A whole number beside the tensors, of 64 bits and without dimensions.
  package struct Count {
    package var name: String
    package var value: Int64

    package init(name: String, value: Int64) {
      self.name = name
      self.value = value
    }
  }

  /// The tensors in the header's order, which is the order of the layers in files written here.
  package var tensors: [Tensor]
  /// The header's `__metadata__`.
  package var metadata: [String: String]

  package init(tensors: [Tensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The tensor called `name`, looked for from the first to the last.
  package subscript(name: String) -> Tensor? {
    tensors.first { $0.name == name }
  }

  /// Writes the file; it appears under `path` only when it is complete and on the disk.
  ///
  /// - Throws: `DistsgdError` (`cannotCreate`, or `inputOutput` when for example the disk is full).
  package func write(to path: String) throws {
    let header = SafeTensors.header(
      tensors.map { ($0.name, $0.shape, $0.values.count) }, metadata: metadata)
    var file = try ReplacementFile(replacing: path)
    try header.withUnsafeBytes { try file.write($0) }
    for tensor in tensors { try tensor.values.withUnsafeBytes { try file.write($0) } }
    try file.commit()
  }

  /// Writes tensors from where they lie, without a copy, as `write(to:)` does.
  ///
  /// - Parameters:
  ///   - counts: these come first, where they lie at multiples of 8, as other readers want them.
  ///   - bypassesCache: as in `ReplacementFile`.
  /// - Throws: `DistsgdError` (`cannotCreate`, or `inputOutput` when for example the disk is full).
  package static func write(
    _ tensors: [View], counts: [Count] = [], metadata: [String: String] = [:], to path: String,
    bypassesCache: Bool = false
  ) throws {
    try write(
      tensors, counts: counts, metadata: metadata, to: path, in: nil, bypassesCache: bypassesCache)
  }

  /// - Parameter folder: as in `ReplacementFile`.
  package static func write(
    _ tensors: [View], counts: [Count] = [], metadata: [String: String], to path: String,
    in folder: OpenFolder?, bypassesCache: Bool
  ) throws {
    let header = header(
      tensors.map { ($0.name, $0.shape, $0.values.count) }, counts: counts, metadata: metadata)
    var file = try ReplacementFile(replacing: path, in: folder, bypassesCache: bypassesCache)
    try header.withUnsafeBytes { try file.write($0) }
    for count in counts { try withUnsafeBytes(of: count.value.littleEndian) { try file.write($0) } }
    for tensor in tensors { try file.write(UnsafeRawBufferPointer(tensor.values)) }
    try file.commit()
  }

  /// The length and the JSON header, padded so that the values, written as they lie in memory (all of Swift's
  /// machines are little-endian), start at a multiple of 8.
  ///
  /// The same tensors and metadata give the same bytes: names in the given order, metadata sorted by key.
  private static func header(
    _ tensors: [(name: String, shape: [Int], count: Int)], counts: [Count] = [], metadata: [String: String]
  ) -> [UInt8] {
    let names = tensors.map(\.name) + counts.map(\.name)
    precondition(Set(names).count == names.count, "tensor names must differ")
    var header = JSONLine()
    if !metadata.isEmpty {
      var words = JSONLine()
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { words[key] = value }
      header["__metadata__"] = words
    }
    var end = 0
    func add(_ name: String, _ type: String, _ shape: [Int], bytes: Int) {
      var entry = JSONLine()
      entry["dtype"] = type
      entry["shape"] = shape
      entry["data_offsets"] = [end, end + bytes]
      header[name] = entry
      end += bytes
    }
    for count in counts { add(count.name, "I64", [], bytes: 8) }
    for tensor in tensors {
      precondition(tensor.name != "__metadata__", "a tensor must not be called __metadata__")
      precondition(tensor.shape.reduce(1, *) == tensor.count, "\(tensor.name): shape and values disagree")
      add(tensor.name, "F32", tensor.shape, bytes: 4 * tensor.count)
    }
    var json: [UInt8] = []
    header.appendJSON(to: &json)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
  }
}
