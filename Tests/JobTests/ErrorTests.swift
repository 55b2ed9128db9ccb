// Every error a user can make, at one rank and at four: one line that says what and where, the right exit code,
// and an end.
import Foundation
import TestSupport
import Testing

/// A mistake, its exit code, and words that the message must have.
struct Mistake: Sendable, CustomTestStringConvertible {
  let name: String
  /// FILE stands for the file of `content`, FOLDER for an empty folder.
  let arguments: [String]
  let code: Int32
  let words: [String]
  var file: (name: String, content: [UInt8])?

  var testDescription: String { name }

  init(
    _ name: String, _ arguments: String, _ code: Int32, _ words: [String], file: String? = nil,
    text: String? = nil,
    bytes: [UInt8] = []
  ) {
    self.name = name
    self.arguments = arguments.split(separator: " ").map(String.init)
    self.code = code
    self.words = words
    if let file { self.file = (file, text.map { Array($0.utf8) } ?? bytes) }
  }

  private static let rows = (0..<200).map { "\($0 % 7),\($0 % 5),\($0)\n" }.joined()

  static let all = [
    // Data
    Mistake(
      "ragged row", "--data FILE", 65, ["bad.csv", "202"], file: "bad.csv", text: "a,b,y\n" + rows + "1,2\n"),
    Mistake(
      "text in a number column", "--data FILE", 65, ["bad.csv", "202", "red"], file: "bad.csv",
      text: "a,b,y\n" + rows + "1,red,3\n"),
    Mistake(
      "NaN in data", "--data FILE", 65, ["bad.csv", "202", "nan"], file: "bad.csv",
      text: "a,b,y\n" + rows + "1,nan,3\n"),
    Mistake(
      "Inf in data", "--data FILE", 65, ["bad.csv", "202", "inf"], file: "bad.csv",
      text: "a,b,y\n" + rows + "inf,1,3\n"),
    Mistake("empty file", "--data FILE", 65, ["empty.csv", "empty"], file: "empty.csv", text: ""),
    Mistake(
      "truncated IDX", "--data FILE,FILE --model softmax", 65, ["t-images-idx3-ubyte"],
      file: "t-images-idx3-ubyte",
      bytes: Array(idx([10, 4, 4], [UInt8](repeating: 1, count: 160)).dropLast(7))),
    Mistake(
      "wrong magic of IDX", "--data FILE,FILE --model softmax", 65, ["m-images-idx3-ubyte"],
      file: "m-images-idx3-ubyte",
      bytes: [7, 7] + idx([10, 4, 4], [UInt8](repeating: 1, count: 160)).dropFirst(2)),
    Mistake(
      "truncated npy", "--data FILE", 65, ["t.npy"], file: "t.npy",
      bytes: Array(npy("<f4", [10, 3], littleEndian([Float](repeating: 1, count: 30))).dropLast(5))),
    Mistake(
      "wrong magic of npy", "--data FILE", 65, ["m.npy"], file: "m.npy",
      bytes: Array("not an array at all".utf8)),
    Mistake(
      "one class", "--data FILE --model softmax", 65, ["labels.csv", "one class, '7'"], file: "labels.csv",
      text: "a,kind\n1,7\n2,7\n3,7\n4,7\n"),
    Mistake(
      "label that is no class", "--data FILE --model softmax", 65, ["labels.csv", "1.5"], file: "labels.csv",
      text: "a,kind\n1,0\n2,1\n3,1.5\n4,2\n"),
    Mistake(
      "unknown column", "--data FILE --target colour", 64, ["colour", "--target", "color"], file: "t.csv",
      text: "size,color\n1,2\n2,3\n3,4\n"),
    Mistake(
      "unknown input column", "--data FILE --features size,wieght --target color", 64, ["wieght", "weight"],
      file: "t.csv", text: "size,weight,color\n1,2,3\n2,3,4\n3,4,5\n"),
    Mistake("missing file", "--data FOLDER/none.csv", 66, ["none.csv"]),
    Mistake("file below a file", "--data FILE/x.csv", 66, ["x.csv"], file: "t.csv", text: "1,2\n"),
    Mistake("a folder as a file", "--data FOLDER", 66, ["folder without images"]),
    Mistake("missing weights", "--initialize FOLDER/none.safetensors", 66, ["none.safetensors"]),
    Mistake(
      "weights that are none", "--initialize FILE", 65, ["w.safetensors"], file: "w.safetensors",
      bytes: [UInt8](repeating: 0x41, count: 100)),
    // Numbers
    Mistake("batch of 0", "--global-batch 0", 64, ["--global-batch 0", "at least 1"]),
    Mistake("negative batch", "--global-batch=-5", 64, ["--global-batch -5"]),
    Mistake("batch above the examples", "--global-batch 1501", 64, ["--global-batch 1501", "1500"]),
    Mistake("fewer shards than ranks", "--shards 0", 64, ["--shards 0"]),
    Mistake("no epochs", "--epochs 0", 64, ["--epochs 0"]),
    Mistake("no steps", "--steps 0", 64, ["--steps 0"]),
    Mistake("no copies", "--duplicate 0", 64, ["--duplicate 0"]),
    Mistake("micro-batch of 0", "--micro-batch 0", 64, ["--micro-batch 0"]),
    Mistake("learning rate 0", "--learning-rate 0", 64, ["--learning-rate 0"]),
    Mistake("negative learning rate", "--lr=-0.1", 64, ["--learning-rate -0.1"]),
    Mistake("learning rate NaN", "--lr nan", 64, ["--learning-rate nan"]),
    Mistake("infinite learning rate", "--lr inf", 64, ["--learning-rate inf"]),
    Mistake("a word for a number", "--epochs many", 64, ["many", "--epochs"]),
    Mistake("validation above 1", "--validation 1.5", 64, ["--validation 1.5"]),
    // Names
    Mistake("unknown model", "--model liner", 64, ["liner", "did you mean 'linear'"]),
    Mistake("mlp without widths", "--model mlp", 64, ["mlp", "256,128"]),
    Mistake("unknown data", "--data airfoil-lik", 64, ["airfoil-lik", "did you mean 'airfoil-like'"]),
    Mistake("unknown sampling", "--sampling shufle", 64, ["shufle", "--sampling"]),
    Mistake("unknown option", "--learnig-rate 1", 64, ["--learnig-rate"]),
    Mistake(
      "model that does not fit", "--model softmax", 64, ["--model softmax", "airfoil-like", "not classes"]),
    Mistake(
      "loss that does not fit", "--data FILE --model mlp:3 --loss cross-entropy", 65, ["loss.csv"],
      file: "loss.csv", text: "1,0.5\n2,0.25\n3,1\n4,2\n"),
    // Output
    Mistake(
      "output below a file", "--output FILE/run", 73, ["--output", "t.csv"], file: "t.csv", text: "1,2\n"),
    Mistake(
      "output that is a file", "--output FILE", 73, ["--output", "t.csv"], file: "t.csv", text: "1,2\n"),
    Mistake("output where nothing can be", "--output /proc/run", 73, ["--output", "/proc/run"]),
    Mistake(
      "output that holds a run", "--output FOLDER", 73, ["--output", "already"], file: "metrics.jsonl",
      text: "{}\n"),
    // Training
    Mistake("diverging loss", "--learning-rate 5 --epochs 100", 76, ["step", "--learning-rate", "5.0"]),
    Mistake("loss that overflows at once", "--learning-rate 1e38 --epochs 100", 76, ["--learning-rate"]),
  ]
}

