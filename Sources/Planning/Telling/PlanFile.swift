// A plan as a JSON object, and back: what `--output` leaves, `--load` goes on from.
import Report
import System
import Text

extension Plan {
  /// The same as one object.
  package var json: JSONLine {
    var line = JSONLine()
    line["plan"] = 1
    line["advice"] = advice
    line["recommended"] = forecast.recommended.map(json)
    line["simulated"] = isSimulated
    line["targetLoss"] = targetLoss
    line["noiseScale"] = forecast.statistics?.noiseScale
    line["noiseSource"] = noiseSource
    line["leastSteps"] = forecast.statistics?.leastSteps
    line["predictions"] = forecast.predictions.map(json)
    line["comparisons"] = comparisons.map { one in
      var line = JSONLine()
      line["run"] = one.run.name
      line["servers"] = one.run.shape.servers
      line["ranks"] = one.run.shape.ranks
      line["globalBatch"] = one.run.batch
      line["predictedSeconds"] = one.predicted
      line["measuredSeconds"] = one.measured
      line["ratio"] = one.ratio
      return line
    }
    line["measured"] = measured.json
    return line
  }

  private func json(_ one: Prediction) -> JSONLine {
    var line = JSONLine()
    line["servers"] = one.shape.servers
    line["ranks"] = one.shape.ranks
    line["globalBatch"] = one.batch
    line["stepSeconds"] = one.seconds
    line["messageSeconds"] = one.messageSeconds
    line["isMeasured"] = one.isMeasured
    line["examplesPerSecond"] = one.examplesPerSecond
    line["efficiency"] = one.efficiency
    line["epochSeconds"] = one.epochSeconds
    line["examplesUsed"] = forecast.statistics?.efficiency(batch: one.batch)
    line["steps"] = one.steps
    line["secondsToLoss"] = one.secondsToLoss
    return line
  }
}

extension MeasuredPlan {
  /// All that predictions are made of.
  var json: JSONLine {
    var line = JSONLine()
    line["data"] = data
    line["model"] = modelWords
    line["arithmetic"] = arithmetic
    line["parameters"] = parameters
    line["examples"] = examples
    line["globalBatch"] = batch
    line["servers"] = servers
    line["ranks"] = ranks
    line["modelBytes"] = model.modelBytes
    line["shards"] = model.shards
    line["alone"] = model.alone.json
    line["together"] = model.together?.json
    line["networks"] = model.networks.map { network in
      var line = JSONLine()
      line["ranks"] = network.ranks
      line["latencySeconds"] = network.latency
      line["secondsPerByte"] = network.secondsPerByte
      line["overlap"] = network.overlap
      line["handlingSecondsPerByte"] = network.handling
      return line
    }
    line["networkSteps"] = model.networkSamples.map { sample in
      var line = JSONLine()
      line["servers"] = sample.shape.servers
      line["ranks"] = sample.shape.ranks
      line["globalBatch"] = sample.batch
      line["seconds"] = sample.seconds
      return line
    }
    line["noiseScale"] = noise?.noiseScale
    line["noiseSource"] = noise?.source
    line["spread"] = spread
    return line
  }

  /// Reads the file that a plan has left.
  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  package init(loading path: String) throws {
    let name = printable(path, limit: 200)
    guard path.hasSuffix(".json") else {
      throw DistsgdError(
        .usage, "--load '\(name)': should be the plan.json that 'distsgd plan --output DIR' leaves in DIR")
    }
    guard let tree = try Sources([path]).benches.first?.numbers["measured"] else {
      throw DistsgdError(
        .badData,
        "--load '\(name)': there is no member 'measured'; name the plan.json of 'distsgd plan --output'"
      )
    }
    let reader = Reader(name: name, tree: tree)
    try self.init(reader)
  }

