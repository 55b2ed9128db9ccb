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

  package init(_ scope: Scope, ranks: Int, shards: Int, batch: Int) {
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
  /// Whether jobs of more servers than there are here are asked for.
  package var goesFurther: Bool
  /// V of a job of so many ranks; nil where it cannot be had.
  package var shardCount: @Sendable (_ ranks: Int) -> Int?

  package init(
    servers: Int, ranks: Int, batch: Int, largestBatch: Int, examples: Int, goesFurther: Bool,
    shardCount: @escaping @Sendable (Int) -> Int?
  ) {
    self.servers = servers
    self.ranks = ranks
    self.batch = batch
    self.largestBatch = largestBatch
    self.examples = examples
    self.goesFurther = goesFurther
    self.shardCount = shardCount
  }

  /// 1, 2, 4 … and all ranks of a server.
  package var rankCounts: [Int] {
    Array(sequence(first: 1) { 2 * $0 < ranks ? 2 * $0 : nil }) + (ranks > 1 ? [ranks] : [])
  }

  /// In the order in which they are measured; none twice.
  package var configurations: [Configuration] {
    var found: [Configuration] = []
    func add(_ scope: Scope, _ ranks: Int, shards: Int, batch: Int) {
      let one = Configuration(scope, ranks: ranks, shards: shards, batch: batch)
      if batch >= 1, batch <= examples, shards >= ranks, !found.contains(one) { found.append(one) }
    }
    // A batch of as many shards that are larger, or smaller where none are asked for.
    let factor = largestBatch > batch ? min(4, largestBatch / batch) : 1
    func addSizes(_ scope: Scope, _ ranks: Int, _ share: Share) {
      let shards = ranks * share.shards
      add(scope, ranks, shards: shards, batch: shards * share.rows)
      let other = factor > 1 ? factor * share.rows : share.rows / 4
      if other >= 1 { add(scope, ranks, shards: shards, batch: shards * other) }
    }
    for ranks in rankCounts {
      guard let shards = shardCount(ranks) else { continue }
      add(.alone, ranks, shards: shards, batch: batch)
      let own = Share(batch: batch, shards: shards, ranks: ranks)
      if factor > 1 {
        add(.alone, ranks, shards: shards, batch: factor * batch)
      } else if own.rows >= 4 {
        add(.alone, ranks, shards: shards, batch: shards * (own.rows / 4))
      }
      if goesFurther {
        // Of many servers each rank has one shard, and of a small batch few examples.
        let scope = servers > 1 ? Scope.together : .alone
        add(scope, ranks, shards: ranks, batch: ranks)
        add(scope, ranks, shards: ranks, batch: ranks * own.rows)
      }
    }
    guard servers > 1 else { return found }
    for ranks in rankCounts {
      guard let shards = shardCount(servers * ranks) else { continue }
      addSizes(.together, ranks, Share(batch: batch, shards: shards, ranks: servers * ranks))
    }
    for ranks in Set([1, self.ranks]).sorted() {
      if let shards = shardCount(servers * ranks) { add(.whole, ranks, shards: shards, batch: batch) }
    }
    return found
  }
}