extension JobTests {
  @Suite struct ErrorTests {
    private let folder = TemporaryFolder()

    @Test("error", arguments: Mistake.all, [1, 4]) func oneLineAndTheCode(_ mistake: Mistake, _ ranks: Int)
      throws
    {
      let file = try mistake.file.map { try folder.write($0.content, to: $0.name) } ?? "no file"
      var arguments = mistake.arguments.map {
        $0.replacingOccurrences(of: "FILE", with: file).replacingOccurrences(of: "FOLDER", with: folder.path)
      }
      if mistake.name == "fewer shards than ranks" && ranks > 1 { arguments = ["--shards", "\(ranks - 1)"] }
      let ownOutput = arguments.contains("--output")
      if !ownOutput { arguments += ["--output", folder("run")] }
      let outcome = try run(ranks: ranks, arguments, limit: 30)
      #expect(!outcome.hung, "\(outcome)")
      #expect(outcome.code == mistake.code, "\(outcome)")
      try #require(outcome.errorLines.count == 1, "one line from one rank: \(outcome)")
      let line = outcome.errorLines[0]
      let words =
        ranks > 1
        ? mistake.words.map { $0.replacingOccurrences(of: "--shards 0", with: "--shards 3") } : mistake.words
      for word in words {
        #expect(line.lowercased().contains(word.lowercased()), "'\(word)' is not in: \(line)")
      }
      for sign in ["Fatal error", "Crash", "crashed", "Illegal instruction", "Backtrace", "SIG"] {
        #expect(!outcome.errors.contains(sign), "a trap: \(outcome)")
      }
      if ranks == 1 {
        #expect(
          outcome.errors.split(separator: "\n").count { !$0.hasPrefix("distsgd: warning: ") } <= 1
            || mistake.code == 76, "\(outcome)")
      }
      print(
        "error test: \(mistake.name), \(ranks) rank\(ranks == 1 ? "" : "s"): \(String(format: "%.2f", outcome.seconds)) s"
      )
    }

