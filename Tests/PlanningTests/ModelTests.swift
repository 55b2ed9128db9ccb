// The cost model on made-up numbers, against closed forms.
import Planning
import Testing

/// Samples of a server on which a step takes `fixed + shards × (pass + rows × row)`, times `crowding` to the ranks.
private func samples(
  ranks: [Int], shards: [Int], rows: [Int], fixed: Double = 0.001, pass: Double = 0.0005,
  row: Double = 0.0001,
  crowding: Double = 1
) -> [ServerSample] {
  ranks.flatMap { ranks in
    shards.flatMap { shards in
      rows.map { rows in
        ServerSample(
          ranks: ranks, share: Share(shards: shards, rows: rows),
          seconds: (fixed + Double(shards) * (pass + Double(rows) * row))
            * (1 + (crowding - 1) * Double(ranks - 1)))
      }
    }
  }
}

private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }

@Suite struct ServerTimeTests {
  private let time = ServerTime(
    samples(ranks: [1, 2, 4], shards: [1, 8], rows: [4, 16, 128], crowding: 1.2), cores: 4, threads: 1)

  /// Times that are a line in each of rows, shards and ranks are met everywhere.
  @Test(
    arguments: [1, 2, 3, 4],
    [Share(shards: 1, rows: 4), .init(shards: 3, rows: 50), .init(shards: 16, rows: 1024)])
  func straightLinesAreMet(_ ranks: Int, _ share: Share) {
    let expected =
      (0.001 + Double(share.shards) * (0.0005 + Double(share.rows) * 0.0001)) * (1 + 0.2 * Double(ranks - 1))
    #expect(isClose(time.seconds(ranks: ranks, share), expected))
  }

  @Test func aSampleIsPredictedAsItWas() {
    for sample in time.samples {
      #expect(isClose(time.seconds(ranks: sample.ranks, sample.share), sample.seconds))
      #expect(time.isMeasured(ranks: sample.ranks, sample.share))
    }
    #expect(!time.isMeasured(ranks: 3, time.samples[0].share))
  }

  /// Beyond what was measured ranks take turns on the cores.
  @Test func moreRanksThanCoresTakeTurns() {
    let share = Share(shards: 1, rows: 16)
    #expect(isClose(time.seconds(ranks: 16, share), 4 * time.seconds(ranks: 4, share)))
    let roomy = ServerTime(time.samples, cores: 64, threads: 2)
    #expect(isClose(roomy.seconds(ranks: 32, share), roomy.seconds(ranks: 4, share)))
    #expect(isClose(roomy.seconds(ranks: 64, share), 2 * roomy.seconds(ranks: 4, share)))
  }

  @Test func oneNumberOfShardsGoesByExamples() {
    let one = ServerTime(
      samples(ranks: [1], shards: [8], rows: [16, 128], fixed: 0, pass: 0), cores: 1, threads: 1)
    #expect(isClose(one.seconds(ranks: 1, Share(shards: 1, rows: 256)), 0.0256))
    let single = ServerTime(
      samples(ranks: [1], shards: [8], rows: [16], fixed: 0, pass: 0), cores: 1, threads: 1)
    #expect(isClose(single.seconds(ranks: 1, Share(shards: 8, rows: 64)), 4 * 0.0128))
    #expect(isClose(single.seconds(ranks: 1, Share(shards: 8, rows: 1)), 0.0128))
  }

  /// Of 8 shards one size was measured, of one shard two: those tell what a row costs.
  @Test func aShardsRowsTellWhatOthersCost() {
    let measured =
      samples(ranks: [1], shards: [8], rows: [16]) + samples(ranks: [1], shards: [1], rows: [1, 16])
    let time = ServerTime(measured, cores: 1, threads: 1)
    for rows in [16, 64, 1024] {
      #expect(isClose(time.seconds(ranks: 1, Share(shards: 8, rows: rows)), 0.005 + 0.0008 * Double(rows)))
    }
    // Less of it takes as much less as of one shard.
    #expect(isClose(time.seconds(ranks: 1, Share(shards: 8, rows: 1)), 0.0178 * 0.0016 / 0.0031))
  }

  /// Noise may make more work seem quicker; a prediction does not follow it out of the measured range.
  @Test func nothingBecomesQuickerByMoreWork() {
    let points: [(x: Double, y: Double)] = [(1, 3.0), (2, 4.0), (4, 2.0)]
    #expect(interpolated(points, at: 8) == 2)
    #expect(interpolated(points, at: 3) == 3)
    #expect(interpolated([(10, 5.0), (20, 10.0)], at: 0) == 1.25)
    #expect(interpolated([], at: 1).isNaN)
  }

  @Test(arguments: [
    (128, 8, 1, 8, 16), (128, 8, 8, 1, 16), (128, 8, 3, 3, 16), (1000, 16, 16, 1, 63), (7, 4, 4, 1, 2),
  ])
  func theShareOfTheRankWithMostToDo(_ batch: Int, _ shards: Int, _ ranks: Int, _ own: Int, _ rows: Int) {
    #expect(Share(batch: batch, shards: shards, ranks: ranks) == Share(shards: own, rows: rows))
  }
}

