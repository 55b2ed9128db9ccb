// How many shards a batch has where nobody says.
import Runs
import Testing

@Suite struct DefaultShardsTests {
  @Test(arguments: [
    (1, 128, 8), (8, 128, 8), (9, 128, 16), (16, 128, 16), (17, 128, 32), (1, 1, 1), (1, 5, 5), (3, 2, 3),
    (12, 10, 12),
    (9, 12, 12), (1, 8, 8),
  ]) func count(ranks: Int, batch: Int, shards: Int) {
    var options = TrainingOptions()
    options.globalBatch = batch
    #expect(options.shardCount(ranks: ranks) == shards)
    options.shards = 128
    #expect(options.shardCount(ranks: ranks) == 128)
  }
}
