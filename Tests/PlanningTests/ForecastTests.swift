// Tables and advice on made-up numbers, what is measured for them, and machines that are not here.
import Planning
import System
import Testing

/// Ranks that take 1 ms for an example, each with a core of its own.
private let perfect = ServerTime(
  [1, 2].map { ServerSample(ranks: 1, share: Share(shards: 1, rows: $0), seconds: Double($0) * 1e-3) },
  cores: 1 << 20, threads: 1)

private func shapes(_ servers: [Int], ranks: Int = 1) -> [JobShape] {
  servers.map { JobShape(servers: $0, ranks: ranks) }
}

@Suite struct ForecastTests {
  @Test func aNetworkWithoutCostMakesRanksPerfect() {
    let model = CostModel(
      modelBytes: 4e6, alone: perfect, networks: [NetworkTime(latency: 0, secondsPerByte: 0)])
    let forecast = Forecast(
      model, shapes: shapes([1, 2, 4, 64]), batches: [64, 128, 4096], batch: 128, examples: 1280,
      statistics: nil)
    #expect(forecast.predictions.count == 8, "4096 are more than there are")
    for one in forecast.predictions {
      #expect(abs(one.efficiency - 1) < 1e-9)
      #expect(abs(one.examplesPerSecond / (1000 * Double(one.worldSize)) - 1) < 1e-9)
      #expect(abs(one.epochSeconds * one.examplesPerSecond / 1280 - 1) < 1e-9)
      #expect(one.steps == nil && one.relativeSeconds == nil)
    }
    #expect(forecast.recommended?.worldSize == 64 && forecast.recommended?.batch == 128)
  }

  /// With messages of 16 ms a step of 128 examples never takes less: twice as many ranks soon gain too little.
  @Test func ranksBeyondTheMessagesAreWasted() throws {
    let model = CostModel(
      modelBytes: 8e6, alone: perfect, networks: [NetworkTime(latency: 0, secondsPerByte: 1e-9)])
    let servers = [1, 2, 4, 8, 16, 32, 64, 128]
    let forecast = Forecast(
      model, shapes: shapes(servers), batches: [128], batch: 128, examples: 1280, statistics: nil)
    let seconds = forecast.predictions.map(\.seconds)
    for (index, servers) in servers.enumerated() {
      let part = Double(servers - 1) / Double(servers)
      #expect(abs(seconds[index] - (0.128 / Double(servers) + 0.016 * part)) < 1e-9)
    }
    var best = 0
    for next in servers.indices.dropFirst() {
      if seconds[best] / seconds[next] >= pow2(1.1, next - best) { best = next }
    }
    #expect(forecast.recommended?.worldSize == servers[best] && best > 2 && best < servers.count - 1)
  }

  private func pow2(_ base: Double, _ power: Int) -> Double {
    (0..<power).reduce(1) { product, _ in product * base }
  }

  /// With noise known, small batches waste steps and large ones examples: of perfect ranks, the time to a loss is that of
  /// E_min·(1 + B/B_noise) examples.
  @Test func theNoiseScaleChoosesTheBatch() throws {
    let model = CostModel(
      modelBytes: 8e6, alone: perfect, networks: [NetworkTime(latency: 0, secondsPerByte: 1e-9)])
    let batches = [32, 128, 512, 2048]
    let forecast = Forecast(
      model, shapes: shapes([1, 2, 4, 8, 16]), batches: batches, batch: 128, examples: 100_000,
      statistics: BatchStatistics(noiseScale: 1000, steps: 9000, batch: 125))
    for one in forecast.predictions {
      let steps = 1000 * (1 + 1000 / Double(one.batch))
      #expect(abs(try #require(one.steps) / steps - 1) < 1e-9)
      #expect(abs(try #require(one.secondsToLoss) / (steps * one.seconds) - 1) < 1e-9)
    }
    let best = try #require(forecast.recommended)
    #expect(best.worldSize == 16 && best.batch == 512)
  }
}

@Suite struct ConfigurationTests {
  private func planned(
    servers: Int, ranks: Int, batch: Int = 128, largest: Int = 512, examples: Int = 10_000
  ) -> [Configuration] {
    PlannedMeasurement(
      servers: servers, ranks: ranks, batch: batch, largestBatch: largest, examples: examples,
      shardCount: { max(8, $0) }
    ).configurations
  }

