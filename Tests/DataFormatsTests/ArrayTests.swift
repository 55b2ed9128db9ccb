import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// NumPy arrays: what NumPy itself wrote, and everything that can be wrong.
@Suite struct ArrayTests {
  let folder = TemporaryFolder()

  private func matrix(_ bytes: [UInt8]) throws(DistsgdError) -> LoadedData {
    try loadData(options(folder.put(bytes, to: "m.npy")) { $0.standardize = false })
  }

  @Test(arguments: [
    "<f4", "<f8", ">f4", ">f8", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", "<u4", "<i8", "<u8",
  ])
  func elementTypes(type: String) throws {
    let data = try matrix(numPyFile("matrix \(type)"))
    #expect(data.training.floats == [1, 3, 5] && data.training.values == [2, 4, 6])
    #expect(data.preprocessing.featureNames == ["1"] && data.preprocessing.targetName == "2")
  }

  @Test func booleansAndVersions() throws {
    #expect(try matrix(numPyFile("matrix |b1")).training.floats == [1, 1, 1])
    for name in ["version 2", "version 3"] {
      let data = try matrix(numPyFile(name))
      #expect(data.training.floats == [0, 0.5, 1] && data.training.values == [0.25, 0.75, 1.25])
    }
  }

  @Test func aSingleMatrixIsATable() throws {
    let path = folder.put(numPyFile("matrix <f4"), to: "m.npy")
    let data = try loadData(options(path) { $0.target = "1" })
    #expect(data.preprocessing.featureNames == ["2"] && data.preprocessing.targetName == "1")
    #expect(data.preprocessing.featureMeans == [4] && data.preprocessing.targetMean == 3)
    expectError(.badData, ["shape [2]", "two files"], folder.put(numPyFile("labels"), to: "one.npy"))
  }

  @Test func fortranOrderIsTransposed() throws {
    let x = folder.put(numPyFile("fortran"), to: "x.npy")
    let y = folder.put(numPyFile("labels"), to: "y.npy")
    let data = try loadData(options("\(x),\(y)"))
    #expect(data.training.featureCount == 12 && data.training.floats == (0..<24).map { Float($0) })
    #expect(data.training.labels == [0, 1] && data.defaultModel == .softmax)
    let small = npy("|u1", [2, 3], [1, 4, 2, 5, 3, 6], fortran: true)
    #expect(try matrix(small).training.floats == [1, 2, 4, 5])
  }

  @Test func pairs() throws {
    let x = folder.put(npy("|u1", [2, 2], [0, 51, 102, 255]), to: "x.npy")
    let y = folder.put(npy("<f4", [2, 1], littleEndian([1.5, -2])), to: "y.npy")
    let data = try loadData(options("\(x),\(y)"))
    #expect(data.training.bytes == [0, 51, 102, 255] && data.training.values == [1.5, -2])
    #expect(data.defaultModel == .linear && data.preprocessing.featureDeviations == [255, 255])
    let standard = try loadData(options("\(x),\(y)") { $0.standardize = true })
    #expect(standard.training.floats == [-1, -1, 1, 1] && standard.preprocessing.featureMeans == [51, 153])
    let labels = folder.put(npy("|i1", [2], [1, 0]), to: "l.npy")
    let regression = try loadData(options("\(x),\(labels)") { $0.task = .regression })
    #expect(regression.training.values == [1, 0] && regression.defaultModel == .linear)
    expectError(.badData, ["whole number", "example 1"], "\(x),\(y)") { $0.task = .classification }
    expectError(
      .badData, ["2 inputs", "3 targets"], "\(x),\(folder.put(npy("|u1", [3], [0, 1, 2]), to: "t.npy"))")
    expectError(.badData, ["targets have the shape [2, 2]"], "\(x),\(x)")
    let signed = try loadData(options("\(x),\(folder.put(npy("|i1", [2], [3, 255]), to: "n.npy"))"))
    #expect(signed.training.labels == [1, 0] && signed.preprocessing.classNames == ["-1", "3"])
    expectError(.badData, ["no pair of arrays"], "\(x),\(folder.put("1,2\n", to: "t.csv"))")
  }

  @Test(arguments: [
    ("complex", ["data type '<c8'", "a.real"]), ("records", ["records"]), ("scalar", ["single number"]),
    ("nan", ["NaN or infinite", "element [1, 1]"]),
  ])
  func unreadableNumPyFiles(name: String, parts: [String]) {
    expectError(.badData, parts, folder.put(numPyFile(name), to: "m.npy"))
  }

  @Test func damagedFiles() {
    let good = npy("<f4", [2, 2], littleEndian([1, 2, 3, 4]))
    let cases: [([UInt8], String)] = [
      ([], "no NumPy array"), (Array(good.prefix(8)), "no NumPy array"),
      (Array(good.prefix(40)), "ends in its header"),
      (good.dropLast(), "bytes after the header"), (good + [0], "bytes after the header"),
      (good.replacing(at: 6, with: 9), "version 9"), (good.replacing(at: 12, with: 0), "header of"),
      (npy("<f4", [0, 2], []), "no elements"),
      (npy("<f4", [1 << 40, 1 << 40], [1]), "bytes after the header"),
      (npy("<f4", [0, 1 << 55, 1 << 55], []), "no elements"),
    ]
    for (bytes, part) in cases {
      expectError(.badData, ["m.npy", part], folder.put(bytes, to: "m.npy"))
    }
  }

  @Test(arguments: ["npz stored", "npz deflated"])
  func archives(name: String) throws {
    let data = try loadData(options(folder.put(numPyFile(name), to: "a.npz")))
    #expect(data.training.floats == [0, 0.25, 0.5, 0.75, 1, 1.25])
    #expect(data.training.labels == [0, 1, 2] && data.training.classCount == 3)
  }

  @Test func archivesByShapeAndOfBytes() throws {
    let unnamed = try loadData(options(folder.put(numPyFile("npz unnamed"), to: "u.npz")))
    #expect(unnamed.training.values == [0, 1, 2] && unnamed.training.featureCount == 2)
    let bytes = try loadData(options(folder.put(numPyFile("npz bytes"), to: "b.npz")))
    #expect(bytes.training.featureCount == 4 && bytes.training.bytes?.last == 220)
    #expect(bytes.training.labels == [0, 1, 2])
  }

  @Test func damagedArchives() {
    let stored = numPyFile("npz stored")
    let deflated = numPyFile("npz deflated")
    expectError(
      .badData, ["the arrays a, b", "named x"], folder.put(numPyFile("npz unclear"), to: "a.npz"))
    var twice = Data(numPyFile("npz unclear"))
    while let name = twice.range(of: Data("b.npy".utf8)) { twice.replaceSubrange(name, with: "a.npy".utf8) }
    expectError(.badData, ["two entries are called a.npy"], folder.put(Array(twice), to: "a.npz"))
    expectError(.badData, ["no complete zip"], folder.put(Array(stored.prefix(100)), to: "a.npz"))
    expectError(.badData, ["no complete zip"], folder.put("", to: "a.npz"))
    expectError(
      .badData, ["checksum of x.npy"], folder.put(stored.replacing(at: 185, with: 77), to: "a.npz"))
    let broken = folder.put(
      deflated.replacing(at: 80, with: 0xFF).replacing(at: 81, with: 0xFF), to: "a.npz")
    expectError(.badData, ["a.npz"], broken)
  }
}

extension [UInt8] {
  func replacing(at index: Int, with byte: UInt8) -> [UInt8] {
    var copy = self
    copy[index] = byte
    return copy
  }
}
