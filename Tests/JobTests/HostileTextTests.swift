// Names that others gave, full of what a terminal or a page would obey, through every command that prints or writes:
// nothing of it arrives.
import Foundation
import TestSupport
import Testing

/// A piece of text that must not be shown as it is: what it does, and its characters.
private let corpus: [(what: String, text: String)] = [
  ("colours, title and clipboard of a terminal", "\u{1B}[31m\u{1B}]0;owned\u{7}\u{1B}]52;c;eA==\u{7}"),
  ("its line again", "\rloss: 0.000\u{8}\u{8}\u{B}\u{C}\t\u{7F}"),
  ("C1 codes", "\u{85}\u{90}\u{9B}31m\u{9D}\u{9F}"),
  ("the other direction", "\u{202A}\u{202B}\u{202D}\u{202E}txt.exe\u{202C}\u{2066}\u{2067}\u{2068}\u{2069}"),
  (
    "more of that, and nothing to see",
    "\u{61C}\u{200E}\u{200F}\u{200B}\u{2060}\u{FEFF}\u{AD}\u{E0001}\u{1D173}"
  ),
  ("other lines", "\u{2028}\u{2029}"), ("a line of its own", "\ndistsgd: error: not at all"),
]

/// Every character of the corpus that may be in a file's name, and what HTML would obey.
private let hostile = corpus.map(\.text).joined() + "<script>alert(1)</script>&\"'"

/// For a folder: without the slash.
private let hostileName = hostile.replacingOccurrences(of: "/", with: "")

extension JobTests {
  @Suite struct HostileTextTests {
    private let folder = TemporaryFolder()

    /// The first character that should have been written out; line feeds are ours.
    private func unseen(in text: String) -> String? {
      let found = text.unicodeScalars.first {
        switch $0.properties.generalCategory {
        case .control: $0 != "\n"
        case .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
      }
      return found.map { "U+" + String($0.value, radix: 16) }
    }

    /// Runs a command; what it says must be clean, with one line of error or none.
    @discardableResult
    private func expectClean(
      ranks: Int = 1, _ arguments: [String], code: Int32?, environment: [String: String?] = [:],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
      let outcome = try run(ranks: ranks, arguments, environment: environment, directory: folder.path)
      let name = arguments.first ?? ""
      if let code { #expect(outcome.code == code, "\(name): \(outcome)", sourceLocation: sourceLocation) }
      for (stream, text) in [("output", outcome.output), ("errors", outcome.errors)] {
        let found = unseen(in: text)
        #expect(found == nil, "\(name): \(found!) in its \(stream): \(text)", sourceLocation: sourceLocation)
        #expect(
          !text.contains("\ndistsgd: error: not at all"), "\(name): \(stream)", sourceLocation: sourceLocation
        )
      }
      let expected = outcome.code == 0 || outcome.code == 75 ? 0 : 1
      #expect(outcome.errorLines.count == expected, "\(name): \(outcome)", sourceLocation: sourceLocation)
      return outcome
    }

    /// All text files in a folder and below.
    private func expectCleanFiles(
      _ path: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation
    )
      throws
    {
      var seen = 0
      for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
        guard let ending = name.split(separator: ".").last,
          ["jsonl", "json", "csv", "svg", "html", "yaml"].contains(ending)
        else { continue }
        seen += 1
        let text = try readFile(path + "/" + name)
        let found = unseen(in: text)
        #expect(found == nil, "\(found!) in \(name)", sourceLocation: sourceLocation)
        #expect(
          ending != "html" && ending != "svg" || !text.contains("<script"), sourceLocation: sourceLocation)
      }
      #expect(seen == count, sourceLocation: sourceLocation)
    }

    private func write(_ text: String, to name: String) throws -> String {
      let path = folder(name)
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      return try folder.write(text, to: name)
    }

    /// A table whose name and columns are hostile.
    private func table(_ kinds: Bool = false) throws -> String {
      func column(_ name: String) -> String {
        let text = (name + hostile).replacingOccurrences(of: "\n", with: "")
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
      }
      var text = "\(column("a")),\(column("b")),\(column("y"))\n"
      for row in 0..<200 { text += "\(row % 7),\(row % 5).5,\(kinds ? row % 3 : row % 7 + row % 5)\n" }
      return try write(text, to: "d-\(hostileName)/t-\(kinds)\(hostileName.prefix(60)).csv")
    }

    private func folderName(_ name: String) -> String { folder("\(name)-\(hostileName)") }

    @Test(arguments: [1, 3]) func trainStopResumeEvaluatePredict(_ ranks: Int) throws {
      let data = try table()
      let output = folderName("run\(ranks)")
      try expectClean(
        ranks: ranks,
        ["--data", data, "--steps", "20", "--log-every", "1", "--checkpoint-every", "5", "--output", output],
        code: 0)
      try expectCleanFiles(output, count: 6)
      try expectClean(ranks: ranks, ["--resume", output], code: 0)
      try expectClean(ranks: ranks, ["--resume", output, "--steps", "30", "--lr", "0.3"], code: 64)
      try expectClean(ranks: ranks, ["--data", data, "--output", output], code: 73)
      let model = output + "/model.safetensors"
      for arguments in [["--json"], []] {
        try expectClean(ranks: ranks, ["evaluate", "--model", model, "--data", data] + arguments, code: 0)
      }
      let predicted = try expectClean(ranks: ranks, ["predict", "--model", model, "--data", data], code: 0)
      #expect(predicted.output.split(separator: "\n").count == 201)
      try expectClean(
        ranks: ranks, ["predict", "--model", model, "--data", folder.write("p,q\n1,2\n", to: "other.csv")],
        code: 65)
      // Damage is told by the checkpoint's name.
      let checkpoints = output + "/checkpoints"
      for name in try FileManager.default.contentsOfDirectory(atPath: checkpoints) {
        try Data("x".utf8).write(to: URL(fileURLWithPath: checkpoints + "/" + name))
      }
      try expectClean(ranks: ranks, ["--resume", output, "--steps", "30"], code: nil)
    }

