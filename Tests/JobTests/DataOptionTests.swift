// Every option about data, through all that takes up a run's options again: resume, reproduce, verify, sweep.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct DataOptionTests {
    private let folder = TemporaryFolder()

    /// A name for what is tried, and its words; files are those that `writeFiles` makes.
    struct Wish: CustomTestStringConvertible, Sendable {
      var description: String
      var words: [String]
      var testDescription: String { description }

      init(_ words: String) {
        description = words
        self.words = words.split(separator: " ").map(String.init)
      }
    }

    static let wishes = [
      "--data t.csv --missing drop --exclude id,when",
      "--data t.csv --missing mean --id id --dates parts --weight w",
      "--data t.csv --missing mean --exclude id,when,w --target z,y",
      "--data t.csv --features a,colour --target y --header yes --validation 0.2",
      "--data t.csv --features 1-3 --missing mean --target 8 --examples 90",
      "--data t.csv --missing mean --exclude 4-6 --validation t.csv --cache-file yes",
      "--data n.csv --task classification --header no --missing-value=-999 --missing mean --validation n.csv",
      "--data n.csv --task classification --missing-value=-999,-998 --missing drop --validation 20% --no-standardize",
      "--data n.csv --task regression --missing-value=-999 --missing-value=-998 --missing drop --exclude 1",
      "--data x.npy,l.npy --validation 25%", "--data x.npy,l.npy --standardize --validation x.npy,l.npy",
      "--data pictures --validation test --image-size 5x4", "--data pictures --image-size 4 --validation 0.5",
      "--data parts.npz --validation test",
    ].map { Wish($0) }

    private func writeFiles() throws {
      var numbers = MadeNumbers(9)
      var table = "a,b,colour,when,w,id,z,y\n"
      var plain = ""
      for row in 0..<120 {
        let (a, b) = (numbers.float(), row % 17 == 3 ? "" : "\(numbers.float())")
        let colour = ["red", "green", "blue"][Int(numbers.below(3))]
        table += "\(a),\(b),\(colour),2024-0\(1 + row % 9)-\(10 + row % 18),\(row % 3),n\(row),"
        table += "\(numbers.float()),\(a + numbers.float())\n"
        plain +=
          "\(numbers.float()),\(numbers.float()),\(row % 11 == 0 ? "-999" : "\(row % 5)"),\(row % 3 + 1)\n"
      }
      try folder.write(table, to: "t.csv")
      try folder.write(plain, to: "n.csv")
      let x = (0..<120 * 4).map { _ in numbers.float() }
      let inputs = npy("<f4", [120, 4], littleEndian(x))
      let labels = npy("|S2", [120], (0..<120).flatMap { Array(["no", "ok"][$0 * 7 % 5 % 2].utf8) })
      try folder.write(inputs, to: "x.npy")
      try folder.write(labels, to: "l.npy")
      try folder.write(ReferenceFiles.array("npz keras"), to: "parts.npz")
      for part in ["train", "test"] {
        for (place, name) in ["png colour", "jpeg colour"].enumerated() {
          for number in 0..<6 {
            let file = "pictures/\(part)/\(["cat", "dog"][(place + number) % 2])/\(number)-\(place)"
            try FileManager.default.createDirectory(
              atPath: (folder(file) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try folder.write(ReferenceFiles.picture(name), to: file)
          }
        }
      }
    }

    private func distsgdHere(_ words: [String]) throws -> Outcome {
      let outcome = try run(words, environment: ["TMPDIR": folder.path], directory: folder.path)
      #expect(outcome.code == 0, "\(words.joined(separator: " ")): \(outcome)")
      return outcome
    }

    @Test(arguments: wishes) func areTakenUpAgain(_ wish: Wish) throws {
      try writeFiles()
      let words = wish.words + ["--lr", "0.05", "--seed", "3", "--global-batch", "4"]
      _ = try distsgdHere(words + ["--epochs", "4", "--quiet", "--output", "straight"])
      _ = try distsgdHere(
        words + ["--epochs", "2", "--checkpoint-every", "1epochs", "--quiet", "--output", "stopped"])
      _ = try distsgdHere(["--resume", "stopped", "--epochs", "4", "--quiet"])
      let hash = try Trace(folder("straight/metrics.jsonl")).finalHash
      #expect(!hash.isEmpty)
      #expect(try Trace(folder("stopped/metrics.jsonl")).finalHash == hash)
      let reproduced = try distsgdHere(["reproduce", "straight"])
      #expect(reproduced.output.contains(hash), "\(reproduced)")
      let verified = try distsgdHere(["verify", "--ranks", "1,2"] + words + ["--steps", "3"])
      #expect(verified.output.contains("every step the same"), "\(verified)")
      let common = wish.words + ["--epochs", "1", "--lr", "0.01,0.05", "--output", "swept"]
      let swept = try distsgdHere(["sweep"] + common)
      #expect(swept.output.contains(", η 0.05: loss: "), "\(swept)")
    }
  }
}
