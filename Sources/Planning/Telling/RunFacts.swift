// What a run's files tell a plan: the noise of its gradients, steps to a loss, and how long its steps took.
import Report
import System
import Text

/// A run that was made.
package struct RunFacts: Sendable, Equatable {
  /// As it was named.
  package var name: String
  package var shape: JobShape
  /// Whether its servers have as many ranks each.
  package var isEven = true
  package var batch, parameters: Int
  package var model: String
  /// Of a step of a full batch; nil where it told of fewer than two.
  package var seconds: Double?
  /// The last that it told of.
  package var noiseScale: Double?
  /// Of the training set where it was evaluated, else of its steps, in their order.
  var losses: [(step: Double, loss: Double)] = []

  package static func == (a: RunFacts, b: RunFacts) -> Bool {
    (a.name, a.shape, a.batch, a.seconds, a.noiseScale) == (b.name, b.shape, b.batch, b.seconds, b.noiseScale)
  }

  /// - Parameters:
  ///   - path: of the run's folder, or its metrics.jsonl.
  ///   - flag: that names it.
  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  package init(_ path: String, flag: String) throws {
    let runs = try Sources([path]).runs
    func fail(_ what: String) -> DistsgdError {
      DistsgdError(.badData, "\(flag) '\(printable(path, limit: 200))': \(what)")
    }
    guard runs.count == 1, let run = runs.first else {
      throw fail("\(runs.count) runs lie there; name one, by its folder or its metrics.jsonl")
    }
    func count(_ name: String) throws -> Int {
      guard let value = run.setting(name)?.count, value >= 1 else {
        throw fail("its run event has no '\(name)'; name a run of distsgd train")
      }
      return value
    }
    name = printable(path, limit: 200)
    let (ranks, servers) = (try count("ranks"), try count("servers"))
    guard servers <= ranks, ranks <= 1 << 24 else {
      throw fail("it has \(ranks) ranks on \(servers) servers")
    }
    var ofServer = [Int](repeating: 0, count: servers)
    for server in run.setting("serverOfRank")?.array ?? [] {
      if let server = server.count, server < servers { ofServer[server] += 1 }
    }
    isEven = Set(ofServer).count == 1 || servers == 1
    shape = JobShape(servers: servers, ranks: ranks / servers)
    (batch, parameters) = (try count("globalBatch"), try count("parameters"))
    model = run.setting("model")?.string ?? "?"
    noiseScale = run.steps["noiseScale"].map(\.last).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    let points = run.steps["loss"]?.points ?? []
    if let first = points.first?.place, let last = points.last?.place, last.examples > first.examples,
      last.seconds > first.seconds
    {
      // A short last batch is a part of a step.
      seconds = (last.seconds - first.seconds) / (last.examples - first.examples) * Double(batch)
    }
    let evaluated = run.evaluations.first { $0.set == "training" }?.curves["loss"]?.points ?? []
    // One evaluation at the end is no curve.
    losses = (evaluated.count > 4 ? evaluated : points).filter { $0.finite > 0 }.map {
      ($0.place.step, $0.mean)
    }
    if let end = run.atEnd("loss")?.number, run.last.step.isFinite { losses.append((run.last.step, end)) }
  }

  /// The loss that it came to.
  package var finalLoss: Double? { losses.last?.loss }

  /// Steps until the loss was at most `target`.
  package func steps(to target: Double) -> Double? { losses.first { $0.loss <= target }?.step }

  /// What it says of batches.
  /// - Parameter target: nil: the loss that it came to.
  /// - Throws: `DistsgdError` (`badData`, `usage`).
  package func statistics(target: Double?) throws(DistsgdError) -> (BatchStatistics, loss: Double) {
    guard let noiseScale else {
      throw DistsgdError(
        .badData,
        "--from '\(name)': its steps tell of no noise scale, which every tenth logged step of a batch of several shards does; make a longer run, or one with a smaller --log-every"
      )
    }
    guard let finalLoss, let loss = target ?? Optional(finalLoss), let steps = steps(to: loss), steps > 0
    else {
      let least = losses.map(\.loss).min() ?? .nan
      throw DistsgdError(
        .usage,
        "--target-loss \(target ?? .nan): the run '\(name)' does not reach it; its least loss is \(readableLoss(least))"
      )
    }
    return (BatchStatistics(noiseScale: noiseScale, steps: steps, batch: batch), loss)
  }
}

/// A run's steps beside what was predicted of them.
package struct Comparison: Sendable, Equatable {
  package let run: RunFacts
  /// Of a step.
  package let predicted, measured: Double

  /// - Throws: `DistsgdError` (`usage`, `badData`) where the run is of another kind than the plan.
  package init(_ run: RunFacts, _ model: CostModel, parameters: Int) throws(DistsgdError) {
    func fail(_ what: String) -> DistsgdError { DistsgdError(.usage, "--against '\(run.name)': \(what)") }
    guard run.parameters == parameters else {
      throw fail(
        "its model '\(printable(run.model))' has \(run.parameters) parameters, that of the plan has \(parameters); plan with the options of that run"
      )
    }
    guard run.isEven else { throw fail("its servers had unequal numbers of ranks; a plan is of equal ones") }
    guard let measured = run.seconds else {
      throw fail("it told of fewer than two steps, which is no time of a step; let it run longer")
    }
    guard let step = model.step(run.shape, batch: run.batch) else {
      throw fail(
        run.shape.servers > 1
          ? "it had \(run.shape.servers) servers, and the plan knows no network; measure on several servers, or state one by --simulate"
          : "the plan's --shards are fewer than its \(run.shape.worldSize) ranks")
    }
    self.run = run
    self.measured = measured
    predicted = step.seconds
  }

  /// Predicted over measured.
  package var ratio: Double { predicted / measured }
}
