// How a job runs, what it tells, and what it keeps, as ArgumentParser sees it.
import ArgumentParser
import DistributedSGD
import NeuralNet
import Runs
import System

/// `--log-format`'s values. The program looks for it before anything is parsed, so that mistakes are objects too.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json

  /// Has all lines be objects from now on, where the words of a command line ask for it.
  static func apply(_ words: [String]) {
    for (place, word) in words.enumerated() {
      let follows = words.dropFirst(place + 1).first == json.rawValue
      if word == "--log-format=json" || word == "--log-format" && follows { ConsoleStyle.useJSON() }
    }
  }
}

struct JobArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Options from a file, by their names: 'epochs: 3', a line each; the command line wins.",
      valueName: "file.yaml"))
  var config: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examples between evaluations. (default: an epoch)", valueName: "n"))
  var evaluateEvery: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Updates between lines in metrics.jsonl.", valueName: "steps")
  )
  var logEvery = 10

  @Flag(help: "Write the parameters' hash with every logged step.")
  var logHashes = false

  @Flag(help: "Write what TensorBoard shows of a run to its folder.")
  var tensorboard = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("BLAS threads of a rank; another number may change last bits.", valueName: "t"))
  var threads = 1

  @Option(
    help: ArgumentHelp(
      "none, or core: bind every rank to its share of the server's cores.", valueName: "none|core"))
  var bind = Binding.none

  @Option(
    help: ArgumentHelp(
      "Gradients that travel between servers together: 256k, 4m. (default: about 4 ms of the network, measured)",
      valueName: "bytes"), transform: parseByteCount)
  var bucketSize: ByteCount?

  @Option(
    help: ArgumentHelp(
      "How servers exchange gradients: direct, each with each; rounds, log2 of their number. (default: the quicker)",
      valueName: "direct|rounds"))
  var messages: Travel.Route?

  @Option(
    help: ArgumentHelp(
      "What gradients and updates are rounded to: with 16 bits half as much travels between servers, on any ranks the same.",
      valueName: "fp32|bf16|fp16"))
  var wire = GradientFormat.fp32

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Compare the ranks' parameters every so many updates.", valueName: "steps"))
  var checkEvery = 100

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "End the job when a rank is waited for so long; 0 waits for ever.", valueName: "seconds"),
    transform: parseNumber)
  var timeout = 60.0

  @Option(
    help: ArgumentHelp(
      "Evaluate, write a checkpoint and the model, and end, when the program has run for so long: 90s, 55m, 3h, 2d.",
      valueName: "time"), transform: parseTimeLimit)
  var timeLimit: TimeLimit?

  @Option(help: ArgumentHelp("The run's folder. (default: runs/<UTC time>)", valueName: "dir"))
  var output: String?

  @Flag(help: "Print the final line only, and that of the validation.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Lines for people, or one JSON object for each of them, on both streams.", valueName: "text|json"))
  var logFormat = LogFormat.text

  func apply(to options: inout TrainingOptions) {
    options.evaluateEvery = evaluateEvery
    options.logEvery = logEvery
    options.logsHashes = logHashes
    options.writesEvents = tensorboard
    options.threads = threads
    options.binding = bind
    options.bucketSize = bucketSize
    options.messages = messages
    options.wire = wire
    options.checkEvery = checkEvery
    options.timeout = timeout
    options.timeLimit = timeLimit
    options.output = output
    options.isQuiet = quiet
  }
}

/// What only `train` has: checkpoints, going on from them, and the faults of the drill.
struct CheckpointArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write a checkpoint every so often: 500 (steps), 30s, 10m, 1epoch. (default: only when asked to stop)",
      valueName: "interval"),
    transform: parseInterval)
  var checkpointEvery: CheckpointInterval?

  @Option(parsing: .unconditional, help: ArgumentHelp("Keep the newest K checkpoints.", valueName: "k"))
  var keep = 3

  @Option(help: ArgumentHelp("Go on with the run in DIR, at its newest checkpoint.", valueName: "dir"))
  var resume: String?

  @Option(
    help: ArgumentHelp("A fault for the fault drill: \(Fault.forms).", visibility: .hidden),
    transform: parseFault)
  var inject: [Fault] = []

  @Flag(help: "Resume although the data are not those of the run.")
  var acceptOtherData = false

  @Flag(help: "Resume although OpenBLAS uses another kernel here.")
  var acceptOtherKernel = false

  func apply(to options: inout TrainingOptions) {
    options.checkpointEvery = checkpointEvery
    options.checkpointsKept = keep
    options.acceptsOtherKernel = acceptOtherKernel
    options.faults = inject
  }

  var allowances: Resumption.Allowances {
    var allowances = Resumption.Allowances()
    allowances.otherData = acceptOtherData
    allowances.otherKernel = acceptOtherKernel
    return allowances
  }
}

/// `--checkpoint-every`'s value.
private func parseInterval(_ text: String) throws -> CheckpointInterval {
  guard let interval = CheckpointInterval(text) else {
    throw ValidationError("'\(text)' should be \(CheckpointInterval.forms)")
  }
  return interval
}

/// `--bucket-size`'s value.
private func parseByteCount(_ text: String) throws -> ByteCount {
  guard let count = ByteCount(text) else {
    throw ValidationError("'\(text)' should be \(ByteCount.forms)")
  }
  return count
}

/// `--time-limit`'s value.
private func parseTimeLimit(_ text: String) throws -> TimeLimit {
  guard let limit = TimeLimit(text) else {
    throw ValidationError("'\(text)' should be \(TimeLimit.forms), of at least a second")
  }
  return limit
}

/// `--inject`'s value.
private func parseFault(_ text: String) throws -> Fault {
  guard let fault = Fault(text) else { throw ValidationError("'\(text)' should be \(Fault.forms)") }
  return fault
}
