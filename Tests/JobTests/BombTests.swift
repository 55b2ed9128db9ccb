// Files that are far larger than they look, memory that the system refuses, and weights that are no numbers: a line
// that names what is at fault, and none of the memory.
import DataFormats
import Foundation
import TestSupport
import Testing

/// What `gzip` makes of some bytes and many zeros behind them.
private struct Compressed {
  let bytes: [UInt8]
  let size: Int

  init(_ start: [UInt8], zeros: Int, in folder: TemporaryFolder) throws {
    let header = try folder.write(start, to: "start")
    let script = "(cat '\(header)'; head -c \(zeros) /dev/zero) | gzip -9 > '\(folder("packed"))'"
    let outcome = try Child("sh", ["-c", script]).wait(limit: 120)
    try #require(outcome.code == 0, "\(outcome)")
    bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder("packed"))))
    size = start.count + zeros
  }

  /// Without gzip's own header and trailer.
  var deflated: ArraySlice<UInt8> { bytes[10..<bytes.count - 8] }
  var checksum: ArraySlice<UInt8> { bytes[bytes.count - 8..<bytes.count - 4] }
}

/// `count` bytes of a number, the lowest first.
private func little(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// A zip archive of deflated entries (PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16).
private func zip(_ entries: [(name: String, content: Compressed)]) -> [UInt8] {
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for (name, content) in entries {
    let offset = archive.count
    let common =
      little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + content.checksum
      + little(content.deflated.count, 4) + little(content.size, 4) + little(name.utf8.count, 2)
      + little(0, 2)
    archive += little(0x0403_4B50, 4) + common + Array(name.utf8) + content.deflated
    directory +=
      little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 10) + little(offset, 4) + Array(name.utf8)
  }
  let end =
    little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
    + little(directory.count, 4) + little(archive.count, 4) + little(0, 2)
  return archive + directory + end
}

extension JobTests {
  @Suite struct BombTests {
    private let folder = TemporaryFolder()

    /// Runs the program in so many kilobytes of address space.
    private func limited(kilobytes: Int, _ arguments: [String]) throws -> Outcome {
      let words = arguments + ["--quiet", "--output", folder("run")]
      return try Child(
        "sh", ["-c", "ulimit -v \(kilobytes); exec \"$0\" \"$@\"", distsgd] + words,
        environment: mpiEnvironment
      ).wait(limit: 60)
    }

    private func refused(_ outcome: Outcome, _ code: Int32, _ words: [String]) {
      #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
      for word in words { #expect(outcome.errors.contains(word), "'\(word)' is not in: \(outcome)") }
      #expect(outcome.seconds < 30, "\(outcome)")
    }

    private func npz(rows: Int, zeros: Int) throws -> String {
      let inputs = try Compressed(npy("<f4", [rows, 100], []), zeros: zeros, in: folder)
      let targets = try Compressed(npy("<f4", [rows], []), zeros: 4 * rows, in: folder)
      return try folder.write(zip([("x.npy", inputs), ("y.npy", targets)]), to: "xy.npz")
    }

    @Test func anArchiveThatLies() throws {
      let file = try npz(rows: 3, zeros: 600_000_000)
      // Inflated, it would take twice as much as there is.
      refused(try limited(kilobytes: 300_000, ["--data", file]), 65, ["xy.npz/x.npy", "[3, 100]"])
    }

    @Test func anArchiveThatIsTrue() throws {
      let file = try npz(rows: 1_000_000, zeros: 400_000_000)
      refused(
        try limited(kilobytes: 600_000, ["--data", file, "--lr", "0.1"]), 64,
        ["xy.npz/x.npy needs 0.8 GB", "ulimit -v leaves"])
      let outcome = try Child(
        distsgd,
        [
          "--data", try npz(rows: 1000, zeros: 400_000), "--lr", "0.1", "--quiet", "--output",
          folder("small"),
        ],
        environment: mpiEnvironment
      ).wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome)")
    }

