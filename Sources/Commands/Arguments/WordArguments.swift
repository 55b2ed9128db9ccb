// Words of the catalogue on the command line: models, losses, optimizers, schedules.
import ArgumentParser
import NeuralNet
import Text

extension WordError {
  /// The error of a flag's value, with a guess at what was meant.
  /// - Parameters:
  ///   - value: all of it, of which this error's word is a part.
  ///   - forms: what the flag takes.
  func mistake(in flag: String, _ value: String, forms: String) -> ValidationError {
    let place = token == value ? "" : " '\(printable(value, limit: 200))'"
    guard let unknown else {
      return ValidationError(
        "\(flag)\(place): '\(printable(token, limit: 200))': \(printable(reason, limit: 400))")
    }
    let hint = nearest(unknown, among: known).map { "did you mean '\($0)'? " } ?? ""
    return ValidationError("\(flag)\(place): \(printable(reason, limit: 200)); \(hint)There are \(forms)")
  }
}

/// `--loss`'s value.
func parseLoss(_ text: String) throws -> any Loss {
  try parse(text, "--loss", lossForms) { (text) throws(WordError) in try Catalog.loss(text) }
}

/// `--optimizer`'s value.
func parseOptimizer(_ text: String) throws -> any Optimizer {
  try parse(text, "--optimizer", optimizerForms) { (text) throws(WordError) in try Catalog.optimizer(text) }
}

/// `--schedule`'s value.
func parseSchedule(_ text: String) throws -> any Schedule {
  try parse(text, "--schedule", scheduleForms) { (text) throws(WordError) in try Catalog.schedule(text) }
}

/// `--model`'s value.
func parseModel(_ text: String, _ activation: Activation?) throws -> ModelSpecification {
  try parse(text, "--model", "\(ModelSpecification.forms); layers: \(layerForms)") {
    (text) throws(WordError) in try ModelSpecification(text, activation: activation)
  }
}

private func parse<Value>(
  _ text: String, _ flag: String, _ forms: String, _ make: (String) throws(WordError) -> Value
) throws -> Value {
  do {
    return try make(text)
  } catch {
    throw error.mistake(in: flag, text, forms: forms)
  }
}

var layerForms: String { Catalog.layers.map { $0.form }.joined(separator: ", ") }
var lossForms: String { Catalog.losses.map { $0.form }.joined(separator: ", ") }
var optimizerForms: String { Catalog.optimizers.map { $0.form }.joined(separator: ", ") }
var scheduleForms: String { Catalog.schedules.map { $0.form }.joined(separator: ", ") }
