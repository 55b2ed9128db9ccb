// How many shards a batch is cut into where nobody says: enough for the usual numbers of ranks to have the same bits.

extension TrainingOptions {
  /// V: what was asked for, or 8; for more than 8 ranks the next power of two, so that jobs of up to that many have the
  /// same bits. A batch of fewer examples has no more shards than those, as long as every rank has one.
  package func shardCount(ranks: Int) -> Int {
    shards ?? defaultShardCount(ranks: ranks, globalBatch: globalBatch)
  }
}

/// The same where nothing was asked for.
package func defaultShardCount(ranks: Int, globalBatch: Int) -> Int {
  var count = 8
  while count < ranks { count *= 2 }
  return max(ranks, min(count, globalBatch))
}