  private init(_ reader: Reader) throws(DistsgdError) {
    let modelBytes = try reader.positive("modelBytes")
    var model = CostModel(modelBytes: modelBytes, alone: try ServerTime(reader.member("alone")))
    if let shards = reader.tree["shards"]?.count, 1...1 << 20 ~= shards { model.shards = shards }
    if case .object? = reader.tree["together"] { model.together = try ServerTime(reader.member("together")) }
    model.networks = try reader.list("networks").map { (one) throws(DistsgdError) in
      NetworkTime(
        latency: try one.number("latencySeconds"), secondsPerByte: try one.number("secondsPerByte"),
        overlap: try one.number("overlap"), handling: try one.number("handlingSecondsPerByte"),
        ranks: try one.count("ranks"))
    }
    model.networkSamples = try reader.list("networkSteps").map { (one) throws(DistsgdError) in
      NetworkSample(
        shape: JobShape(servers: try one.count("servers"), ranks: try one.count("ranks")),
        batch: try one.count("globalBatch"), seconds: try one.positive("seconds"))
    }
    var noise: MeasuredNoise?
    if let scale = reader.tree["noiseScale"]?.number, scale > 0 {
      noise = MeasuredNoise(noiseScale: scale, source: reader.tree["noiseSource"]?.string ?? "a plan")
    }
    self.init(
      model: model, data: try reader.text("data"), modelWords: try reader.text("model"),
      arithmetic: try reader.text("arithmetic"), parameters: try reader.count("parameters"),
      examples: try reader.count("examples"), batch: try reader.count("globalBatch"),
      servers: try reader.count("servers"), ranks: try reader.count("ranks"), noise: noise,
      spread: reader.tree["spread"]?.number ?? 0)
  }
}

extension ServerTime {
  fileprivate var json: JSONLine {
    var line = JSONLine()
    line["cores"] = cores
    line["threads"] = threads
    line["steps"] = samples.map { sample in
      var line = JSONLine()
      line["ranks"] = sample.ranks
      line["shardsOfRank"] = sample.share.shards
      line["rowsOfShard"] = sample.share.rows
      line["seconds"] = sample.seconds
      return line
    }
    return line
  }

  fileprivate init(_ reader: Reader) throws(DistsgdError) {
    let samples = try reader.list("steps").map { (one) throws(DistsgdError) in
      ServerSample(
        ranks: try one.count("ranks"),
        share: Share(shards: try one.count("shardsOfRank"), rows: try one.count("rowsOfShard")),
        seconds: try one.positive("seconds"))
    }
    guard !samples.isEmpty else { throw reader.fail("'steps' is empty; nothing was measured") }
    self.init(samples, cores: try reader.count("cores"), threads: try reader.count("threads"))
  }
}

/// The members of an object in a plan's file.
private struct Reader {
  let name: String
  let tree: JSONTree

  func fail(_ what: String) -> DistsgdError {
    DistsgdError(.badData, "--load '\(name)': \(what); name the plan.json of 'distsgd plan --output'")
  }

  func number(_ key: String) throws(DistsgdError) -> Double {
    guard let value = tree[key]?.number, value.isFinite, value >= 0 else {
      throw fail("'\(key)' should be a number from 0 up")
    }
    return value
  }

  func positive(_ key: String) throws(DistsgdError) -> Double {
    let value = try number(key)
    guard value > 0 else { throw fail("'\(key)' should be a number above 0") }
    return value
  }

  func count(_ key: String) throws(DistsgdError) -> Int {
    let most =
      ["servers", "ranks"].contains(key) ? SimulatedJob.mostRanks : key == "examples" ? 1 << 53 : 1 << 31
    guard let value = tree[key]?.count, 1...most ~= value else {
      throw fail("'\(key)' should be a number from 1 to \(most)")
    }
    return value
  }

  func text(_ key: String) throws(DistsgdError) -> String {
    guard let value = tree[key]?.string else { throw fail("'\(key)' should be a text") }
    return printable(value, limit: 400)
  }

  func member(_ key: String) throws(DistsgdError) -> Reader {
    guard let value = tree[key] else { throw fail("there is no '\(key)'") }
    return Reader(name: name, tree: value)
  }

  func list(_ key: String) throws(DistsgdError) -> [Reader] {
    guard let values = tree[key]?.array else { throw fail("'\(key)' should be a list") }
    return values.map { Reader(name: name, tree: $0) }
  }
}
