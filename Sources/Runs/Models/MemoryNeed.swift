// How much memory a model and a batch take, told before anything is allocated for them.
import DataFormats
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import Synchronization
import System

/// Refuses a model and a batch that do not fit this machine's memory.
/// - Throws: `DistsgdError` (`usage`) with what they need.
package func requireMemory(
  for model: Sequential, _ specification: String, _ options: TrainingOptions, examples: Int,
  communicator: any Communicator
) throws(DistsgdError) {
  let ranks = communicator.worldSize
  let shards = Shards(count: options.shardCount(ranks: ranks), worldSize: ranks)
  let pass =
    model.needsGlobalBatch
    ? (0..<ranks).reduce(0) { max($0, shards.exampleCount(of: $1, batch: options.globalBatch)) }
    : shards.rowsOfPass(batch: options.globalBatch, microBatch: model.microBatch(options.microBatch))
  // An evaluation has rows of its own.
  let rows = pass + min(model.rowsOfPictures ?? Evaluator.chunkRows, examples)
  // A rank's outputs of every layer, two gradients at the widest, and the inputs.
  let widths = model.outputCounts.map(Double.init)
  let inputs = Double(model.inputCount) * (options.mixup != nil ? 3 : options.augmentation != nil ? 2 : 1)
  let activations = widths.reduce(0, +) + 2 * (widths.max() ?? 0) + inputs
  // One gradient for each of its nodes, and the sum of a right-hand subtree for each level below.
  let levels = (0..<Int.bitWidth).first { ranks << $0 >= shards.count } ?? 0
  let own = Double(rows) * activations + Double(model.parameterCount) * Double(levels)
  let shared = Double(model.parameterCount) * Double(1 + options.optimizer.states.count + options.averages)
  let gradients = Double(model.parameterCount) * Double(communicator.localRankCount)
  // Between servers: sums that come, and parameters that come while passes still read the old ones.
  let received = communicator.topology.serverCount > 1 ? 2 * Double(model.parameterCount) : 0
  let ofServer = shared + gradients + received
  try requireMemory(
    bytes: 4 * (own + ofServer),
    ofAll: 4 * (Double(communicator.localRankCount) * own + ofServer),
    for:
      "--model \(specification) of \(model.parameterCount) parameters, with \(pass) examples at a time,",
    instead: "a smaller model, fewer ranks on a server, or a smaller --micro-batch")
}

/// Refuses a process in which OpenBLAS would wait for ever: a thread of it takes a buffer before its first product, and
/// asks again and again where `ulimit -v` refuses it.
/// - Throws: `DistsgdError` (`usage`).
package func requireBufferOfBLAS(threads: Int) throws(DistsgdError) {
  guard MemoryLimit.ofProcess() != nil else { return }
  if !hasBuffer.load(ordering: .relaxed) {
    // By this thread alone: a product of several waits for those of the pool, which ask for buffers of their own. Nor should
    // they take what is about to be counted; they were made when the library was loaded, and take theirs at once.
    if BLAS.threadCount > 1 {
      BLAS.setThreads(1)
      usleep(20_000)
    }
    try requireMemory(bytes: BLAS.bufferBytes, for: "OpenBLAS's buffer", instead: "a higher limit")
    BLAS.takeBuffer()
    hasBuffer.store(true, ordering: .relaxed)
  }
  guard threads > 1 else { return }
  // Of the pool's threads, those that were made when the library was loaded may have theirs, but cannot be asked.
  try requireMemory(
    bytes: Double(threads - 1) * (BLAS.bufferBytes + threadBytes), for: "--threads \(threads)",
    instead: "fewer threads, or a higher limit")
}

private let hasBuffer = Atomic(false)

/// A thread's stack, and what the allocator reserves for it.
private let threadBytes = 80e6

extension TrainingOptions {
  /// Copies of the parameters that a run keeps beside them.
  fileprivate var averages: Int {
    (averageDecay != nil || averagesEpochs ? 1 : 0) + (keepsBest ? 1 : 0)
  }
}
