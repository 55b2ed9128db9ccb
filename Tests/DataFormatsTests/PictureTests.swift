import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// PNG and JPEG files, and folders of them.
@Suite struct PictureTests {
  let folder = TemporaryFolder()

  private func decode(_ bytes: [UInt8]) throws -> Picture {
    try bytes.withUnsafeBytes { try Picture($0, source: "image") }
  }

  /// An image file of a folder's.
  @discardableResult
  private func put(_ name: String, _ path: String) throws -> String {
    let whole = folder(path)
    try FileManager.default.createDirectory(
      atPath: String(whole.dropLast(whole.split(separator: "/").last!.count)),
      withIntermediateDirectories: true)
    return folder.put(ReferenceFiles.picture(name), to: path)
  }

  @Test(arguments: ReferenceFiles.pictureNames)
  func pixelsAreThoseOfOtherPrograms(name: String) throws {
    let picture = try decode(ReferenceFiles.picture(name))
    let expected = try #require(ReferenceFiles.pixels(name))
    #expect([picture.height, picture.width, picture.channels] == expected.shape)
    #expect(picture.pixels == expected.values)
  }

  @Test(arguments: ReferenceFiles.pictureNames)
  func brokenFilesAreErrors(name: String) {
    let whole = ReferenceFiles.picture(name)
    for count in stride(from: 12, to: whole.count, by: max(1, whole.count / 24)) {
      let error = #expect(throws: DistsgdError.self) { try decode(Array(whole[..<count])) }
      #expect(error?.code == .badData, "\(count) bytes of \(name)")
    }
  }

  @Test(arguments: ReferenceFiles.sizes)
  func resizingIsExact(size: String) throws {
    let picture = try decode(ReferenceFiles.picture("png colour"))
    let wanted = try #require(ImageSize(size))
    let resized = picture.resized(to: wanted)
    #expect(resized.height == wanted.height && resized.width == wanted.width)
    #expect(resized.pixels == ReferenceFiles.resized(size))
  }

