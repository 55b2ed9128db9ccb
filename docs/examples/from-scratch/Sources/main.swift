// The chapter's linear regression from scratch: model, loss, gradient and update written out, no BLAS, no layers.
// Alone, or with any number of ranks: mpirun -np 4 from-scratch
import DistributedSGD
import MPI
import RandomNumbers
import Runs

/// A parameter with its gradient: shape (count).
final class Parameter {
  var values: [Float]
  var gradient: [Float]

  init(_ values: [Float]) {
    self.values = values
    gradient = [Float](repeating: 0, count: values.count)
  }
}

/// Inputs of shape (count, width) and targets of shape (count).
typealias Data = (x: [Float], y: [Float], width: Int)

/// Minibatch SGD. `states` is what momentum or Adam would keep for each parameter; plain SGD keeps nothing.
func sgd(_ params: [Parameter], _ states: [[Float]], _ hyperparameters: [String: Float]) {
  for p in params {
    for i in p.values.indices { p.values[i] -= hyperparameters["lr"]! * p.gradient[i] }
  }
}

/// ŷ − y for example i, where ŷ = w·x + b.
func error(_ data: Data, _ i: Int, _ w: Parameter, _ b: Parameter) -> Float {
  zip(data.x[data.width * i..<data.width * (i + 1)], w.values).reduce(b.values[0] - data.y[i]) {
    $0 + $1.0 * $1.1
  }
}

/// The loss ½(ŷ − y)², as a mean over all examples.
func loss(_ data: Data, _ w: Parameter, _ b: Parameter) -> Float {
  data.y.indices.reduce(0) { $0 + error(data, $1, w, b) * error(data, $1, w, b) / 2 } / Float(data.y.count)
}

/// Trains with any update rule of `sgd`'s shape. Each rank takes its share of every batch; the shares' gradients
/// are sums scaled by the size of the whole batch, so that their sum over the ranks is the batch's mean.
func train(
  _ update: ([Parameter], [[Float]], [String: Float]) -> Void, _ states: [[Float]],
  _ hyperparameters: [String: Float], _ data: Data, batchSize: Int, epochs: Int, _ job: Job
) throws {
  let random = Philox(seed: 0, purpose: .initialization)
  let w = Parameter((0..<data.width).map { Float(0.01 * random.normal(UInt64($0))) })
  let b = Parameter([0])
  let shards = Shards(count: job.worldSize, worldSize: job.worldSize)
  for epoch in 0..<epochs {
    let order = Permutation(count: data.y.count, seed: 0, epoch: epoch)
    for start in stride(from: 0, to: data.y.count, by: batchSize) {
      let batchCount = min(batchSize, data.y.count - start)
      for p in [w, b] { p.gradient = p.gradient.map { _ in 0 } }
      for position in shards.examples(of: job.rank, batch: batchCount) {
        let i = order[start + position]
        let factor = error(data, i, w, b) / Float(batchCount)
        for j in 0..<data.width { w.gradient[j] += factor * data.x[data.width * i + j] }
        b.gradient[0] += factor
      }
      for p in [w, b] {
        try p.gradient.withUnsafeMutableBufferPointer { try job.communicator.allReduce($0, .sum) }
      }
      update([w, b], states, hyperparameters)
    }
    job.report("epoch \(epoch + 1), \(Evaluation(loss: Double(loss(data, w, b))))")
  }
}

Job.run { job in
  let set = try job.load("airfoil-like")
  let data: Data = (set.inputs, set.targets, set.featureCount)
  try train(sgd, [], ["lr": 0.05], data, batchSize: 10, epochs: 2, job)
}
