// How the numbers of a model are spread at the end of an epoch, for TensorBoard.
import DistributedSGD
import NeuralNet

extension TrainingRun {
  /// Rank 0 tells of parameters and of the last step's gradient; the others wait, for their next step would write over
  /// what it reads. Collective.
  func tellHistograms() throws {
    defer { trainer.clock.mark(.other) }
    if log.isActive {
      let parameters = UnsafePointer(trainer.parameters.baseAddress!)
      try log.histograms("weights", of: trainer.model.tensors, in: parameters, step: state.step)
      try tellGradient()
    }
    try communicator.barrier()
  }

  private func tellGradient() throws {
    guard state.stepOfEpoch > 0 else { return }
    let batch = schedule.positions(step: state.stepOfEpoch - 1).count
    let gradient = UnsafeMutablePointer<Float>.allocate(capacity: trainer.model.parameterCount)
    defer { gradient.deallocate() }
    guard trainer.copyGradient(to: gradient, activeShards: shards.active(batch: batch)) else { return }
    // What stands in the place of a statistic is none.
    try log.histograms(
      "gradients", of: trainer.model.tensors.filter(\.role.isTrained), in: gradient, step: state.step)
  }
}