    /// Whatever a run cannot do, a file that is there stays as it is.
    @Test func aRunThatIsThereStays() throws {
      let first = try run(["--quiet", "--output", folder("run")])
      try #require(first.code == 0, "\(first)")
      let before = try ["metrics.jsonl", "timings.csv", "model.safetensors"].map {
        try Data(contentsOf: URL(fileURLWithPath: folder("run/\($0)")))
      }
      for ranks in [1, 4] {
        let second = try run(ranks: ranks, ["--quiet", "--output", folder("run")], limit: 30)
        #expect(second.code == 73 && second.errorLines.count == 1, "\(second)")
      }
      let after = try ["metrics.jsonl", "timings.csv", "model.safetensors"].map {
        try Data(contentsOf: URL(fileURLWithPath: folder("run/\($0)")))
      }
      #expect(before == after)
    }

    /// A file without permission to read. Root may read all: then the test says so and is no test.
    @Test(
      .enabled(if: geteuid() != 0, "root reads every file; 'file below a file' stands for it"),
      arguments: [1, 4])
    func unreadableFile(_ ranks: Int) throws {
      let file = try folder.write("1,2\n3,4\n", to: "secret.csv")
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file)
      let outcome = try run(ranks: ranks, ["--data", file], limit: 30)
      #expect(outcome.code == 66 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("secret.csv"))
    }

    /// A diverged run has told every step until then.
    @Test(arguments: [1, 4]) func aDivergedRunKeepsItsMetrics(_ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks,
        ["--lr", "20", "--epochs", "100", "--log-every", "1", "--output", folder("run\(ranks)")], limit: 30)
      #expect(outcome.code == 76, "\(outcome)")
      let events = try readMetrics(folder("run\(ranks)/metrics.jsonl"))
      let steps = events.filter { $0.name == "step" }.map { $0.number("step") }
      try #require(steps.count > 5)
      #expect(steps == (1...steps.count).map(Double.init))
      #expect(outcome.errorLines.first?.contains("step \(steps.count + 1) of epoch 2") == true, "\(outcome)")
    }
  }
}
