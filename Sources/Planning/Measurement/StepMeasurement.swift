// The seconds of the steps that a plan is made of, measured in turns.
import DistributedSGD
import MPI
import Runs
import System

/// What was found of a configuration.
struct MeasuredStep {
  let configuration: Configuration
  /// Of a step.
  let seconds: Double
  /// By how much a slow block took longer than a quick one: of ten blocks the second from each end.
  let spread: Double
}

/// The same so far.
private struct Timed {
  let configuration: Configuration
  /// Of a step, a number a block.
  var seconds: [Double] = []
  var isLeftOut = false

  /// The mean without a tenth at each end. A run's time is the sum of its steps, of those too that others on the machine
  /// disturb: a median would leave them out.
  var mean: Double {
    let left = seconds.count / 10
    let kept = seconds.sorted()[left..<seconds.count - left]
    return kept.reduce(0, +) / Double(kept.count)
  }

  var result: MeasuredStep {
    let sorted = seconds.sorted()
    let left = seconds.count / 10
    return MeasuredStep(
      configuration: configuration, seconds: mean, spread: sorted[sorted.count - 1 - left] / sorted[left] - 1)
  }
}

/// Measures configurations again and again, each in its turn, so that what disturbs the machine for a while disturbs all of
/// them alike.
struct StepMeasurement {
  private let setUp: SetUp
  private let options: TrainingOptions
  private let communicator: any Communicator

  private static let secondsOfBlock = 0.04
  /// A network has a longer memory than a cache: buckets of tokens, windows that grow and shrink.
  private static let secondsOfNetworkBlock = 0.25
  private static let blocks = 3
  private static let mostRounds = 9
  /// With which no batch diverges; its value costs no time.
  private static let learningRate = 0.0001

  /// - Parameter options: of the run that is planned.
  init(_ options: TrainingOptions, sharing setUp: SetUp, over communicator: any Communicator) {
    var options = options
    options.learningRate = Self.learningRate
    options.batchScaling = nil
    options.baseBatch = nil
    options.earlyStopping = nil
    options.keepsBest = false
    options.averageDecay = nil
    options.averagesEpochs = false
    options.averagesFrom = nil
    options.binding = .none
    self.options = options
    self.setUp = setUp
    self.communicator = communicator
  }

  /// Seconds of a step of each configuration that there was time for, the mean over its blocks. Collective.
  /// - Parameters:
  ///   - seconds: how long all rounds should take; there is one at least.
  ///   - between: done behind each round, with what was found so far.
  func measure(
    _ configurations: [Configuration], seconds: Double,
    between: ([MeasuredStep]) throws -> Void
  ) throws -> [MeasuredStep] {
    var found = configurations.map { Timed(configuration: $0) }
    var results: [MeasuredStep] { found.filter { !$0.isLeftOut }.map(\.result) }
    let start = monotonicSeconds()
    /// Whether so many more seconds are too many; the same on all ranks.
    func isTooMuch(_ more: Double) throws -> Bool {
      try communicator.broadcast(monotonicSeconds() - start + more > seconds ? 1 : 0, from: 0) == 1
    }
    for round in 0..<Self.mostRounds {
      let begin = monotonicSeconds()
      for index in found.indices where !found[index].isLeftOut {
        Stages.part((Double(round) + Double(index) / Double(found.count)) / Double(Self.mostRounds))
        let one = found[index].configuration
        if round == 0, one.factor > 1,
          let base = found.first(where: {
            $0.configuration.scope == one.scope && $0.configuration.ranks == one.ranks
          })
        {
          found[index].isLeftOut = try isTooMuch(4 * Double(one.factor) * base.mean)
        }
        if !found[index].isLeftOut { try time(&found[index]) }
      }
      try between(results)
      if try isTooMuch(monotonicSeconds() - begin) { break }
    }
    return results
  }

  private func time(_ timed: inout Timed) throws {
    let configuration = timed.configuration
    var blocks = [Double](repeating: 0, count: Self.blocks)
    let count = try communicator.onParts(communicator.number(in: configuration)) { part in
      let found: [Double]
      do { found = try self.blocks(of: configuration, on: part) } catch let error as AgreedError {
        // A batch that nobody has asked for may need more memory than there is.
        guard configuration.factor > 1 else { throw error }
        return 0
      }
      for (index, seconds) in found.enumerated() { blocks[index] = seconds }
      return Double(found.count)
    }
    timed.isLeftOut = count == 0
    for index in 0..<Int(count) {
      timed.seconds.append(try communicator.allReduce(blocks[index], .maximum))
    }
  }

  /// Seconds of a step in some blocks.
  private func blocks(of configuration: Configuration, on part: any Communicator) throws -> [Double] {
    var options = options
    options.shards = configuration.shards
    options.globalBatch = configuration.batch
    let run = try TrainingRun(options, sharing: setUp, communicator: part)
    // Nothing of the last step is on its way any more when the part of the job that made it ends.
    defer { run.trainer.settle() }
    let steps = run.repeatedSteps(tellEvery: options.logEvery)
    /// Seconds of the slowest rank.
    func seconds(_ count: Int) throws(MPIError) -> Double {
      try part.barrier()
      let start = monotonicSeconds()
      try steps(count)
      return try part.allReduce(monotonicSeconds() - start, .maximum)
    }
    // The first step meets cold caches and pages that nobody has touched.
    _ = try seconds(1)
    let once = try seconds(1)
    let ofBlock = configuration.scope == .whole ? Self.secondsOfNetworkBlock : Self.secondsOfBlock
    let count = max(1, min(10_000, Int(ofBlock / max(once, 1e-7))))
    // Long steps are few.
    if once > 2 * ofBlock { return [once, try seconds(1), try seconds(1)] }
    if count > 4 { _ = try seconds(count / 4) }
    return try (0..<Self.blocks).map { _ in try seconds(count) / Double(count) }
  }
}