    /// A run that is stopped tells how to go on.
    @Test func aStoppedRun() throws {
      let output = folderName("stopped")
      let child = try start(ranks: 1, ["--epochs", "100000000", "--quiet", "--output", output])
      while child.isRunning, !FileManager.default.fileExists(atPath: output + "/metrics.jsonl") {
        usleep(1_000)
      }
      // The handlers are in place a little later; a signal before that ends the process as any other.
      usleep(500_000)
      kill(child.identifier, SIGTERM)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75, "\(outcome)")
      #expect(unseen(in: outcome.errors) == nil && outcome.errors.contains("--resume"), "\(outcome)")
    }

    @Test func theOtherCommands() throws {
      let data = try table()
      let quick = ["--data", data, "--output"]
      for (name, arguments, count) in [
        ("chapter", ["chapter"], nil),
        ("sweep", ["sweep", "--global-batch", "10,20", "--lr", "0.01", "--epochs", "1"], 7),
        ("sweep of one", ["sweep", "--global-batch", "10", "--lr", "0.01", "--epochs", "1", "--json"], nil),
        ("noise", ["bench", "noise", "--batches", "8,32", "--samples", "20"], nil),
        ("step", ["bench", "step", "--global-batch", "20", "--rounds", "3"], nil),
      ] as [(String, [String], Int?)] {
        let output = folderName(name)
        let outcome = try expectClean(arguments + quick + [output], code: nil)
        guard outcome.code == 0 else {
          // Not every one takes these options; then that is what it says.
          #expect(outcome.code == 64, "\(outcome)")
          continue
        }
        let files = try FileManager.default.subpathsOfDirectory(atPath: output)
        try expectCleanFiles(output, count: count ?? files.count)
      }
      for bench in [
        ["matmul", "--sizes", "64"], ["gather", "--global-batch", "8"], ["roofline", "--sizes", "64"],
      ] {
        try expectClean(["bench"] + bench + ["--output", folderName(bench[0])], code: nil)
      }
      try expectClean(["verify", "--ranks", "1,2", "--data", data, "--steps", "3"], code: 0)
      try expectClean(["verify", "--ranks", "1,2", "--data", data + "none", "--steps", "3"], code: 66)
      try expectClean(["bench", hostile], code: 64)
    }

    /// Every option, with each piece of the corpus for its value, where a word is expected and where a file is.
    @Test(arguments: corpus.indices) func mistakes(_ index: Int) throws {
      let text = corpus[index].text
      for option in [
        "--data", "--target", "--features", "--validation", "--model", "--loss", "--activation",
        "--initialize",
        "--global-batch", "--lr", "--schedule", "--sampling", "--seed", "--resume", "--checkpoint-every",
        "--inject",
        "--bind", "--no-such-option", text,
      ] {
        try expectClean([option, "x" + text, "--steps", "1", "--quiet", "--output", folder("no")], code: nil)
        try? FileManager.default.removeItem(atPath: folder("no"))
      }
      try expectClean([text], code: 64)
      try expectClean(["--output", "/proc/" + text], code: 73)
      for command in ["evaluate", "predict"] {
        try expectClean([command, "--model", text, "--data", text], code: 66)
        let file = try write("x" + text, to: "no model \(text.replacingOccurrences(of: "/", with: ""))")
        try expectClean([command, "--model", file, "--data", file], code: 65)
      }
      try expectClean(
        ["--steps", "1", "--quiet", "--output", folder("core")], code: nil,
        environment: ["OPENBLAS_CORETYPE": "x" + text])
      try? FileManager.default.removeItem(atPath: folder("core"))
    }

    /// What a stranger's model and checkpoint say of themselves.
    @Test func metadataOfOthers() throws {
      let data = try folder.write("a,b,y\n1,2,3\n3,4,5\n5,7,9\n", to: "plain.csv")
      try expectClean(
        [
          "--data", data, "--global-batch", "3", "--steps", "2", "--checkpoint-every", "1", "--output",
          folder("run"),
        ],
        code: 0)
      let model = Array(try Data(contentsOf: URL(fileURLWithPath: folder("run/model.safetensors"))))
      let length = model[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
      var header = try #require(
        try JSONSerialization.jsonObject(with: Data(model[8..<8 + length])) as? [String: Any])
      let metadata = try #require(header["__metadata__"] as? [String: String])
      for key in metadata.keys.sorted() {
        for text in [hostile, metadata[key]! + hostile] {
          var changed = metadata
          changed[key] = text
          header["__metadata__"] = changed
          let bytes = try JSONSerialization.data(withJSONObject: header)
          let count = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
          let path = try folder.write(
            count + Array(bytes) + model[(8 + length)...], to: "changed.safetensors")
          try expectClean(["predict", "--model", path, "--data", data], code: nil)
          try expectClean(["evaluate", "--model", path, "--data", data, "--json"], code: nil)
        }
      }
    }
  }
}
