// Reads IDX files, the format of MNIST and its relatives, plain or gzip-compressed.
//
// Layout (yann.lecun.com/exdb/mnist): two zero bytes, the element type, the number of dimensions, each
// dimension as a big-endian UInt32, then the elements in C order.
import System
import Text

/// The contents of an IDX file of unsigned bytes.
struct IDXArray {
  var shape: [Int]
  var values: [UInt8]
}

/// Reads IDX bytes, decompressing them where they are gzip.
///
/// - Parameter dimensions: how many dimensions are right, and what to call such a file.
/// - Throws: `badData` for a wrong magic number, element type or number of dimensions, and for a file that is
///   shorter or longer than its header says.
func readIDX(
  _ bytes: UnsafeRawBufferPointer, source: String, dimensions: ClosedRange<Int>, expected: String
) throws(DistsgdError) -> IDXArray {
  if bytes.count >= 2, bytes[0] == 0x1F, bytes[1] == 0x8B {
    let stream = try InflateStream(bytes, format: .gzip, source: source)
    let start = try stream.read(count: 4)
    let dimensionCount = try checkMagic(start, source: source, dimensions: dimensions, expected: expected)
    let sizes = try stream.read(count: 4 * dimensionCount)
    let (shape, size) = try readShape(sizes, dimensionCount, source: source)
    guard size / InflateStream.maximumExpansion <= bytes.count else {
      throw DistsgdError(
        .badData,
        "\(source) has \(bytes.count) compressed bytes: its shape \(shape) needs more of them; copy or download it again"
      )
    }
    // As they are read, and where the ranks share them.
    try requireMemory(bytes: 2 * Double(size), for: source)
    let values = try stream.read(count: size)
    guard values.count == size else { throw lengthError(source, shape, "only \(values.count)") }
    guard try stream.isAtEnd() else { throw lengthError(source, shape, "more") }
    return IDXArray(shape: shape, values: values)
  }
  let dimensionCount = try checkMagic(
    Array(bytes.prefix(4)), source: source, dimensions: dimensions, expected: expected)
  let sizes = Array(bytes.dropFirst(4).prefix(4 * dimensionCount))
  let (shape, size) = try readShape(sizes, dimensionCount, source: source)
  let available = bytes.count - 4 - 4 * dimensionCount
  guard available == size else {
    throw lengthError(source, shape, available < size ? "only \(available)" : "\(available)")
  }
  try requireMemory(bytes: 2 * Double(size), for: source)
  return IDXArray(shape: shape, values: Array(bytes.suffix(size)))
}

/// Images with their labels as raw examples: one feature per pixel.
func imageExamples(
  images: IDXArray, labels: IDXArray?, imagesSource: String, labelsSource: String
) throws(DistsgdError) -> RawExamples {
  let count = images.shape[0]
  guard count > 0, let pixels = product(Array(images.shape.dropFirst())), pixels > 0 else {
    throw DistsgdError(
      .badData, "no images, \(imagesSource) has the shape \(images.shape): expected at least one")
  }
  if let labels, labels.shape[0] != count {
    throw DistsgdError(
      .badData,
      "\(counted(count, "image")), \(imagesSource), but \(counted(labels.shape[0], "label")), \(labelsSource): expected one label for every image"
    )
  }
  var raw = RawExamples(
    source: imagesSource, kind: .images, count: count, featureCount: pixels,
    exampleShape: imageShape(images.shape), features: .bytes(images.values),
    targets: labels.map { $0.values.map { Double($0) } }, targetNames: ["label"])
  (raw.isLabelled, raw.classifier) = (true, .mlp)
  return raw
}

/// `[channels, height, width]` of the images in an array of (count, height, width) or (count, channels, height,
/// width); nil for rows of numbers.
func imageShape(_ arrayShape: [Int]) -> [Int]? {
  switch arrayShape.count {
  case 3: [1] + arrayShape.dropFirst()
  case 4: Array(arrayShape.dropFirst())
  default: nil
  }
}

/// Where the labels of an image file are by the usual naming (`train-images-idx3-ubyte.gz` →
/// `train-labels-idx1-ubyte.gz`), compressed or not; `nil` where no such file exists.
func labelsPath(forImages path: String) -> String? {
  let name = baseName(path)
  let folder = String(path.dropLast(name.count))
  guard let renamed = replacingLast("images", with: "labels", in: name) else { return nil }
  let labels = replacingLast("idx3", with: "idx1", in: renamed) ?? renamed
  // As the images are compressed, if they are, or otherwise.
  let endings = ["", ".gz", ".xz", ".bz2", ".zst", ".lz4"]
  let ending = endings.dropFirst().first { labels.hasSuffix($0) } ?? ""
  let bare = String(labels.dropLast(ending.count))
  let candidates = [bare + ending] + endings.filter { $0 != ending }.map { bare + $0 }
  return candidates.map { folder + $0 }.first { pathKind($0) == .file }
}

/// `text` with the last occurrence of `old` replaced; `nil` where there is none.
private func replacingLast(_ old: String, with new: String, in text: String) -> String? {
  let (bytes, pattern) = (Array(text.utf8), Array(old.utf8))
  for start in stride(from: bytes.count - pattern.count, through: 0, by: -1)
  where bytes[start...].starts(with: pattern) {
    let parts = bytes[..<start] + Array(new.utf8) + bytes[(start + pattern.count)...]
    return String(decoding: parts, as: UTF8.self)
  }
  return nil
}

/// The number of dimensions.
private func checkMagic(
  _ magic: [UInt8], source: String, dimensions: ClosedRange<Int>, expected: String
) throws(DistsgdError) -> Int {
  guard magic.count == 4, magic[0] == 0, magic[1] == 0 else {
    throw DistsgdError(.badData, "\(source) is no IDX file: expected \(expected)")
  }
  guard magic[2] == 0x08 else {
    let types: [UInt8: String] = [
      0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers", 0x0D: "32-bit floats",
      0x0E: "64-bit floats",
    ]
    let type = types[magic[2]] ?? "elements of the unknown type \(magic[2])"
    throw DistsgdError(
      .badData,
      "\(source) holds \(type): only IDX files of unsigned bytes are read; save the array as .npy with numpy.save"
    )
  }
  guard dimensions.contains(Int(magic[3])) else {
    throw DistsgdError(
      .badData, "\(source) has \(magic[3]) dimensions: expected \(expected)")
  }
  return Int(magic[3])
}

private func readShape(
  _ sizes: [UInt8], _ dimensionCount: Int, source: String
) throws(DistsgdError) -> (shape: [Int], size: Int) {
  guard sizes.count == 4 * dimensionCount else {
    throw DistsgdError(.badData, "\(source) ends in its header: copy or download it again")
  }
  let shape = (0..<dimensionCount).map { dimension in
    sizes[dimension * 4..<dimension * 4 + 4].reduce(0) { $0 << 8 | Int($1) }
  }
  guard let size = product(shape) else {
    throw DistsgdError(
      .badData, "\(source) claims the shape \(shape): its header is damaged; copy or download it again")
  }
  return (shape, size)
}

private func lengthError(_ source: String, _ shape: [Int], _ found: String) -> DistsgdError {
  DistsgdError(
    .badData,
    "\(found) bytes after the header, \(source): its shape \(shape) needs \(product(shape) ?? 0); copy or download it again"
  )
}
