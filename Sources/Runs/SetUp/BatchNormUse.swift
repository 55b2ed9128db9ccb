// What the batch norms of a run average over, and whether that is enough.
import DistributedSGD
import NeuralNet
import System

extension TrainingOptions {
  /// A model whose batch norms average over what was asked for.
  /// - Throws: `DistsgdError` (`usage`) where it has none.
  func normalised(_ model: ModelSpecification) throws(DistsgdError) -> ModelSpecification {
    guard let batchNorm else { return model }
    guard !model.batchNorms.isEmpty else {
      throw DistsgdError(
        .usage,
        "--batch-norm \(batchNorm.rawValue): there is no batchnorm among the layers of '\(model)'; leave it out, or put the word where it is to be"
      )
    }
    do {
      return try model.normalising(over: batchNorm)
    } catch {
      throw DistsgdError(.usage, "--batch-norm \(batchNorm.rawValue): \(error)")
    }
  }

  /// Refuses pieces of full batches that are too few examples for a layer to compare.
  /// - Throws: `DistsgdError` (`usage`) with what would do.
  func requireRows(
    for model: Sequential, _ specification: ModelSpecification, ranks: Int
  ) throws(DistsgdError) {
    let least = model.leastRows
    guard globalBatch >= least.batch else {
      throw DistsgdError(
        .usage,
        "--global-batch \(globalBatch): a layer of '\(specification)' compares the examples of a batch; use at least \(least.batch)"
      )
    }
    if let microBatch, microBatch < least.piece {
      throw DistsgdError(
        .usage,
        "--micro-batch \(microBatch): a layer of '\(specification)' compares the examples of a micro-batch; use at least \(least.piece)"
      )
    }
    let shards = Shards(count: shardCount(ranks: ranks), worldSize: ranks)
    let smallest = shards.examples(of: shards.active(batch: globalBatch) - 1, batch: globalBatch).count
    guard smallest < least.piece else { return }
    let most = globalBatch / least.piece
    throw DistsgdError(
      .usage,
      "--shards \(shards.count): a layer of '\(specification)' compares the examples of a shard, and in a batch of \(globalBatch) a shard has \(smallest): use \(most >= max(1, ranks) ? "at most \(most) shards, " : "")a larger --global-batch, or --batch-norm global"
    )
  }
}

/// One line about what batch norms average over, where there are some.
func batchNormWords(_ model: ModelSpecification, _ shards: Shards, _ options: TrainingOptions) -> String? {
  let spans = Set(model.batchNorms.map { $0 ?? .shard })
  func counted(_ count: Int) -> String { "\(count) example\(count == 1 ? "" : "s")" }
  let batch = options.globalBatch
  let largest = shards.examples(of: 0, batch: batch).count
  let smallest = shards.examples(of: shards.active(batch: batch) - 1, batch: batch).count
  var parts: [String] = []
  if spans.contains(.shard) {
    if let microBatch = options.microBatch, microBatch < largest {
      parts.append("a micro-batch, \(counted(microBatch))")
    } else {
      let words = largest == smallest ? counted(largest) : "\(smallest) or \(counted(largest))"
      parts.append(shards.count == 1 ? "the global batch, \(words)" : "a shard, \(words)")
    }
  }
  if spans.contains(.global) { parts.append("the global batch, \(counted(batch))") }
  return parts.isEmpty ? nil : "batch norm: mean and variance of \(parts.joined(separator: "; and of "))"
}
