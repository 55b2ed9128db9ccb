import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// Compressed files are read by what they hold, whatever they are called.
@Suite struct CompressionTests {
  let folder = TemporaryFolder()

  @Test(arguments: ReferenceFiles.compressedNames)
  func everyCompressionIsTheSameTable(name: String) throws {
    let plain = folder.put(ReferenceFiles.compressed("plain"), to: "plain.csv")
    let expected = try loadData(options(plain)).training
    #expect(expected.count == 40)
    for called in ["data.bin", "data.csv", "data.npy", "-ubyte"] {
      let found = try loadData(options(folder.put(ReferenceFiles.compressed(name), to: called))).training
      #expect(found.floats == expected.floats && found.values == expected.values, "\(name) as \(called)")
    }
  }

  @Test(arguments: ReferenceFiles.compressedNames.filter { $0 != "plain" })
  func everyCutIsAnError(name: String) {
    let whole = ReferenceFiles.compressed(name)
    // The first bytes alone say what it is.
    for count in stride(from: 30, to: whole.count, by: max(1, whole.count / 16)) {
      let error = loadError(folder.put(Array(whole[..<count]), to: "cut.csv"))
      #expect(error.code == .badData, "\(count) bytes of \(name): \(error)")
    }
  }

  @Test(arguments: ["gzip", "zlib", "bzip2", "xz", "zstd", "lz4", "zip deflated", "zip bzip2"])
  func damageIsFound(name: String) {
    var bytes = ReferenceFiles.compressed(name)
    // In the middle of the compressed data, which a checksum covers.
    bytes[bytes.count / 2] ^= 0x55
    expectError(.badData, ["damaged", "broken.csv", "again"], folder.put(bytes, to: "broken.csv"))
  }

  @Test func arraysAndImagesAreDecompressed() throws {
    let array = ReferenceFiles.array("float16")
    let inputs = folder.put(gzipped(array), to: "x")
    let targets = folder.put(gzipped(numPyFile("matrix <f4")), to: "y")
    expectError(.badData, ["targets have the shape"], inputs + "," + targets)
    let alone = try loadData(options(inputs) { $0.standardize = false })
    #expect(alone.training.count == 8 && alone.training.featureCount == 2)
    let images = folder.put(
      gzipped(gzipped([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])), to: "i")
    let labels = folder.put([0, 0, 8, 1, 0, 0, 0, 2, 1, 0], to: "l")
    let loaded = try loadData(options(images + "," + labels))
    #expect(loaded.training.bytes == [1, 2, 3, 4] && loaded.training.labels == [1, 0])
  }

  @Test func zipArchivesOfSeveralFilesAreRefused() {
    expectError(
      .badData, ["zip archive of several files", "unzip"],
      folder.put(ReferenceFiles.foreign("zip of two"), to: "two.zip"))
  }

  /// Texts of some megabytes, whose first part is parsed while the rest is decompressed: whatever stands in them, what is
  /// read and what is refused is that of the plain file.
  @Test(arguments: EarlyText.allCases)
  func longTextsAreReadAsIfTheyWerePlain(kind: EarlyText) throws {
    let text = Array(kind.text.utf8)
    #expect(text.count > 6 << 20)
    let plain = folder.put(text, to: "long.csv")
    let compressed = folder.put(gzipped(text), to: "long.csv.gz")
    func read(_ path: String) -> Result<LoadedData, DistsgdError> {
      Result { () throws(DistsgdError) in try loadData(options(path) { $0.missing = .mean }) }
    }
    switch (read(plain), read(compressed)) {
    case (.success(let expected), .success(let found)):
      #expect(!kind.isWrong)
      #expect(found.training.floats == expected.training.floats)
      #expect(found.training.values == expected.training.values)
      #expect(found.preprocessing == expected.preprocessing)
      let notes = found.notes.map { $0.replacingOccurrences(of: "long.csv.gz", with: "long.csv") }
      #expect(notes == expected.notes)
    case (.failure(let expected), .failure(let found)):
      #expect(kind.isWrong)
      let message = found.description.replacingOccurrences(of: "long.csv.gz", with: "long.csv")
      #expect(message == expected.description && found.code == expected.code)
    default: Issue.record("\(kind): only one of the two is read")
    }
  }

