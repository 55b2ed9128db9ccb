// What goes with an optimizer and a schedule, as ArgumentParser sees it.
import ArgumentParser
import NeuralNet
import Runs
import Text

extension BatchScaling: ExpressibleByArgument {}

/// `--optimizer`'s value, and what was written.
struct OptimizerChoice {
  let text: String
  let optimizer: any Optimizer

  init(_ text: String) throws {
    self.text = text
    optimizer = try parseOptimizer(text)
  }

  init(_ optimizer: any Optimizer) {
    text = optimizer.description
    self.optimizer = optimizer
  }

  /// The same with one more argument.
  /// - Parameter flag: that asks for it.
  func with(_ key: String, _ value: Double?, flag: String) throws -> OptimizerChoice {
    let word = try parseWord(text)
    if let given = word.arguments.first(where: { ($0.key ?? $0.value) == key }) {
      guard given.key == nil || decimalNumber(given.value) == value else {
        throw ValidationError(
          "\(flag): --optimizer \(printable(text, limit: 200)) says \(key)=\(printable(given.value)); leave one of them out"
        )
      }
      return self
    }
    let argument = value.map { "\(key)=\($0)" } ?? key
    let whole = text + (text.contains(":") ? "," : ":") + argument
    do {
      return OptimizerChoice(whole, try Catalog.optimizer(whole))
    } catch {
      throw error.mistake(in: "--optimizer with \(flag)", whole, forms: optimizerForms)
    }
  }

  private init(_ text: String, _ optimizer: any Optimizer) {
    self.text = text
    self.optimizer = optimizer
  }

  private func parseWord(_ text: String) throws -> Word {
    do { return try Word(parsing: text) } catch {
      throw error.mistake(in: "--optimizer", text, forms: optimizerForms)
    }
  }
}

struct UpdateArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The optimizer's momentum: sgd, rmsprop, lars.", valueName: "μ"),
    transform: parseNumber)
  var momentum: Double?

  @Flag(help: "Nesterov's form of sgd's momentum.")
  var nesterov = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What of the parameters is added to the gradient, as in PyTorch; adamw and lamb take it off beside the gradient.",
      valueName: "λ"), transform: parseNumber)
  var weightDecay: Double?

  @Option(
    help: ArgumentHelp(
      "Tensors without weight decay: bias, norm (factors and shifts of normalisation), or bias,norm.",
      valueName: "kind,…"), transform: parseExemptions)
  var noDecayFor: Set<DecayExemption> = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Scale a gradient down whose norm is larger than this.", valueName: "norm"),
    transform: parseNumber)
  var clipNorm: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Cut each element of a gradient to ± this.", valueName: "limit"),
    transform: parseNumber)
  var clipValue: Double?

  @Option(
    help: ArgumentHelp(
      "Steps or epochs in which the learning rate grows to the schedule's: 500, 5epochs, or 5epochs,from=0.1.",
      valueName: "length"), transform: parseWarmUp)
  var warmup: WarmUp?

  @Option(
    help: ArgumentHelp(
      "Multiply the learning rate by B/base or its square root: linear or sqrt.", valueName: "linear|sqrt"))
  var scaleLearningRate: BatchScaling?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The batch that --learning-rate is meant for, to be scaled.", valueName: "b"))
  var baseBatch: Int?

  /// An optimizer with what these options say of it.
  func optimizer(_ choice: OptimizerChoice) throws -> any Optimizer {
    var choice = choice
    if let momentum { choice = try choice.with("momentum", momentum, flag: "--momentum \(momentum)") }
    if nesterov { choice = try choice.with("nesterov", nil, flag: "--nesterov") }
    if let weightDecay {
      choice = try choice.with("weight-decay", weightDecay, flag: "--weight-decay \(weightDecay)")
    }
    return choice.optimizer
  }

  func validate() throws {
    if let clipNorm, let clipValue {
      throw ValidationError(
        "--clip-value \(clipValue): a gradient is clipped in one way, and there is --clip-norm \(clipNorm); leave one of them out"
      )
    }
  }

  func apply(to options: inout TrainingOptions) {
    options.clipping = clipNorm.map(Clipping.norm) ?? clipValue.map(Clipping.value)
    options.noDecayFor = noDecayFor
    options.warmUp = warmup
    options.batchScaling = scaleLearningRate
    options.baseBatch = baseBatch
  }
}

private func parseExemptions(_ text: String) throws -> Set<DecayExemption> {
  Set(
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let kind = DecayExemption(rawValue: String(part)) else {
        throw ValidationError("'\(printable(String(part)))' is no kind of tensors; there are bias and norm")
      }
      return kind
    })
}

private func parseWarmUp(_ text: String) throws -> WarmUp {
  do { return try WarmUp(text) } catch {
    throw ValidationError("'\(printable(text, limit: 200))': \(printable(error.reason, limit: 200))")
  }
}
