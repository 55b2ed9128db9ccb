// A whole training job in this process, through the real `Trainer`.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet

/// What a `Trainer` is to do.
public struct TrainerCase {
  public var sample: Sample
  public var model: Sequential
  public var loss: any Loss
  public var parameters: [Float]
  public var sampling = Sampling.sequential
  public var copies = 1
  public var seed: UInt64 = 0
  public var batch: Int
  public var lastBatch = LastBatch.keep
  public var shards = 1
  public var microBatch: Int?
  public var learningRate: Float = 0.1
  public var clipping: Clipping?
  public var noDecayFor: Set<DecayExemption> = []
  public var arithmetic = Arithmetic.blas
  /// Whether every step tells the norm of its gradient, and what it says of the noise in gradients.
  public var measuresNorms = false

  public init(_ sample: Sample, _ model: Sequential, _ loss: any Loss, parameters: [Float]? = nil, batch: Int)
  {
    self.sample = sample
    self.model = model
    self.loss = loss
    self.parameters = parameters ?? randomParameters(of: model)
    self.batch = batch
  }

  package var sampler: Sampler {
    Sampler(sampling, exampleCount: sample.count, copies: copies, seed: seed)
  }

  public var schedule: BatchSchedule {
    BatchSchedule(exampleCount: sampler.count, globalBatch: batch, lastBatch: lastBatch)
  }

  /// What a training comes to.
  public struct Outcome<Number> {
    /// The mean loss of every batch before its update.
    public let losses: [Number]
    /// At the end.
    public let parameters: [Number]
    /// Of every step's gradient, where they were measured.
    public var norms: [Double] = []
    package var noise: [NoiseSample] = []
  }

  /// Trains `steps` steps, as many epochs as that takes.
  /// - Parameter afterStep: called with each step's number within its epoch.
  @discardableResult
  public func run(
    steps: Int, optimizer: any Optimizer = SGD(), afterStep: (Int) -> Void = { _ in }
  ) throws -> Outcome<Float> {
    _ = singleThreadedBLAS
    let communicator = SingleProcessCommunicator()
    let dataset = try Dataset(sharing: sample.examples, over: communicator)
    let trainer = try Trainer(
      model: model, loss: loss, dataset: dataset, sampler: sampler, schedule: schedule,
      shards: Shards(count: shards, worldSize: 1), microBatch: microBatch, optimizer: optimizer,
      clipping: clipping, noDecayFor: noDecayFor, learningRate: learningRate, arithmetic: arithmetic,
      communicator: communicator)
    _ = trainer.parameters.update(fromContentsOf: parameters)
    var losses: [Float] = []
    var norms: [Double] = []
    var noise: [NoiseSample] = []
    for step in 0..<steps {
      var plan = StepPlan(positions: schedule.positions(step: step % schedule.stepsPerEpoch))
      plan.measured = measuresNorms ? .halves : .none
      _ = try trainer.step(sampler.order(epoch: step / schedule.stepsPerEpoch), plan)
      losses.append(trainer.batchLoss)
      if let norm = trainer.gradientNorm { norms.append(norm) }
      if let sample = trainer.noise(ofBatch: plan.positions.count) { noise.append(sample) }
      afterStep(step % schedule.stepsPerEpoch)
    }
    return withExtendedLifetime((communicator, dataset)) {
      Outcome(losses: losses, parameters: Array(trainer.parameters), norms: norms, noise: noise)
    }
  }

  /// The same in double precision, from the whole batch at once.
  public func reference(steps: Int) -> Outcome<Double> {
    var network = DoubleNetwork(model, parameters.map(Double.init))
    var losses: [Double] = []
    for step in 0..<steps {
      let positions = schedule.positions(step: step % schedule.stepsPerEpoch)
      let order = sampler.order(epoch: step / schedule.stepsPerEpoch)
      let batch = order.examples(at: positions).map { sample.reference[$0] }
      losses.append(network.meanLoss(loss, batch))
      let gradient = network.gradient(loss, batch)
      for i in gradient.indices { network.parameters[i] -= Double(learningRate) * gradient[i] }
    }
    return Outcome(losses: losses, parameters: network.parameters)
  }
}

extension EpochOrder {
  /// The examples at `positions`.
  public func examples(at positions: Range<Int>) -> [Int] {
    [Int](unsafeUninitializedCapacity: positions.count) { buffer, count in
      fill(buffer.baseAddress!, positions: positions)
      count = positions.count
    }
  }
}