@Suite struct NetworkTimeTests {
  @Test(arguments: [
    (1, 0.0, 0.0), (2, 2.0, 1.0), (3, 4.0, 4.0 / 3.0), (4, 4.0, 1.5), (5, 6.0, 1.6),
    (1024, 20.0, 2046.0 / 1024.0),
  ])
  func roundsAndBytes(_ servers: Int, _ rounds: Double, _ share: Double) {
    #expect(NetworkTime.rounds(servers: servers) == rounds)
    #expect(isClose(NetworkTime.bytes(servers: servers, modelBytes: 400), 400 * share))
  }

  /// 23.3 MB over a link of 1 Gbit/s, beside 122 ms of arithmetic.
  @Test(arguments: [(0.0, 0.3084), (1.0, 0.1864), (0.5, 0.2474)])
  func overlapHidesTheShorter(_ overlap: Double, _ expected: Double) {
    let network = NetworkTime(latency: 0, secondsPerByte: 8e-9, overlap: overlap)
    #expect(isClose(network.step(arithmetic: 0.122, servers: 2, modelBytes: 23.3e6), expected))
    #expect(network.step(arithmetic: 0.122, servers: 1, modelBytes: 23.3e6) == 0.122)
  }

  @Test func latencyIsPaidForEachRound() {
    let network = NetworkTime(latency: 1e-4, secondsPerByte: 0)
    #expect(isClose(network.messages(servers: 8, modelBytes: 1), 6e-4))
  }

  /// A network that is fitted to steps makes them again.
  @Test(arguments: [0.13, 0.15, 0.19, 0.25, 0.3084, 0.35])
  func aFitMakesTheStepThatItIsFittedTo(_ seconds: Double) {
    let network = NetworkTime(latency: 0, secondsPerByte: 8e-9).fitted(
      to: [(0.122, 2, seconds)], modelBytes: 23.3e6)
    let made = network.step(arithmetic: 0.122, servers: 2, modelBytes: 23.3e6)
    #expect(isClose(made, seconds))
    #expect(network.overlap == 0 || network.handling == 0)
  }
}

@Suite struct BatchStatisticsTests {
  @Test func stepsAndExamplesOfMcCandlish() throws {
    let found = BatchStatistics(noiseScale: 1000, steps: 2000, batch: 1000)
    #expect(found.leastSteps == 1000)
    for (batch, steps) in [(1000, 2000.0), (500, 3000), (4000, 1250)] {
      #expect(isClose(try #require(found.steps(batch: batch)), steps))
      // (S/S_min − 1)(E/E_min − 1) = 1
      let examples = steps * Double(batch) / (1000 * 1000)
      #expect(isClose((steps / 1000 - 1) * (examples - 1), 1))
      #expect(isClose(found.efficiency(batch: batch), 1 / examples))
    }
    #expect(BatchStatistics(noiseScale: 10).steps(batch: 10) == nil)
  }
}

@Suite struct CostModelTests {
  private let alone = ServerTime(
    samples(ranks: [1, 2, 4], shards: [1, 2, 4, 8], rows: [1, 16, 64, 128], fixed: 0, pass: 0), cores: 4,
    threads: 1)

  @Test func oneServerHasNoMessages() throws {
    let model = CostModel(modelBytes: 4e6, alone: alone)
    let step = try #require(model.step(JobShape(servers: 1, ranks: 4), batch: 128))
    #expect(step.messages == 0 && isClose(step.seconds, 0.0032))
    #expect(model.step(JobShape(servers: 2, ranks: 4), batch: 128) == nil)
    #expect(model.isMeasured(JobShape(servers: 1, ranks: 2), batch: 128))
    #expect(!model.isMeasured(JobShape(servers: 1, ranks: 3), batch: 128))
  }

  @Test func moreRanksThanShardsCannotBe() {
    let model = CostModel(modelBytes: 4e6, shards: 4, alone: alone)
    #expect(model.step(JobShape(servers: 1, ranks: 4), batch: 128) != nil)
    #expect(model.step(JobShape(servers: 1, ranks: 5), batch: 128) == nil)
  }

  @Test func theNetworkOfTheNearestNumberOfRanks() {
    let networks = [1, 2, 4].map { NetworkTime(latency: Double($0), secondsPerByte: 0, ranks: $0) }
    let model = CostModel(modelBytes: 4, alone: alone, networks: networks)
    #expect([1, 2, 3, 4, 9].map { model.network(ranks: $0)?.latency } == [1, 2, 2, 4, 4])
  }

  @Test func aStepThatWasMeasuredIsPredictedAsItWas() throws {
    let shape = JobShape(servers: 2, ranks: 2)
    let model = CostModel(
      modelBytes: 4e6, alone: alone, networks: [NetworkTime(latency: 1e-4, secondsPerByte: 1e-9)],
      networkSamples: [NetworkSample(shape: shape, batch: 128, seconds: 0.5)])
    #expect(model.step(shape, batch: 128)?.seconds == 0.5 && model.isMeasured(shape, batch: 128))
    // 2 shards of 32 examples, then 4 MB: half of it, twice.
    let step = try #require(model.step(shape, batch: 256))
    #expect(isClose(step.seconds, 0.0064 + 2e-4 + 4e-3))
  }
}
