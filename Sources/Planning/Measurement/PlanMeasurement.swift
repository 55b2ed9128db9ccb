// A plan's measurement from options to a cost model.
import DistributedSGD
import MPI
import NeuralNet
import Runs
import System

/// What a plan is of, and what was measured for it.
package struct MeasuredPlan: Sendable, Equatable {
  package var model: CostModel
  /// As tables call it.
  package var data, modelWords, arithmetic: String
  package var parameters: Int
  /// Of an epoch.
  package var examples: Int
  package var batch: Int
  /// Where it was measured.
  package var servers, ranks: Int
  package var noise: MeasuredNoise?
  /// By how much the steps of one rank alone differed from each other; 0 where none were measured.
  package var spread = 0.0

  /// Whether the time of a rank was not measured but stated.
  package var isGiven: Bool { model.alone.cores == Self.coresForAll }
  /// Of servers on which every rank has its own.
  static let coresForAll = 1 << 30

  package init(
    model: CostModel, data: String, modelWords: String, arithmetic: String, parameters: Int, examples: Int,
    batch: Int, servers: Int, ranks: Int, noise: MeasuredNoise?, spread: Double = 0
  ) {
    self.spread = spread
    self.model = model
    self.data = data
    self.modelWords = modelWords
    self.arithmetic = arithmetic
    self.parameters = parameters
    self.examples = examples
    self.batch = batch
    self.servers = servers
    self.ranks = ranks
    self.noise = noise
  }
}