    @Test func images() throws {
      let start: [UInt8] = [0, 0, 8, 3, 0, 7, 0xA1, 0x20, 0, 0, 0, 28, 0, 0, 0, 28]
      let labels = try folder.write(
        idx([500_000], [UInt8](repeating: 1, count: 500_000)), to: "t-labels-idx1-ubyte")
      let honest = try folder.write(
        try Compressed(start, zeros: 500_000 * 784, in: folder).bytes, to: "t-images-idx3-ubyte.gz")
      refused(
        try limited(kilobytes: 600_000, ["--data", "\(honest),\(labels)"]), 64,
        ["needs 0.8 GB", "ulimit -v leaves"])
      let lying = try folder.write(
        try Compressed(start, zeros: 1000, in: folder).bytes, to: "l-images-idx3-ubyte.gz")
      refused(
        try limited(kilobytes: 600_000, ["--data", "\(lying),\(labels)"]), 65,
        ["l-images-idx3-ubyte.gz", "500000"])
    }

    /// At any limit there is an end: a result, or one line.
    @Test(arguments: [
      "--steps 5", "--data TABLE --lr 0.001 --steps 2", "--data TABLE --validation 0.3 --lr 0.001 --steps 2",
      "--data synthetic:20000,300 --lr 0.001 --model mlp:64 --steps 2 --threads 2",
      "--data synthetic:20000,300 --lr 0.001 --model mlp:2000,2000 --steps 2", "--data synthetic:1000000,500",
    ])
    func anyLimit(_ command: String) throws {
      let row = (1...20).map(Float.init)
      let table = try folder.write(
        npy("<f4", [200_000, 20], (0..<200_000).reduce(into: []) { bytes, _ in bytes += littleEndian(row) }),
        to: "table.npy")
      let words = command.replacingOccurrences(of: "TABLE", with: table).split(separator: " ").map(
        String.init)
      for kilobytes in [120_000, 140_000, 160_000, 200_000, 250_000, 300_000, 400_000, 600_000, 1_000_000] {
        try? FileManager.default.removeItem(atPath: folder("run"))
        let outcome = try limited(kilobytes: kilobytes, words)
        #expect(!outcome.hung, "\(kilobytes): \(outcome)")
        #expect([0, 64, 74].contains(outcome.code), "\(kilobytes): \(outcome)")
        #expect(outcome.errorLines.count == (outcome.code == 0 ? 0 : 1), "\(kilobytes): \(outcome)")
        #expect(!outcome.errors.contains("rash"), "\(kilobytes): \(outcome)")
      }
    }

    @Test(arguments: [1, 4]) func aModelTooLarge(_ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks, ["--model", "mlp:1000000,1000000", "--output", folder("run")], limit: 30)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      for word in ["--model mlp:1000000,1000000", "1000008000001 parameters", "GB, "] {
        #expect(outcome.errors.contains(word), "\(outcome)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder("run")))
    }

    /// Weights that are no numbers, and weights that make none.
    @Test(arguments: [Float.nan, .infinity, 3e38], [1, 4])
    func weights(_ value: Float, _ ranks: Int) throws {
      let data = try folder.writeTable()
      let first = try run(["--data", data, "--lr", "0.1", "--quiet", "--output", folder("first")])
      try #require(first.code == 0, "\(first)")
      var model = try SafeTensors.read(from: folder("first/model.safetensors"))
      model.tensors[0].values = model.tensors[0].values.map { _ in value }
      let file = folder("broken.safetensors")
      try model.write(to: file)
      var commands = [
        ["predict", "--model", file, "--data", data], ["evaluate", "--model", file, "--data", data],
      ]
      if !value.isFinite {
        commands.append(["--data", data, "--initialize", file, "--output", folder("run")])
      }
      for command in commands {
        let outcome = try run(ranks: ranks, command, limit: 30)
        #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errorLines.first?.contains(file) == true, "\(outcome)")
        #expect(!outcome.output.contains("nan") && !outcome.output.contains("inf"), "\(outcome)")
        if !value.isFinite { #expect(outcome.errors.contains("tensor '0.weight'"), "\(outcome)") }
      }
      #expect(!FileManager.default.fileExists(atPath: folder("run")))
    }
  }
}
