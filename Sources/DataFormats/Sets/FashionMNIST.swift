// `fashion-mnist`: Zalando's 70,000 images of clothes in four IDX files (Xiao, Rasul & Vollgraf 2017).
import System
import Text

/// Where Debian's package dataset-fashion-mnist puts the files.
package let fashionSystemFolder = "/usr/share/datasets/fashion-mnist"

/// The two halves of the set.
enum FashionSplit: String { case train, test = "t10k" }

/// The folder that holds the set's files: `$DISTSGD_DATA`, its subfolder fashion-mnist, or where Debian's package
/// dataset-fashion-mnist puts them; `nil` where they are in none.
package func findFashionMNIST() -> String? {
  findFashionMNIST(environment: environmentValue)
}

package func findFashionMNIST(
  environment: (String) -> String?, systemFolder: String = fashionSystemFolder
) -> String? {
  var folders = [systemFolder]
  if let folder = environment("DISTSGD_DATA") {
    folders = [folder, "\(folder)/fashion-mnist"] + folders
  }
  return folders.first { fashionFile($0, .train, "images-idx3") != nil }
}

/// One half of the set: pixels as bytes, shape (count, 784), and classes 0 to 9.
///
/// - Throws: `noInput` when a file is missing, `badData` when one is damaged.
func fashionExamples(
  _ split: FashionSplit, folder: String?
) throws(DistsgdError) -> RawExamples {
  let advice =
    "apt install dataset-fashion-mnist, or put the four IDX files into the folder that $DISTSGD_DATA names"
  guard let folder else {
    throw DistsgdError(.noInput, "fashion-mnist is not on this machine: \(advice)")
  }
  guard let imagesPath = fashionFile(folder, split, "images-idx3"),
    let labelsPath = fashionFile(folder, split, "labels-idx1")
  else {
    throw DistsgdError(
      .noInput, "the \(split.rawValue) images or labels of fashion-mnist are missing, \(folder): \(advice)")
  }
  var raw = try readImages(imagesPath, labels: labelsPath)
  raw.source = split == .train ? "fashion-mnist" : "fashion-mnist (test)"
  raw.fixedClassCount = 10
  return raw
}

/// An image file and its labels, from disk.
/// - Parameter maps: whether a large file's images may stay in it.
func readImages(
  _ imagesPath: String, labels labelsPath: String?, maps: Bool = false
) throws(DistsgdError) -> RawExamples {
  let mapped = maps ? try MappedFeatures.idx(imagesPath, dimensions: 2...8) : nil
  let images: IDXArray
  if let mapped {
    images = IDXArray(shape: mapped.shape, values: [])
  } else {
    images = try readIDX(path: imagesPath, dimensions: 2...8, expected: imagesExpected)
  }
  var labels: IDXArray?
  if let labelsPath {
    labels = try readIDX(
      path: labelsPath, dimensions: 1...1,
      expected: "labels with one dimension, such as train-labels-idx1-ubyte")
  }
  var raw = try imageExamples(
    images: images, labels: labels, imagesSource: printable(imagesPath, limit: 200),
    labelsSource: printable(labelsPath ?? "", limit: 200))
  raw.mapped = mapped?.mapped
  return raw
}

private func readIDX(
  path: String, dimensions: ClosedRange<Int>, expected: String
) throws(DistsgdError) -> IDXArray {
  let file = try FileBytes(path)
  defer { withExtendedLifetime(file) {} }
  let start =
    Compression(file.bytes) == .gzip
    ? try InflateStream(file.bytes, format: .gzip, source: sourceName(path)).read(count: 2) : []
  if start != [0, 0] {
    let contents = try Contents(path)
    defer { withExtendedLifetime(contents) {} }
    return try readIDX(contents.bytes, source: contents.source, dimensions: dimensions, expected: expected)
  }
  // As it is decompressed, without a copy of all of it.
  return try readIDX(
    file.bytes, source: printable(path, limit: 200), dimensions: dimensions, expected: expected)
}

/// Images without labels, from memory.
func imageExamples(_ bytes: UnsafeRawBufferPointer, source: String) throws(DistsgdError) -> RawExamples {
  let images = try readIDX(bytes, source: source, dimensions: 2...8, expected: imagesExpected)
  return try imageExamples(images: images, labels: nil, imagesSource: source, labelsSource: "")
}

private let imagesExpected = "images with three dimensions, such as train-images-idx3-ubyte"

func fashionFile(_ folder: String, _ split: FashionSplit, _ part: String) -> String? {
  let path = "\(folder)/\(split.rawValue)-\(part)-ubyte"
  return [path + ".gz", path].first { pathKind($0) == .file }
}