package struct PlanMeasurement {
  private let options: PlanOptions
  private let communicator: any Communicator

  package init(_ options: PlanOptions, over communicator: any Communicator) {
    self.options = options
    self.communicator = communicator
  }

  /// Collective; the same on all ranks.
  /// - Throws: `AgreedError` on every rank alike, `DistsgdError` on ranks of a part, or `MPIError`.
  package func run() throws -> MeasuredPlan {
    let tells = communicator.rank == 0
    Stages.begin(3, isTold: tells)
    defer { Stages.end() }
    Stages.next("loading")
    let setUp = try SetUp(options.training, communicator: communicator)
    let training = setUp.options
    let examples = training.sampler(of: setUp.training).count
    try communicator.agreeingOnErrors { try options.requireExamples(examples) }
    try bindRanks(training.binding, over: communicator)
    Stages.next("measuring")
    let (model, spread) = try costModel(setUp, training)
    Stages.next("noise")
    var noise: MeasuredNoise?
    if options.run == nil, options.noiseScale == nil {
      noise = try measureNoise(training, sharing: setUp, over: communicator)
    }
    return MeasuredPlan(
      model: model, data: setUp.dataSummary, modelWords: setUp.specification.description,
      arithmetic: setUp.arithmetic.name, parameters: setUp.model.trainedCount,
      examples: examples, batch: training.globalBatch,
      servers: communicator.topology.serverCount, ranks: leastRanks, noise: noise, spread: spread)
  }

  /// Ranks that every server has.
  private var leastRanks: Int { communicator.topology.ranksOfServer.map(\.count).min() ?? 1 }

  private func costModel(_ setUp: SetUp, _ training: TrainingOptions) throws -> (CostModel, spread: Double) {
    let cores = try ServerCores(over: communicator).count
    let modelBytes = Double(training.wire.byteCount * setUp.model.parameterCount)
    if let rate = options.simulated?.rate {
      // A rank's time is given, and is the same with all others around it.
      let samples = [1, 2].map { rows in
        ServerSample(ranks: 1, share: Share(shards: 1, rows: rows), seconds: Double(rows) / rate)
      }
      let alone = ServerTime(samples, cores: MeasuredPlan.coresForAll, threads: 1)
      return (CostModel(modelBytes: modelBytes, shards: training.shards, alone: alone), 0)
    }
    let servers = communicator.topology.serverCount
    let (asked, batch) = (training.shards, training.globalBatch)
    var planned = PlannedMeasurement(
      servers: servers, ranks: leastRanks, batch: batch,
      largestBatch: (options.batches ?? []).max() ?? 4 * batch,
      examples: training.sampler(of: setUp.training).count,
      shardCount: { ranks in
        guard let asked else { return defaultShardCount(ranks: ranks, globalBatch: batch) }
        return asked >= ranks ? asked : nil
      })
    let least = setUp.model.leastRows
    planned.leastRows = max(least.batch, least.piece)
    var links = [[(least: Double, whole: Double)]](repeating: [], count: planned.rankCounts.count)
    let steps = try StepMeasurement(training, sharing: setUp, over: communicator).measure(
      planned.configurations, seconds: options.seconds
    ) { found in
      guard servers > 1 else { return }
      for (index, ranks) in planned.rankCounts.enumerated() {
        // The first of them has the share of a step of the whole job.
        let own = found.first { $0.configuration.scope == .together && $0.configuration.ranks == ranks }
        links[index].append(
          try link(ranks: ranks, floats: setUp.model.parameterCount, pause: own?.seconds ?? 0))
      }
    }
    func time(_ scope: Scope) -> ServerTime? {
      let samples = steps.filter { $0.configuration.scope == scope }.map {
        ServerSample(
          ranks: $0.configuration.ranks, share: $0.configuration.share, seconds: $0.seconds)
      }
      return samples.isEmpty ? nil : ServerTime(samples, cores: cores, threads: training.threads)
    }
    guard let alone = time(.alone) else {
      throw AgreedError(
        DistsgdError(.usage, "--shards \(asked ?? 1): there is no shard for each rank; give more"))
    }
    var model = CostModel(modelBytes: modelBytes, shards: asked, alone: alone, together: time(.together))
    model.networkSamples = steps.filter { $0.configuration.scope == .whole }.map {
      NetworkSample(
        shape: JobShape(servers: servers, ranks: $0.configuration.ranks), batch: $0.configuration.batch,
        seconds: $0.seconds)
    }
    if servers > 1 {
      model.networks = zip(planned.rankCounts, links).map { network($0, $1, of: model, servers: servers) }
    }
    return (model, steps[0].spread)
  }

  /// Messages between the first ranks of all servers, so many of each. Collective.
  private func link(ranks: Int, floats: Int, pause: Double) throws -> (least: Double, whole: Double) {
    var found = (least: 0.0, whole: 0.0)
    let one = Configuration(.whole, ranks: ranks, shards: 1, batch: 1)
    _ = try communicator.onParts(communicator.number(in: one)) { part in
      found = try LinkMeasurement(over: part, floats: floats, pause: pause).measure()
      return 0
    }
    return (
      try communicator.allReduce(found.least, .maximum), try communicator.allReduce(found.whole, .maximum)
    )
  }

  /// The network with so many ranks on each server, as it makes the steps that were measured.
  private func network(
    _ ranks: Int, _ links: [(least: Double, whole: Double)], of model: CostModel, servers: Int
  ) -> NetworkTime {
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let (least, whole) = (median(links.map(\.least)), median(links.map(\.whole)))
    let bytes = LinkMeasurement.bytes(servers: servers, floats: Int(model.modelBytes / 4))
    let network = NetworkTime(
      latency: least / NetworkTime.rounds(servers: servers),
      secondsPerByte: max(0, whole - least) / bytes, ranks: ranks)
    // Of a number of ranks that was not measured as one job, those of the next smaller one.
    let samples = model.networkSamples.filter { $0.shape.ranks <= ranks }
    let nearest = samples.filter { $0.shape.ranks == samples.map(\.shape.ranks).max() }
    return network.fitted(
      to: nearest.compactMap { sample in
        guard let share = model.share(sample.shape, batch: sample.batch) else { return nil }
        let arithmetic = (model.together ?? model.alone).seconds(ranks: sample.shape.ranks, share)
        return (arithmetic, servers, sample.seconds)
      }, modelBytes: model.modelBytes)
  }
}
