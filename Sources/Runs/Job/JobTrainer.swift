// A trainer of a few lines, for programs that write their own loop.
import DistributedSGD
import MPI
import NeuralNet
import System

extension Job {
  /// A trainer for a whole data set with one shard a rank, its parameters drawn from N(0, 0.01²). Collective.
  /// - Parameters:
  ///   - loss: `.squared`, `.crossEntropy` …
  ///   - globalBatch: examples of an update, over all ranks; N at most.
  /// - Throws: `AgreedError` on every rank alike where model, loss and data do not fit; `MPIError`.
  public func trainer(
    _ model: Sequential, loss: some Loss, data: Dataset, globalBatch: Int, optimizer: some Optimizer = SGD(),
    learningRate: Float, seed: UInt64 = 0
  ) throws -> Trainer {
    guard 1...data.count ~= globalBatch else {
      throw AgreedError(
        DistsgdError(
          .usage,
          "a global batch of \(globalBatch): the data have \(data.count) examples, so give 1 to \(data.count)"
        ))
    }
    let trainer = try Trainer(
      model: model, loss: loss, dataset: data,
      sampler: Sampler(.shuffle, exampleCount: data.count, seed: seed),
      schedule: BatchSchedule(exampleCount: data.count, globalBatch: globalBatch, lastBatch: .keep),
      shards: Shards(count: worldSize, worldSize: worldSize), microBatch: nil, optimizer: optimizer,
      learningRate: learningRate, communicator: communicator)
    Initialization.normal.fill(trainer.parameters.baseAddress!, of: model, seed: seed)
    try communicator.barrier()
    return trainer
  }
}
