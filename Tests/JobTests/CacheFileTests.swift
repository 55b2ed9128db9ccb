// Tables that memory does not hold: their numbers lie in a file without a name, and the bits are those of memory.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct CacheFileTests {
    private let folder = TemporaryFolder()

    /// Numbers, texts, dates, missing values, weights, names, and now and then a blank line.
    private func writeMixed(rows: Int) throws -> String {
      var numbers = MadeNumbers(5)
      var text = "a,colour,c,when,weight,name,y\n"
      for row in 0..<rows {
        let a = Double(numbers.next() % 2_000) / 64 - 15
        let colour = ["red", "green", "blue", "NA"][Int(numbers.below(4))]
        let c = numbers.below(20) == 0 ? "" : "\(numbers.next() % 1_000)"
        let day = 10 + Int(numbers.below(18))
        text += "\(a),\(colour),\(c),2024-0\(1 + numbers.below(9))-\(day),\(numbers.below(4)),n\(row),"
        text += "\(3 * a + Double(day))\n" + (row % 300 == 7 ? "\n" : "")
      }
      return try folder.write(text, to: "mixed.csv")
    }

    private func shell(_ line: String) throws -> Outcome {
      try Child(
        "bash", ["-c", line], environment: mpiEnvironment.merging(["TMPDIR": folder.path]) { _, new in new },
        directory: folder.path
      ).wait(limit: 300)
    }

    private func hash(_ arguments: [String], ranks: Int = 1) throws -> (hash: String, errors: String) {
      let out = folder("run-\(UInt32.random(in: 0 ... .max))")
      let outcome = try run(
        ranks: ranks, arguments + ["--quiet", "--output", out], environment: ["TMPDIR": folder.path])
      try #require(outcome.code == 0, "\(outcome)")
      return (try Trace(out + "/metrics.jsonl").finalHash, outcome.errors)
    }

    private static let wishes = [
      "--missing mean --dates parts --id name --weight weight",
      "--missing mean --dates parts --id name --weight weight --validation 0.2",
      "--missing mean --dates parts --exclude name --examples 700 --validation mixed.csv",
      "--missing drop --exclude name,when --validation 20%", "--features a,colour,name --missing drop",
      "--features a --no-standardize --lr 0.001",
    ]

    @Test(arguments: wishes) func theSameBits(_ wishes: String) throws {
      let data = try writeMixed(rows: 1_500)
      let arguments =
        ["--data", data, "--lr", "0.05"]
        + wishes.split(separator: " ").map { $0 == "mixed.csv" ? data : String($0) }
      let inMemory = try hash(arguments + ["--cache-file", "no"])
      #expect(!inMemory.errors.contains("lie in a file"))
      #expect(try hash(arguments).hash == inMemory.hash)
      for ranks in [1, 3] {
        let inFile = try hash(arguments + ["--cache-file", "yes"], ranks: ranks)
        #expect(inFile.hash == inMemory.hash, "\(ranks) ranks")
        #expect(inFile.errors.contains("note: the numbers of \(data) lie in a file in \(folder.path)"))
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("distsgd") }
          == [])
    }

    /// Of 360 MB that reading takes in memory, hardly any are taken by a process that may not have as much.
    @Test func memoryIsNotNeeded() throws {
      var numbers = MadeNumbers(6)
      let block = (0..<1_000).map { _ in
        (0..<20).map { _ in "\(numbers.next() % 1_000)" }.joined(separator: ",")
      }
      .joined(separator: "\n")
      let data = try folder.write(
        [String](repeating: block, count: 1_500).joined(separator: "\n") + "\n", to: "long.csv")
      func limited(_ choice: String) throws -> Outcome {
        try shell(
          "ulimit -d 300000; exec \(distsgd) --data \(data) --cache-file \(choice) --steps 20 --quiet --output \(folder("run-" + choice))"
        )
      }
      let inFile = try limited("yes")
      #expect(inFile.code == 0, "\(inFile)")
      let inMemory = try limited("no")
      #expect(inMemory.code == 64 && inMemory.errorLines.count == 1, "\(inMemory)")
    }

    @Test func aFullDiskAndNoFolderAreALine() throws {
      let data = try writeMixed(rows: 1_500)
      let arguments = ["--data", data, "--missing", "drop", "--exclude", "name,when", "--cache-file", "yes"]
      let none = try run(arguments, environment: ["TMPDIR": folder("none")])
      #expect(none.code == 73 && none.errorLines.count == 1, "\(none)")
      #expect(none.errors.contains("set TMPDIR to a folder that you may write to"), "\(none)")
      // A file may not become as long as the numbers take.
      let full = try shell(
        "ulimit -f 8; exec \(distsgd) \(arguments.joined(separator: " "))")
      #expect(full.code == 74 && full.errorLines.count == 1, "\(full)")
      #expect(full.errors.contains("cannot keep") && full.errors.contains("set TMPDIR"), "\(full)")
    }

    /// A checkpoint of a run from memory goes on from a file, and the other way.
    @Test func resume() throws {
      let data = try writeMixed(rows: 1_500)
      let arguments = [
        "--data", data, "--missing", "mean", "--dates", "parts", "--exclude", "name", "--lr", "0.05",
      ]
      let straight = try hash(arguments + ["--epochs", "4"])
      for (first, second) in [("yes", "no"), ("no", "yes")] {
        let out = folder("resumed-\(first)")
        let begun = try run(
          arguments + [
            "--epochs", "2", "--cache-file", first, "--checkpoint-every", "1epochs", "--quiet", "--output",
            out,
          ])
        try #require(begun.code == 0, "\(begun)")
        let resumed = try run(["--resume", out, "--epochs", "4", "--cache-file", second, "--quiet"])
        #expect(resumed.code == 0, "\(resumed)")
        #expect(try Trace(out + "/metrics.jsonl").finalHash == straight.hash)
      }
    }
  }
}
