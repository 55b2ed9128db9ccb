// `bench step`: where the time of a training step goes, and how far it is from that of its matrix products.
import DistributedSGD
import MPI
import NeuralNet
import Runs
import System

package struct StepOptions: Sendable {
  /// What is trained; epochs, steps and output have no meaning here.
  package var training = TrainingOptions()
  package var rounds = 21
  /// Blocks of steps, and of bare products, last at least so long.
  package var blockSeconds = 0.05

  package init() {}
}

/// Trains for some rounds. In each round there are a block of training steps, a block of the sgemm calls that a program
/// with BLAS cannot do without, and a block of as many operations without memory; every rank makes those of its own
/// shards while the other ranks make theirs.
package struct StepBench {
  private let options: StepOptions

  package init(_ options: StepOptions) { self.options = options }

  /// Collective over all ranks; the report is complete on rank 0.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package func run(on communicator: any Communicator) throws -> StepReport {
    try communicator.agreeingOnErrors {
      try NumberRange.rounds.check(options.rounds)
    }
    let setUp = try SetUp(options.training, communicator: communicator)
    let run = try TrainingRun(options.training, sharing: setUp, communicator: communicator)
    let trainer = run.trainer
    var blocks = [run.repeatedSteps()]

    // With more shards than ranks: the same batch with one shard a rank.
    var fewest: TrainingRun?
    if run.shards.count > communicator.worldSize {
      var other = options.training
      other.shards = communicator.worldSize
      fewest = try TrainingRun(other, sharing: setUp, communicator: communicator)
      blocks.append(fewest!.repeatedSteps())
    }
    blocks.append(products(of: run, rank: communicator.rank))
    let instructions = setUp.arithmetic.instructions ?? Instructions.available[0]
    blocks.append(operations(of: run, rank: communicator.rank, instructions))

    let results = try timeTogether(
      blocks, rounds: options.rounds, minimumSeconds: options.blockSeconds, communicator: communicator
    ) { trainer.clock.reset() }
    let phases = try RankTimings.collect(trainer.clock, over: communicator)
    guard trainer.batchLoss.isFinite else {
      throw AgreedError(
        DistsgdError(
          .diverged,
          "the loss became \(trainer.batchLoss) within \(trainer.stepCount) steps; lower --learning-rate (it is \(trainer.learningRate))"
        ))
    }
    return StepReport(
      arithmetic: batchArithmetic(
        globalBatch: options.training.globalBatch, shards: run.shards, topology: communicator.topology),
      topology: communicator.topology, cores: try ServerCores(over: communicator).count, setUp: setUp,
      options: options, shards: run.shards,
      step: results[0].timing, stepsInBlock: results[0].repetitions,
      stepOfFewestShards: fewest == nil ? nil : results[1].timing,
      products: results[results.count - 2].timing,
      operationsAtPeak: results[results.count - 1].timing, instructions: instructions,
      phases: phases)
  }

  /// As many operations as the products of this rank's shards, in registers alone.
  private func operations(
    of run: TrainingRun, rank: Int, _ instructions: Instructions
  ) -> (Int) throws(MPIError) -> Void {
    let examples = run.shards.exampleCount(of: rank, batch: options.training.globalBatch)
    let operations = run.trainer.model.trainingOperations * examples
    return { (count) throws(MPIError) in
      for _ in 0..<count { instructions.computeAtPeak(operations: operations) }
    }
  }

  /// The sgemm calls of this rank's shards of a full batch.
  private func products(of run: TrainingRun, rank: Int) -> (Int) throws(MPIError) -> Void {
    let batch = options.training.globalBatch
    let shardRows = run.shards.owned(by: rank).map { run.shards.examples(of: $0, batch: batch).count }
    let limit = min(run.trainer.model.microBatch(options.training.microBatch) ?? batch, batch)
    // Rows of each call, and whether it is a shard's first.
    let calls = shardRows.flatMap { rows in
      stride(from: 0, to: rows, by: limit).map { (rows: min(limit, rows - $0), accumulates: $0 > 0) }
    }
    let products = BareProducts(run.trainer.model, maximumRows: calls.map(\.rows).max() ?? 1)
    return { (count) throws(MPIError) in
      for _ in 0..<count {
        for call in calls { products.run(rows: call.rows, accumulate: call.accumulates) }
      }
    }
  }
}