  @Test func oneServerMeasuresTheStepsOfItsTable() {
    let found = planned(servers: 1, ranks: 2)
    #expect(
      found == [
        Configuration(.alone, ranks: 1, shards: 8, batch: 128), .init(.alone, ranks: 1, shards: 1, batch: 16),
        .init(.alone, ranks: 1, shards: 1, batch: 1),
        .init(.alone, ranks: 1, shards: 8, batch: 512, factor: 4),
        .init(.alone, ranks: 2, shards: 8, batch: 128), .init(.alone, ranks: 2, shards: 2, batch: 32),
        .init(.alone, ranks: 2, shards: 2, batch: 2),
        .init(.alone, ranks: 2, shards: 8, batch: 512, factor: 4),
      ])
  }

  /// What is measured has the shares of the ranks of the job over all servers.
  @Test func severalServersMeasureTheirOwnPartsToo() {
    let found = planned(servers: 2, ranks: 2)
    #expect(found.contains(Configuration(.together, ranks: 2, shards: 4, batch: 64)))
    #expect(found.contains(Configuration(.together, ranks: 1, shards: 4, batch: 64)))
    #expect(found.filter { $0.scope == .whole }.map(\.ranks) == [1, 2])
    #expect(found.filter { $0.scope == .whole }.allSatisfy { $0.batch == 128 && $0.shards == 8 })
  }

  @Test(arguments: [1, 2, 3, 8, 13], [1, 2, 3])
  func allOfItCanBeMade(_ ranks: Int, _ servers: Int) {
    for batch in [1, 7, 128] {
      let found = planned(servers: servers, ranks: ranks, batch: batch, examples: 130)
      #expect(Set(found).count == found.count)
      for one in found {
        #expect(one.batch >= 1 && one.batch <= 130 && one.ranks <= ranks)
        #expect(one.shards >= one.ranks * (one.scope == .whole ? servers : 1))
      }
      #expect(found.first == Configuration(.alone, ranks: 1, shards: 8, batch: batch))
      #expect(found.contains { $0.scope == .whole && $0.ranks == ranks } == (servers > 1))
    }
  }
}

@Suite struct SimulatedJobTests {
  @Test(arguments: [
    ("10gbit", 1.25e9), ("100mbit", 12.5e6), ("1.25GB/s", 1.25e9), ("10Gbit/s", 1.25e9), ("8b/s", 1.0),
    ("125MB/s", 125e6),
  ])
  func rates(_ text: String, _ bytes: Double) throws {
    let job = try SimulatedJob("latency=50us,bandwidth=\(text),servers=4")
    #expect(abs(job.bandwidth / bytes - 1) < 1e-12 && abs(job.latency / 50e-6 - 1) < 1e-12)
    #expect(job.servers == 4 && job.ranks == nil && job.overlap == nil && job.rate == nil)
    #expect(abs(job.network(as: nil).secondsPerByte * bytes - 1) < 1e-12)
  }

  @Test func allOfIt() throws {
    let job = try SimulatedJob("servers=1024,latency=0.1ms,bandwidth=1gbit,ranks=8,overlap=0.5,rate=2000")
    #expect(job.ranks == 8 && job.overlap == 0.5 && job.rate == 2000 && job.latency == 1e-4)
    #expect(job.network(as: NetworkTime(latency: 1, secondsPerByte: 1, overlap: 0.9)).overlap == 0.5)
  }

  @Test(arguments: [
    "", "latency=50us", "latency=50,bandwidth=1gbit,servers=2", "latency=50us,bandwidth=1,servers=2",
    "latency=50us,bandwidth=1gbit,servers=0", "latency=50us,bandwidth=1gbit,servers=100001",
    "latency=50us,bandwidth=1gbit,servers=50000,ranks=8", "latency=50us,bandwidth=1gbit,servers=2,overlap=2",
    "latency=-1us,bandwidth=1gbit,servers=2", "latency=50us,bandwidth=nangbit,servers=2",
    "latency=50us,bandwidth=1gbit,servers=2,speed=1", "latency=50us;bandwidth=1gbit",
  ])
  func refused(_ text: String) {
    do {
      _ = try SimulatedJob(text)
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.code == .usage && error.description.hasPrefix("--simulate"), "\(error)")
    }
  }
}
