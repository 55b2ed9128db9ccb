// The options of `train`, as ArgumentParser sees them: arguments become the library's options.
import ArgumentParser
import DistributedSGD
import NeuralNet
import Runs
import Text

extension Sampling: ExpressibleByArgument {}
extension LastBatch: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {}
extension Binding: ExpressibleByArgument {}
extension Travel.Route: ExpressibleByArgument {}
extension GradientFormat: ExpressibleByArgument {}

/// A decimal number. What is none of single precision's numbers is told with the option's range.
func parseNumber(_ text: String) throws -> Double {
  if ["nan", "inf", "-inf", "infinity", "-infinity"].contains(text.lowercased()) { return Double(text)! }
  guard let number = decimalNumber(text) else {
    throw ValidationError("'\(text)' is not a decimal number")
  }
  return number
}

/// The options that say what is trained, on what, and how.
struct TrainArguments: ParsableArguments {
  @OptionGroup(title: "Data") var data: DataArguments
  @OptionGroup(title: "Model") var model: ModelArguments
  @OptionGroup(title: "Training") var training: TrainingArguments
  @OptionGroup(title: "Update") var update: UpdateArguments
  @OptionGroup(title: "Examples on their way in") var input: InputArguments
  @OptionGroup(title: "Model at the end") var average: AverageArguments
  @OptionGroup(title: "Job and output") var job: JobArguments

  func validate() throws { _ = try update.optimizer(training.optimizer) }

  var options: TrainingOptions {
    var options = TrainingOptions()
    data.apply(to: &options)
    model.apply(to: &options)
    training.apply(to: &options)
    update.apply(to: &options)
    input.apply(to: &options)
    average.apply(to: &options)
    // `validate` has tried it.
    if let optimizer = try? update.optimizer(training.optimizer) { options.optimizer = optimizer }
    job.apply(to: &options)
    return options
  }
}