  @Test func sizesAreWords() {
    #expect(ImageSize("32") == ImageSize(height: 32, width: 32))
    #expect(
      ImageSize("32x48") == ImageSize(height: 32, width: 48) && ImageSize("32x48")?.description == "32x48")
    for text in ["", "x", "3x", "x3", "0", "3x0", "-1", "3x4x5", "99999", "+3", " 3", "3.5"] {
      #expect(ImageSize(text) == nil, "\(text)")
    }
  }

  @Test func aFolderAClass() throws {
    for (place, name) in ["b/2.png", "b/10.png", "a/x.png", "a/deep/y.png", "Z/z.png"].enumerated() {
      try put(place == 1 ? "png grey" : "png colour", "set/\(name)")
    }
    folder.put("what these are\n", to: "set/README.txt")
    folder.put("x", to: "set/a/Thumbs.db")
    folder.put("x", to: "set/a/.hidden")
    let data = try loadData(options(folder("set")))
    #expect(data.preprocessing.classNames == ["Z", "a", "b"])
    #expect(data.training.count == 5 && data.training.exampleShape == [3, 5, 7])
    // Z/z, a/x, a/deep/y, b/10, b/2: in the order of bytes, what lies deeper last.
    #expect(data.training.labels == [0, 1, 1, 2, 2])
    let pixels = try #require(ReferenceFiles.pixels("png colour")).values
    let planes = (0..<3).flatMap { c in (0..<35).map { pixels[3 * $0 + c] } }
    let grey = try #require(ReferenceFiles.pixels("png grey")).values
    let bytes = try #require(data.training.bytes)
    #expect(Array(bytes[..<105]) == planes && Array(bytes[315..<420]) == grey + grey + grey)
    #expect(
      Array(bytes[420...]) == planes
        && data.preprocessing.featureDeviations == [Double](repeating: 255, count: 105))
  }

  @Test func greyFoldersHaveOneChannel() throws {
    try put("png grey", "set/a/1.png")
    try put("png grey as colour", "set/b/1.png")
    let data = try loadData(options(folder("set")))
    #expect(data.training.exampleShape == [1, 5, 7])
    let grey = try #require(ReferenceFiles.pixels("png grey")).values
    #expect(data.training.bytes == grey + grey)
    // Colour for a model of grey images becomes grey, by the luma of BT.601.
    let colour = try put("png colour", "new.png")
    let new = try loadForPrediction(colour, preprocessing: data.preprocessing, featureCount: 35)
    let pixels = try #require(ReferenceFiles.pixels("png colour")).values
    let luma = (0..<35).map { (i: Int) -> UInt8 in
      let (red, green, blue) = (Int(pixels[3 * i]), Int(pixels[3 * i + 1]), Int(pixels[3 * i + 2]))
      let sum: Int = 19595 * red + 38470 * green + 7471 * blue
      return UInt8((sum + 32768) >> 16)
    }
    guard case .uint8(let bytes, _) = new.features else {
      Issue.record("no bytes")
      return
    }
    #expect(bytes == luma && new.targets == nil)
  }

  @Test func trainAndTestFolders() throws {
    for part in ["train", "val"] {
      try put("png colour", "set/\(part)/a/1.png")
      try put("png colour", "set/\(part)/b/2.png")
    }
    try put("jpeg turned", "set/test/b/1.jpg")
    let data = try loadData(
      options(folder("set")) {
        $0.validation = "test"
        $0.imageSize = ImageSize("4")
      })
    #expect(data.training.count == 2 && data.training.labels == [0, 1])
    #expect(data.validation?.count == 1 && data.validation?.labels == [1])
    #expect(data.training.exampleShape == [3, 4, 4])
    expectError(.badData, ["2880 inputs", "expected 105"], folder("set")) { $0.validation = "test" }
    var reading = NewDataOptions()
    reading.imageSize = ImageSize("4")
    let new = try loadForPrediction(
      folder("set"), preprocessing: data.preprocessing, featureCount: 48, reading)
    #expect(new.count == 1 && new.targets?.map { new.targetTexts?[Int($0)] } == ["b"])
    try put("png colour", "set/test/c/1.png")
    expectError(.badData, ["label 'c'", "a, b"], folder("set")) {
      $0.validation = "test"
      $0.imageSize = ImageSize("4")
    }
    // A class may be called train.
    try put("png colour", "vehicles/plane/1.png")
    expectError(.usage, ["no test split", "train and test"], folder("vehicles")) { $0.validation = "test" }
  }

  @Test func theFirstErrorNamesItsFile() throws {
    for number in 0..<20 { try put("png colour", "set/a/\(number).png") }
    try put("png colour", "set/b/1.png")
    let other = try put("jpeg grey", "set/b/2.jpg")
    expectError(.badData, [other, "40 × 24 pixels", "7 × 5", "--image-size 5x7"], folder("set"))
    #expect(try loadData(options(folder("set")) { $0.imageSize = ImageSize("5x7") }).training.count == 22)
    let broken = folder.put(Array(ReferenceFiles.picture("png colour").dropLast(30)), to: "set/a/5.png")
    expectError(.badData, [broken, "broken PNG"], folder("set"))
    let gif = folder.put(ReferenceFiles.foreign("gif"), to: "set/a/0.png")
    expectError(.badData, [gif, "a GIF image", "PIL"], folder("set"))
    let text = folder.put("hello\n", to: "set/a/0.png")
    expectError(.badData, [text, "no image"], folder("set"))
  }

  @Test func whatIsNoSetOfClasses() throws {
    expectError(.noInput, ["folder without images"], folder.path)
    let loose = try put("png colour", "set/1.png")
    expectError(.badData, [loose, "in no class's folder"], folder("set"))
    expectError(.badData, [loose, "one image"], loose)
    try put("png colour", "set/a/1.png")
    expectError(.badData, [loose, "in no class's folder"], folder("set"))
    unlink(loose)
    #expect(mkdir(folder("set/b"), 0o700) == 0)
    expectError(.badData, ["set/b has no images"], folder("set"))
    expectError(.usage, ["--image-size", "only PNG and JPEG"], folder.put("1,2\n3,4\n", to: "t.csv")) {
      $0.imageSize = ImageSize("3")
    }
  }

  @Test func orientationsAreToldOf() throws {
    try put("jpeg turned", "set/a/1.jpg")
    try put("jpeg colour", "set/b/1.jpg")
    let data = try loadData(options(folder("set")))
    #expect(data.notes.contains { $0.contains("1 image of") && $0.contains("has an EXIF orientation") })
  }
}
