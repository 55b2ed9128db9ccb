// What training does to the examples of a run, and whether that fits its data.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System

extension TrainingOptions {
  /// What is done to the training set's examples. Collective.
  /// - Parameter classNames: on rank 0; nil where classes are numbers.
  /// - Throws: `AgreedError` (`usage`) where data or loss do not allow it; `MPIError`.
  func treatment(
    of data: Dataset, _ loss: any Loss, classNames: [String]?, communicator: any Communicator
  ) throws -> Treatment {
    try communicator.agreeingOnErrors { try requireFit(data, loss) }
    var treatment = Treatment()
    treatment.augmentation = augmentation
    treatment.mixup = mixup
    treatment.labelSmoothing = labelSmoothing.map(Float.init)
    guard let classWeights, let classCount = data.classCount else { return treatment }
    let weights = UnsafeMutableBufferPointer<Float>.allocate(capacity: classCount)
    weights.initialize(repeating: 0)
    defer { weights.deallocate() }
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      _ = weights.update(
        fromContentsOf: try classWeights.weights(
          classCount: classCount, names: classNames, labels: data.classNumbers))
    }
    try communicator.broadcast(weights, from: 0)
    treatment.classWeights = Array(weights)
    return treatment
  }

  private func requireFit(_ data: Dataset, _ loss: any Loss) throws(DistsgdError) {
    func refuse(_ text: String) -> DistsgdError { DistsgdError(.usage, text) }
    if let augmentation {
      let sizes = data.exampleShape.sizes
      guard sizes.count == 3 else {
        throw refuse(
          "--augment \(augmentation): the examples of '\(self.data.data)' are rows of numbers and no pictures; leave it out, or give pictures"
        )
      }
      guard augmentation.widest.pixels < min(sizes[1], sizes[2]) else {
        throw refuse(
          "--augment \(augmentation.widest.word): as wide as the pictures of '\(self.data.data)', which have \(sizes[1]) × \(sizes[2]) pixels; use fewer than \(min(sizes[1], sizes[2]))"
        )
      }
    }
    let flags = [
      labelSmoothing.map { "--label-smoothing \($0)" }, classWeights.map { "--class-weights \($0)" },
      data.classCount == nil ? nil : mixup.map { "--mixup \($0)" }, balancesClasses ? "--balance" : nil,
    ]
    guard let flag = flags.lazy.compactMap({ $0 }).first else { return }
    guard data.classCount != nil else {
      throw refuse("\(flag): the targets of '\(self.data.data)' are not classes; leave it out")
    }
    if flag != "--balance", !(loss is any SharedClassLoss) {
      throw refuse(
        "\(flag): the loss \(loss) takes one class an example; use cross-entropy or binary-cross-entropy")
    }
  }

  /// The order of epochs.
  package func sampler(of data: Dataset) -> Sampler {
    let classes =
      balancesClasses ? data.classCount.map { ClassLists(data.classNumbers, classCount: $0) } : nil
    return Sampler(
      sampling, exampleCount: data.count, copies: copies, seed: seed, balancing: classes)
  }
}

extension Dataset {
  /// Shape (count)
  fileprivate var classNumbers: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: targetMemory.assumingMemoryBound(to: Int32.self), count: count)
  }
}
