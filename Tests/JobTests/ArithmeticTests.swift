// The portable arithmetic is what docs/arithmetic.md says: a second program, written from that page, has the same bits.
import Foundation
import TestSupport
import Testing

/// A training that both programs do.
struct AgainCase: Sendable, CustomTestStringConvertible {
  var activation = "relu"
  var loss = "cross-entropy"
  var sampling = "shuffle"
  var shards = 3
  var batch = 16
  var momentum = 0.9
  var decay = 0.01
  /// More words for the program.
  var words: [String] = []

  var testDescription: String {
    "\(activation), \(loss), \(sampling), \(shards) shards, batch \(batch), \(momentum), \(decay), \(words)"
  }

  static let all = [
    AgainCase(sampling: "sequential"),
    AgainCase(activation: "tanh", words: ["--micro-batch", "2"]),
    AgainCase(activation: "sigmoid", loss: "squared", momentum: 0, decay: 0),
    AgainCase(activation: "tanh", loss: "squared", momentum: 0),
    AgainCase(batch: 2, decay: 0),
    // A whole epoch in one shard, and in parts of it.
    AgainCase(loss: "squared", shards: 1, batch: 70),
    AgainCase(loss: "squared", shards: 1, batch: 70, words: ["--micro-batch", "9"]),
  ]
}

extension JobTests {
  @Suite struct ArithmeticTests {
    private let folder = TemporaryFolder()
    private let again: String
    private let numbers, classes: String

    init() throws {
      again = folder("again")
      let compiled = try Child(
        "cc",
        [
          "-std=c11", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror",
          packageFolder + "/Tests/Arithmetic/again.c", "-lm", "-o", again,
        ]
      ).wait(limit: 60)
      try #require(compiled.code == 0, "\(compiled)")
      // 70 rows: the last batch of 16 has 6, which 3 shards share evenly; 16 they do not.
      numbers = try folder.writeMadeNumbers(rows: 70, columns: 6)
      classes = try folder.writeMadeClasses(rows: 70, columns: 6, classes: 4)
    }

    private func data(_ test: AgainCase) -> String { test.loss == "squared" ? numbers : classes }

    /// The bytes of a model's parameters, as it is saved.
    private func trained(_ test: AgainCase, ranks: Int) throws -> [UInt8] {
      let output = folder("run-\(ranks)")
      let settings =
        (test.momentum > 0 ? ["momentum=\(test.momentum)"] : [])
        + (test.decay > 0 ? ["weight-decay=\(test.decay)"] : [])
      let optimizer = settings.isEmpty ? "sgd" : "sgd:" + settings.joined(separator: ",")
      let outcome = try run(
        ranks: ranks,
        [
          "--arithmetic", "portable", "--data", data(test), "--no-standardize", "--model", "mlp:8,5",
          "--activation", test.activation, "--loss", test.loss, "--sampling", test.sampling, "--seed", "7",
          "--shards", "\(test.shards)", "--global-batch", "\(test.batch)", "--epochs", "3", "--lr", "0.1",
          "--optimizer", optimizer, "--quiet", "--output", output,
        ] + test.words)
      try #require(outcome.code == 0, "\(outcome)")
      let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: output + "/model.safetensors")))
      let header = file[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
      return Array(file[(8 + header)...])
    }

    private func trainedAgain(_ test: AgainCase, _ words: [String] = []) throws -> [UInt8] {
      let output = folder("again.bytes")
      let files = data(test).split(separator: ",").map(String.init)
      let outcome = try Child(
        "bash",
        [
          "-c", "\"$@\" > \"$0\"", output, again, files[0], files[1], "8,5", test.activation, test.loss,
          test.sampling, "7", "\(test.shards)", "\(test.batch)", "3", "0.1", "\(test.momentum)",
          "\(test.decay)",
        ] + words
      ).wait(limit: 60)
      try #require(outcome.code == 0, "\(outcome)")
      return try [UInt8](Data(contentsOf: URL(fileURLWithPath: output)))
    }

    @Test(arguments: AgainCase.all) func aSecondProgramHasTheSameBits(_ test: AgainCase) throws {
      let expected = try trainedAgain(test)
      #expect(expected.count > 400)
      for ranks in Set([1, test.shards]) {
        let isEqual = try trained(test, ranks: ranks) == expected
        #expect(isEqual, "\(ranks) ranks")
      }
    }

    /// The test above can fail: in another order the sums over rows have other bits.
    @Test func anotherOrderHasOtherBits() throws {
      let test = AgainCase()
      #expect(try trainedAgain(test, ["backwards"]) != trainedAgain(test))
    }
  }
}

/// The page has the program's numbers, and the second program has the page's.
@Suite struct ArithmeticPageTests {
  /// The hexadecimal numbers in a text, by their values.
  private func numbers(_ path: String, from start: String, to end: String) throws -> Set<Float> {
    let text = try readFile(packageFolder + "/" + path)
    let part = try #require(text.range(of: start)).lowerBound..<#require(text.range(of: end)).upperBound
    let expression = /0x[01](?:\.[0-9a-f]+)?p[+-][0-9]+/
    return Set(text[part].matches(of: expression).compactMap { Float(String($0.output)) })
  }

  @Test func thePageHasTheProgramsPolynomials() throws {
    let page = try numbers("docs/arithmetic.md", from: "**Parts of", to: "0.8 and 0.925")
    let program = try numbers(
      "Sources/CKernels/portable_functions.h", from: "exponential_parts", to: "float error_function(float")
    #expect(page == program && page.count > 40)
    let again = try numbers(
      "Tests/Arithmetic/again.c", from: "static float parts", to: "static float activated")
    #expect(again.isSubset(of: page) && again.count > 15)
  }
}
