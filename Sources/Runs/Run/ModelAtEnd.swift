// Which parameters a run evaluates, and with which it ends.
import DistributedSGD
import MPI

/// The average and the best model of a run, where it has them.
final class ModelAtEnd {
  /// nil where the parameters themselves are evaluated.
  let average: ModelAverage?
  /// nil where the last model is the one that is saved.
  let best: BestModel?

  /// Collective.
  init(_ options: TrainingOptions, parameterCount: Int, communicator: any Communicator) throws(MPIError) {
    average = try Self.average(options, parameterCount, communicator)
    best = options.keepsBest ? BestModel(parameterCount: parameterCount, communicator: communicator) : nil
  }

  private static func average(
    _ options: TrainingOptions, _ parameterCount: Int, _ communicator: any Communicator
  ) throws(MPIError) -> ModelAverage? {
    guard let rule = options.averageRule else { return nil }
    return try ModelAverage(rule, parameterCount: parameterCount, communicator: communicator)
  }

  /// What checkpoints keep of it, by the beginnings of the tensors' names.
  var kept: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    (average.map { [("average", $0.values)] } ?? []) + (best.map { [("best", $0.values)] } ?? [])
  }

  /// What is evaluated after a step: the average, once there is one.
  func evaluated(_ trainer: Trainer, _ state: RunState) -> UnsafeMutableBufferPointer<Float> {
    guard let average, state.averagedCount > 0 else { return trainer.parameters }
    return average.values
  }

  /// Puts the model that the run ends with in the place of the last step's. Collective.
  /// - Returns: the step that it is of.
  func install(in trainer: Trainer, _ state: RunState) throws(MPIError) -> Int {
    if let best, let step = state.best?.step {
      try best.install(in: trainer.parameters)
      return step
    }
    if let average, state.averagedCount > 0 {
      // Nobody may read the parameters any more.
      try average.install(in: trainer.parameters)
    }
    return state.step
  }
}

extension ModelAverage {
  /// Puts it in the place of the parameters; each server has its own, with the same bits. Collective.
  fileprivate func install(in parameters: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    try wait()
    _ = parameters.update(fromContentsOf: values)
    try wait()
  }
}
