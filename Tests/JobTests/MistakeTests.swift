// Programs of users of the library that make a mistake: one line says which, and the job ends.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct MistakeTests {
    static let mistakes: [(name: String, code: Int32, words: String)] = [
      ("inputs", 64, "the model takes 3 inputs and the data have 2: make it with inputs: 2"),
      ("outputs", 64, "the model makes 2 outputs and the loss squared takes 1 for these data"),
      ("classes", 64, "the model makes 7 outputs and the loss cross-entropy takes 2 for these data"),
      ("label", 65, "label 7 of example 2: 2 classes are numbered 0 to 1"),
      ("negative-label", 65, "label -1 of example 2"),
      ("loss", 64, "the loss cross-entropy needs classes"),
      ("targets", 64, "the loss squared needs values"),
      ("few-inputs", 65, "3 numbers are not 2 examples of 2 inputs: 4 would be right"),
      ("few-targets", 65, "1 target for 2 examples: give one for each"),
      ("no-examples", 65, "there are 0 examples of 2 inputs"),
      ("shape", 65, "an example of the shape [1, 2, 2] has not 2 inputs"),
      ("batch", 64, "a global batch of 3: the data have 2 examples"),
      ("no-batch", 64, "a global batch of 0: the data have 2 examples"),
      ("other-data", 64, "the model takes 2 inputs and the data have 3"),
      ("diverges", 76, "lower the learning rate"),
    ]

    private func run(_ name: String, ranks: Int) throws -> Outcome {
      try runMistake(
        program: (distsgd as NSString).deletingLastPathComponent + "/mistakes", ranks: ranks, name)
    }

    @Test(arguments: mistakes, [1, 2]) func isToldInOneLine(
      _ mistake: (name: String, code: Int32, words: String), ranks: Int
    ) throws {
      let outcome = try run(mistake.name, ranks: ranks)
      #expect(outcome.code == mistake.code && outcome.errorLines.count == 1, "\(outcome)")
      #expect(
        outcome.errors.contains("distsgd: error: ") && outcome.errors.contains(mistake.words), "\(outcome)")
      #expect(outcome.output.isEmpty, "\(outcome)")
    }

    @Test(arguments: [1, 2]) func withoutAMistakeItTrains(ranks: Int) throws {
      let outcome = try run("none", ranks: ranks)
      #expect(outcome.code == 0 && outcome.output.hasPrefix("trained: loss: "), "\(outcome)")
    }

    /// A loop of a user's own, of which a rank stands still.
    @Test func aStoppedRankEndsTheJob() throws {
      let outcome = try run("stands-still", ranks: 3)
      #expect(outcome.code == 70 && outcome.errors.contains("rank 1 on "), "\(outcome)")
      #expect(outcome.errors.contains("its process is stopped or starved"), "\(outcome)")
    }
  }
}

private func runMistake(program: String, ranks: Int, _ name: String) throws -> Outcome {
  try run(program: program, ranks: ranks, [name], limit: 60)
}
