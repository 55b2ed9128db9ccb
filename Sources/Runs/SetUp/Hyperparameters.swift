// What makes a run another than others, for TensorBoard's table of runs.

extension SetUp {
  /// The settings that decide a run's numbers, by their flags' names.
  func hyperparameters(of options: TrainingOptions) -> [Hyperparameter] {
    var words = options.settings.filter { !Settings.isChangeable($0.key) }
    words["--model"] = specification.description
    words["--loss"] = loss.description
    words["--learning-rate"] = "\(learningRate)"
    words["--epochs"] = "\(options.epochLimit)"
    if options.epochs == nil, options.steps != nil { words["--epochs"] = nil }
    words["--steps"] = options.steps.map(String.init)
    return words.sorted { $0.key < $1.key }.map {
      Hyperparameter(String($0.key.dropFirst(2)), word: $0.value)
    }
  }
}
