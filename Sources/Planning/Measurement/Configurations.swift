// Which steps are measured: those that the table needs, and two sizes of shards to go on from.

/// Who makes a measured step.
package enum Scope: String, Sendable {
  /// Some ranks of the first server, while all others sleep.
  case alone
  /// The same on each server at once: every one is a job by itself.
  case together
  /// Ranks of all servers as one job.
  case whole
}

/// A step that is to be measured.
package struct Configuration: Sendable, Hashable {
  package var scope: Scope
  /// Of each server.
  package var ranks: Int
  /// Of the job that makes it.
  package var shards, batch: Int
  /// How many times as much it has to do as one that comes before it and needs no more than a step: left out where there
  /// is no time for it. 1: it is needed.
  package var factor = 1

  package init(_ scope: Scope, ranks: Int, shards: Int, batch: Int, factor: Int = 1) {
    self.factor = factor
    self.scope = scope
    self.ranks = ranks
    self.shards = shards
    self.batch = batch
  }

  /// What each of its ranks has to do; of a job of one server.
  package var share: Share { Share(batch: batch, shards: shards, ranks: ranks) }
}

/// What there is, and what is asked for.
package struct PlannedMeasurement: Sendable {
  /// Servers of this job, and ranks that each of them has.
  package var servers, ranks: Int
  /// B as it was asked for, and the largest of the table.
  package var batch, largestBatch: Int
  /// Of an epoch.
  package var examples: Int
  /// Examples of a shard at least: a layer that looks at others of its batch needs two.
  package var leastRows = 1
  /// V of a job of so many ranks; nil where it cannot be had.
  package var shardCount: @Sendable (_ ranks: Int) -> Int?

  package init(
    servers: Int, ranks: Int, batch: Int, largestBatch: Int, examples: Int,
    shardCount: @escaping @Sendable (Int) -> Int?
  ) {
    self.servers = servers
    self.ranks = ranks
    self.batch = batch
    self.largestBatch = largestBatch
    self.examples = examples
    self.shardCount = shardCount
  }

  /// 1, 2, 4 … and all ranks of a server.
  package var rankCounts: [Int] { doublings(to: ranks) }

  /// In the order in which they are measured; none twice.
  package var configurations: [Configuration] {
    var found: [Configuration] = []
    func add(_ scope: Scope, _ ranks: Int, shards: Int, batch: Int, factor: Int = 1) {
      let one = Configuration(scope, ranks: ranks, shards: shards, batch: batch, factor: factor)
      guard batch >= 1, batch <= examples, shards >= ranks else { return }
      if !found.contains(where: {
        $0.scope == scope && $0.ranks == ranks && $0.shards == shards && $0.batch == batch
      }) {
        found.append(one)
      }
    }
    let factor = largestBatch > batch ? min(4, largestBatch / batch) : 1
    func addSizes(_ scope: Scope, _ ranks: Int, shards: Int, batch: Int) {
      let share = Share(batch: batch, shards: shards, ranks: ranks)
      add(scope, ranks, shards: shards, batch: batch)
      // In jobs of many ranks each has one shard, of few examples where the batch is small.
      add(scope, ranks, shards: ranks, batch: ranks * max(share.rows, leastRows))
      add(scope, ranks, shards: ranks, batch: ranks * leastRows)
      if factor > 1 { add(scope, ranks, shards: shards, batch: factor * batch, factor: factor) }
    }
    for ranks in rankCounts {
      if let shards = shardCount(ranks) { addSizes(.alone, ranks, shards: shards, batch: batch) }
    }
    guard servers > 1 else { return found }
    for ranks in rankCounts {
      guard let all = shardCount(servers * ranks) else { continue }
      let share = Share(batch: batch, shards: all, ranks: servers * ranks)
      let shards = ranks * share.shards
      addSizes(.together, ranks, shards: shards, batch: shards * share.rows)
    }
    for ranks in Set([1, self.ranks]).sorted() {
      if let shards = shardCount(servers * ranks) { add(.whole, ranks, shards: shards, batch: batch) }
    }
    return found
  }
}

/// 1, 2, 4 … and `last`.
func doublings(to last: Int) -> [Int] {
  Array(sequence(first: 1) { 2 * $0 < last ? 2 * $0 : nil }) + (last > 1 ? [last] : [])
}
