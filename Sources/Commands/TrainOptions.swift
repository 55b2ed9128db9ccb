// The options of `train`, as ArgumentParser sees them.
import ArgumentParser
import DataFormats
import DistributedSGD
import NeuralNet
import Runs
import Text

extension Sampling: ExpressibleByArgument {}
extension LastBatch: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {}
extension Binding: ExpressibleByArgument {}

/// A decimal number. What is none of single precision's numbers is told with the option's range.
func parseNumber(_ text: String) throws -> Double {
  if ["nan", "inf", "-inf", "infinity", "-infinity"].contains(text.lowercased()) { return Double(text)! }
  guard let number = decimalNumber(text) else {
    throw ValidationError("'\(text)' is not a decimal number")
  }
  return number
}

/// The options that say what is trained, on what, and how.
struct TrainOptions: ParsableArguments {
  @OptionGroup(title: "Data") var data: DataArguments
  @OptionGroup(title: "Model") var model: ModelArguments
  @OptionGroup(title: "Training") var training: TrainingArguments
  @OptionGroup(title: "Job and output") var job: JobArguments

  var options: TrainingOptions {
    var options = TrainingOptions()
    data.apply(to: &options)
    model.apply(to: &options)
    training.apply(to: &options)
    job.apply(to: &options)
    return options
  }
}

struct DataArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "airfoil-like, airfoil, fashion-mnist, synthetic:N,D, or a file: .csv .tsv .dat .txt .npy .npz, IDX or IDX.gz.",
      valueName: "name|path"))
  var data = "airfoil-like"

  @Option(help: ArgumentHelp("The column to predict. (default: the last)", valueName: "column"))
  var target: String?

  @Option(help: ArgumentHelp("The input columns, by commas. (default: all others)", valueName: "columns"))
  var features: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take the first N examples. (default: all; 1500 of airfoil, as the chapter)", valueName: "n"))
  var examples: Int?

  @Option(
    help: ArgumentHelp(
      "Evaluate on held-out data: a fraction, a file, or 'test', the named set's own test split.",
      valueName: "fraction|path|test"))
  var validation: String?

  @Flag(
    inversion: .prefixedNo, exclusivity: .chooseLast,
    help: "Give every column mean 0 and deviation 1. (default: on for tables)")
  var standardize: Bool?

  func apply(to options: inout TrainingOptions) {
    options.data.data = data
    options.data.target = target
    options.data.features = features?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    options.data.examples = examples
    options.data.validation = validation
    options.data.standardize = standardize
  }
}

struct ModelArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "\(ModelSpecification.forms); layers: \(layerForms). (default: by the data)", valueName: "layers"))
  var model: String?

  @Option(help: ArgumentHelp("The activation of an mlp.", valueName: "name"))
  var activation = Activation.relu

  @Option(
    help: ArgumentHelp("\(lossForms). (default: by the data)", valueName: "loss"), transform: parseLoss)
  var loss: (any Loss)?

  @Option(help: ArgumentHelp("Start from these weights.", valueName: "file.safetensors"))
  var initialize: String?

  func validate() throws { _ = try specification() }

  private func specification() throws -> ModelSpecification? {
    try model.map { try parseModel($0, activation) }
  }

  func apply(to options: inout TrainingOptions) {
    // It was looked at by `validate`.
    options.model = try? specification()
    options.activation = activation
    options.loss = loss
    options.initialize = initialize
  }
}

struct TrainingArguments: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Examples per update, over all ranks.", valueName: "b"))
  var globalBatch = 128

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Cut every batch into V shards; equal V gives equal bits at any number of ranks. (default: the ranks)",
      valueName: "v"))
  var shards: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examples of one forward and backward pass. (default: a shard)", valueName: "m"))
  var microBatch: Int?

  @Option(help: ArgumentHelp("A short last batch: keep or drop.", valueName: "keep|drop"))
  var lastBatch = LastBatch.keep

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Passes over the training set. (default: 2, or as many as --steps takes)", valueName: "e"))
  var epochs: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Stop after T updates.", valueName: "t"))
  var steps: Int?

  @Option(parsing: .unconditional, help: "Every random number is a function of this.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("shuffle, replacement or sequential.", valueName: "order"))
  var sampling = Sampling.shuffle

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Make the training set K copies of itself.", valueName: "k"))
  var duplicate = 1

  @Option(
    help: ArgumentHelp("The update rule: \(optimizerForms).", valueName: "rule"), transform: parseOptimizer)
  var optimizer: any Optimizer = SGD()

  @Option(
    name: [.long, .customLong("lr")], parsing: .unconditional,
    help: ArgumentHelp(
      "The step size η. (default: 0.4 for linear, 0.001 for adam and adamw, else 0.1)", valueName: "η"),
    transform: parseNumber)
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "How the learning rate changes: \(scheduleForms).", valueName: "schedule"),
    transform: parseSchedule)
  var schedule: any Schedule = ConstantSchedule()

  func apply(to options: inout TrainingOptions) {
    options.globalBatch = globalBatch
    options.shards = shards
    options.microBatch = microBatch
    options.lastBatch = lastBatch
    options.epochs = epochs
    options.steps = steps
    options.seed = seed
    options.sampling = sampling
    options.copies = duplicate
    options.optimizer = optimizer
    options.learningRate = learningRate
    options.schedule = schedule
  }
}

struct JobArguments: ParsableArguments {
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

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("BLAS threads of a rank; another number may change last bits.", valueName: "t"))
  var threads = 1

  @Option(
    help: ArgumentHelp(
      "none, or core: bind every rank to its share of the server's cores.", valueName: "none|core"))
  var bind = Binding.none

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

  @Option(help: ArgumentHelp("The run's folder. (default: runs/<UTC time>)", valueName: "dir"))
  var output: String?

  @Flag(help: "Print the final line only.")
  var quiet = false

  func apply(to options: inout TrainingOptions) {
    options.evaluateEvery = evaluateEvery
    options.logEvery = logEvery
    options.logsHashes = logHashes
    options.threads = threads
    options.binding = bind
    options.checkEvery = checkEvery
    options.timeout = timeout
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

/// `--inject`'s value.
private func parseFault(_ text: String) throws -> Fault {
  guard let fault = Fault(text) else { throw ValidationError("'\(text)' should be \(Fault.forms)") }
  return fault
}
