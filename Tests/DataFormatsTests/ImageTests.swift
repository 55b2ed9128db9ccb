import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// IDX files, plain and compressed, and Fashion-MNIST where it is installed.
@Suite struct ImageTests {
  let folder = TemporaryFolder()
  private let images = idx([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255])
  private let labels = idx([3], [2, 0, 1])

  @Test(arguments: [false, true])
  func imagesFindTheirLabels(isCompressed: Bool) throws {
    let ending = isCompressed ? ".gz" : ""
    let path = folder.put(isCompressed ? gzip(images) : images, to: "train-images-idx3-ubyte" + ending)
    folder.put(isCompressed ? gzip(labels) : labels, to: "train-labels-idx1-ubyte" + ending)
    let data = try loadData(options(path))
    #expect(data.training.bytes == Array(images.suffix(12)))
    #expect(data.training.floats.last == 255 * (Float(1) / 255))
    #expect(data.training.labels == [2, 0, 1] && data.training.classCount == 3)
    #expect(data.training.featureCount == 4 && data.defaultModel == .mlp)
    #expect(data.preprocessing.featureNames.isEmpty)
    #expect(data.preprocessing.featureDeviations == [255, 255, 255, 255])
    expectError(.usage, ["pixels are scaled to [0, 1]"], path) { $0.standardize = true }
  }

  @Test func labelsCanBeGivenOrMissing() throws {
    let path = folder.put(images, to: "pictures.idx")
    let other = folder.put(gzip(labels), to: "classes.gz")
    #expect(try loadData(options("\(path),\(other)")).training.labels == [2, 0, 1])
    expectError(.noInput, ["no labels beside", "images,labels"], path)
    // Compressed images with plain labels.
    let mixed = folder.put(gzip(images), to: "a-images-idx3-ubyte.gz")
    folder.put(labels, to: "a-labels-idx1-ubyte")
    #expect(try loadData(options(mixed)).training.labels == [2, 0, 1])
  }

  @Test func errors() {
    let good = folder.put(labels, to: "labels")
    let cases: [([UInt8], [String])] = [
      (idx([3, 2, 2], [], type: 0x0D), ["32-bit floats", "unsigned bytes"]),
      (idx([3, 2, 2], [], type: 0x77), ["unknown type 119"]), (labels, ["1 dimensions", "images"]),
      (images.dropLast(), ["only 11 bytes"]), (images + [1], ["13 bytes after"]),
      (Array(images.prefix(9)), ["header"]),
      (idx([0, 2, 2], []), ["no images"]),
      (idx([2, 2, 2], Array(repeating: 0, count: 8)), ["2 images", "3 labels"]),
      (gzip(images.dropLast()), ["only 11 bytes"]), (gzip(images + [1]), ["more bytes after"]),
      (gzip(images).dropLast(3), ["in the middle of its compressed data"]),
      (gzip(images) + [1, 2], ["2 bytes after the end"]),
      (gzip(images).replacing(at: 20, with: 9), ["compressed bytes", "needs more of them"]),
      (gzip(images).replacing(at: 30, with: 0xFF), ["damaged compressed data"]),
      (idx([1 << 31, 1 << 31, 4], [1]), ["shape"]), (idx([1 << 31, 4, 4], [1]), ["only 1 bytes"]),
      (gzip(idx([1 << 31, 4, 4], [1])), ["compressed bytes", "needs more of them"]),
      (idx([0, 1 << 31, 1 << 31, 1 << 31], []), ["no images"]),
      (idx([1 << 31, 1 << 31, 0], [1]), ["bytes after"]),
    ]
    for (bytes, parts) in cases {
      expectError(.badData, parts + ["images.idx"], "\(folder.put(bytes, to: "images.idx")),\(good)")
    }
    // Not IDX at all, under an IDX name.
    let text = folder.put("hello", to: "x-images-idx3-ubyte")
    expectError(.badData, ["no pair of arrays"], "\(text),\(good)")
  }

  @Test func severalGzipMembersAreOneStream() throws {
    let path = folder.put(gzip(Array(images.prefix(18))) + gzip(Array(images.dropFirst(18))), to: "i.gz")
    let data = try loadData(options("\(path),\(folder.put(labels, to: "l"))"))
    #expect(data.training.bytes == Array(images.suffix(12)))
  }

  @Test func fashionMNIST() throws {
    guard let found = findFashionMNIST() else {
      print("SKIPPED: fashion-mnist is not installed; apt install dataset-fashion-mnist")
      return
    }
    let data = try loadData(options("fashion-mnist") { $0.validation = "test" })
    #expect(data.training.count == 60_000 && data.training.featureCount == 784)
    #expect(data.training.classCount == 10 && data.validation?.count == 10_000)
    #expect(data.training.labels.prefix(5) == [9, 0, 0, 3, 0])
    // 6,000 of each class; the mean pixel is 0.2860, as is well known.
    #expect((0..<10).allSatisfy { label in data.training.labels.count { $0 == label } == 6000 })
    let sum = data.training.bytes?.reduce(0) { $0 + Int($1) } ?? 0
    #expect(abs(Double(sum) / 255 / 60_000 / 784 - 0.2860) < 0.0001)
    #expect(data.defaultModel == .mlp)
    let file = found + "/train-images-idx3-ubyte.gz"
    if FileManager.default.fileExists(atPath: file) {
      let direct = try loadData(options(file) { $0.examples = 10 })
      #expect(direct.training.bytes == data.training.bytes.map { Array($0.prefix(7840)) })
    }
    let new = try loadForPrediction("fashion-mnist", preprocessing: data.preprocessing, featureCount: 784)
    let test = try new.examples(preprocessing: data.preprocessing, classCount: 10)
    #expect(test.labels == data.validation?.labels && test.bytes == data.validation?.bytes)
  }

  @Test func aMissingFashionMNISTNamesThePackage() {
    let error = #expect(throws: DistsgdError.self) {
      try loadData(options("fashion-mnist"), environment: { _ in folder.path }, systemFolder: "/nowhere")
    }
    #expect(error?.code == .noInput)
    #expect(error?.description.contains("apt install dataset-fashion-mnist") == true)
    #expect(error?.description.contains("$DISTSGD_DATA") == true)
  }

  @Test func fewLabelsStillMeanTenClassesOfClothes() throws {
    for name in ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"] { folder.put(images, to: name) }
    for name in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] { folder.put(labels, to: name) }
    let data = try loadData(
      options("fashion-mnist") { $0.validation = "test" },
      environment: { $0 == "DISTSGD_DATA" ? folder.path : nil }, systemFolder: "/nowhere")
    #expect(data.training.classCount == 10 && data.validation?.classCount == 10)
  }
}