  @Test func longTextsThatAreCutOrDamagedAreErrors() {
    var bytes = gzipped(Array(EarlyText.numbers.text.utf8))
    let cut = folder.put(Array(bytes[..<(bytes.count - 9)]), to: "cut.csv.gz")
    expectError(.badData, ["ends in the middle", "cut.csv.gz"], cut)
    bytes[bytes.count - 6] ^= 1
    expectError(.badData, ["damaged", "hurt.csv.gz"], folder.put(bytes, to: "hurt.csv.gz"))
  }

  private func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    let path = folder.put(bytes, to: "to be compressed")
    defer { unlink(path) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-c", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    do { try process.run() } catch {
      Issue.record("gzip does not start: \(error)")
      return []
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(data)
  }
}

/// Tables of which the first megabytes do not tell all.
enum EarlyText: CaseIterable, Sendable {
  case numbers, quotedLineEnds, carriageReturns, carriageReturnsAlone, comments, shortLastLine, noLastLineEnd
  case missingLate, textLate, categories, manyCategories, categoriesLate, longField, header, wrongLate,
    openQuote
  case endOfFileMark, byteOrderMark, blankLines, semicolons

  var isWrong: Bool {
    switch self {
    case .shortLastLine, .textLate, .wrongLate, .openQuote: true
    default: false
    }
  }

  private static let rows = 330_000

  var text: String {
    var lines = (0..<Self.rows).map { row in "\(row % 97).25,\(row),-\(row % 1013)e-3,\(row % 7)" }
    let last = Self.rows - 1
    switch self {
    case .numbers: break
    case .quotedLineEnds:
      for row in stride(from: 0, to: Self.rows, by: 3) {
        lines[row] += row % 2 == 0 ? ",\"a\n1,2\"" : ",\"\"\"x\n\""
      }
      for row in 0..<Self.rows where row % 3 != 0 { lines[row] += ",b" }
      lines = lines.map { line in
        // The target is the last column.
        line + ",1"
      }
    case .carriageReturns: return lines.joined(separator: "\r\n") + "\r\n"
    case .carriageReturnsAlone: return lines.joined(separator: "\r")
    case .comments:
      for row in stride(from: 200_000, to: Self.rows, by: 1_000) { lines[row] = "# 1,2\n" + lines[row] }
    case .shortLastLine: lines[last] = "1,2"
    case .noLastLineEnd: return lines.joined(separator: "\n")
    case .missingLate:
      for row in 230_000..<230_010 { lines[row] = "1,,NA,3" }
    case .textLate: lines[250_000] = "1,2,oops,3"
    case .categories: lines = lines.indices.map { "\(["x", "y", "zz"][$0 % 3])," + lines[$0] }
    case .manyCategories: lines = lines.indices.map { "t\($0 % 5_000)," + lines[$0] }
    case .categoriesLate: lines = lines.indices.map { "\($0 < 100_000 ? "1" : "k\($0 % 3)")," + lines[$0] }
    case .longField: lines[100] = "1," + String(repeating: " ", count: 3 << 20) + "2,3,4"
    case .header: lines.insert("a,b,c,y", at: 0)
    case .wrongLate: lines[255_000] = "1,2,3,4,5"
    case .openQuote: lines[150_000] = "1,\"2,3,4"
    case .endOfFileMark: return lines.joined(separator: "\n") + "\n\u{1A}"
    case .byteOrderMark: return "\u{FEFF}" + lines.joined(separator: "\n")
    case .blankLines: return lines.joined(separator: "\n\n  \n")
    case .semicolons:
      return lines.map {
        $0.replacingOccurrences(of: ",", with: ";").replacingOccurrences(of: ".", with: ",")
      }
      .joined(separator: "\n")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
