// The timeline of a run, as ArgumentParser sees it.
import ArgumentParser
import Runs

/// What only `train` has: a recording of some steps.
struct TraceArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Record some steps of all ranks as a timeline in Chrome's trace event format, for Perfetto.",
      valueName: "file"))
  var trace: String?

  @Option(
    help: ArgumentHelp(
      "Which steps, both included. (default: twenty, after ten to warm up)", valueName: "first:last"),
    transform: parseSteps)
  var traceSteps: ClosedRange<Int>?

  func validate() throws {
    guard trace != nil || traceSteps == nil else {
      throw ValidationError("--trace-steps: nothing is recorded; name a file by --trace, or leave it out")
    }
  }

  func apply(to options: inout TrainingOptions) {
    options.trace = trace.map { TraceOptions(path: $0, steps: traceSteps) }
  }
}

/// `--trace-steps`'s value.
private func parseSteps(_ text: String) throws -> ClosedRange<Int> {
  guard let steps = TraceOptions.steps(text) else {
    throw ValidationError(
      "'\(text)' should be the first and the last step, from 1, such as 100:120, and at most \(TraceOptions.stepLimit) of them"
    )
  }
  return steps
}
