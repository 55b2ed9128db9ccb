// What rank 0 tells of a run: events to metrics.jsonl, timings to timings.csv, results to stdout, progress
// to stderr. On the other ranks a RunLog does nothing.
import Glibc
import MPI
import NeuralNet

final class RunLog {
  let folder: OutputFolder
  let isActive: Bool
  private let options: TrainingOptions
  private let metrics: MetricsWriter?
  private let timings: TextFile?
  private let progress: Progress?

  /// Opens the files; on the other ranks there are none.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  init(_ options: TrainingOptions, isActive: Bool) throws {
    self.options = options
    self.isActive = isActive
    guard isActive else {
      folder = OutputFolder(unchecked: "")
      metrics = nil
      timings = nil
      progress = nil
      return
    }
    folder = try OutputFolder(creating: options.output ?? OutputFolder.defaultPath())
    metrics = try MetricsWriter(path: folder.metrics)
    timings = try TextFile(creating: folder.timings)
    try timings?.append(RankTimings.csvHeader)
    progress = options.isQuiet ? nil : Progress()
  }

  func start(
    setUp: SetUp, arithmetic: String, communicator: any Communicator, shards: Shards, schedule: BatchSchedule
  ) throws {
    guard isActive else { return }
    let topology = communicator.topology
    var line = JSONLine(event: "run")
    line["version"] = version
    line["data"] = options.data.data
    line["dataSummary"] = setUp.dataSummary
    line["examples"] = setUp.training.count
    line["features"] = setUp.training.featureCount
    line["validationExamples"] = setUp.validation?.count
    line["validation"] = options.data.validation
    line["target"] = setUp.preprocessing.targetName
    line["model"] = setUp.specification.description
    line["activation"] = setUp.specification.activation?.rawValue
    line["parameters"] = setUp.model.parameterCount
    line["loss"] = setUp.loss.rawValue
    line["initialize"] = options.initialize
    line["optimizer"] = "sgd"
    line["schedule"] = options.schedule.description
    line["learningRate"] = setUp.learningRate
    line["globalBatch"] = options.globalBatch
    line["batchArithmetic"] = arithmetic
    line["microBatch"] = options.microBatch
    line["lastBatch"] = options.lastBatch.rawValue
    line["sampling"] = options.sampling.rawValue
    line["duplicate"] = options.copies
    line["seed"] = options.seed
    line["epochs"] = options.epochs ?? (options.steps == nil ? options.epochLimit : nil)
    line["steps"] = options.steps
    line["stepsPerEpoch"] = schedule.stepsPerEpoch
    line["evaluateEvery"] = options.evaluateEvery
    line["logEvery"] = options.logEvery
    line["shards"] = shards.count
    line["ranks"] = communicator.worldSize
    line["servers"] = topology.serverCount
    line["hosts"] = topology.hosts
    line["serverOfRank"] = topology.serverOfRank
    line["threads"] = options.threads
    line["blasKernel"] = BLAS.kernelName
    line["blas"] = BLAS.configuration
    line["hash"] = "XXH64"
    try metrics?.write(line)
    try metrics?.flush()
    guard !options.isQuiet else { return }
    standardOutput(arithmetic)
    standardOutput("data:   \(setUp.dataSummary)")
    standardOutput(
      "model:  \(setUp.specification), \(setUp.model.parameterCount) parameters, \(setUp.loss.rawValue) loss; sgd, learning rate \(setUp.learningRate)"
    )
    standardOutput(
      "BLAS:   OpenBLAS kernel \(BLAS.kernelName), \(options.threads) thread\(options.threads == 1 ? "" : "s") a rank"
    )
    progress?.begin(
      totalSteps: min(
        options.steps ?? Int.max,
        options.epochLimit == Int.max ? Int.max : options.epochLimit * schedule.stepsPerEpoch),
      globalBatch: options.globalBatch)
  }

  func step(_ trainer: Trainer, epoch: Int, examples: Int, loss: Float, seconds: Double) throws {
    guard isActive else { return }
    var line = JSONLine(event: "step")
    line["step"] = trainer.stepCount
    line["epoch"] = epoch
    line["examples"] = examples
    line["loss"] = loss
    line["learningRate"] = trainer.learningRate
    line["seconds"] = seconds
    if options.logsHashes { line["parameterHash"] = hexadecimal(hashOfParameters(trainer)) }
    try metrics?.write(line)
    progress?.step(trainer.stepCount, examples: examples, loss: Double(loss), seconds: seconds)
  }

  func evaluation(
    _ result: Evaluation, set: String, epoch: Double, step: Int, examples: Int, seconds: Double
  ) throws {
    guard isActive else { return }
    var line = JSONLine(event: "evaluation")
    line["set"] = set
    line["epoch"] = epoch
    line["step"] = step
    line["examples"] = examples
    line["seconds"] = seconds
    line["loss"] = result.loss
    if let accuracy = result.accuracy { line["accuracy"] = accuracy }
    try metrics?.write(line)
    if options.evaluateEvery == nil {
      try metrics?.flush()
      progress?.note("epoch \(fixed(epoch, 0)): \(set) \(describe(result))")
    }
  }

  func epoch(
    _ epoch: Int, examples: Int, loss: Double, seconds: Double, timings: RankTimings, topology: Topology
  ) throws {
    guard isActive else { return }
    var line = JSONLine(event: "epoch")
    line["epoch"] = epoch
    line["examples"] = examples
    line["seconds"] = seconds
    line["loss"] = loss
    try metrics?.write(line)
    try metrics?.flush()
    try self.timings?.append(timings.csv(epoch: epoch, topology: topology))
  }

  func end(
    loss: Evaluation, seconds: Double, validation: Evaluation?, secondsPerEpoch: Double, hash: UInt64,
    timings: RankTimings,
    topology: Topology
  ) throws {
    guard isActive else { return }
    var line = JSONLine(event: "end")
    line["loss"] = loss.loss
    if let accuracy = loss.accuracy { line["accuracy"] = accuracy }
    line["seconds"] = seconds
    line["secondsPerEpoch"] = secondsPerEpoch
    line["parameterHash"] = hexadecimal(hash)
    try metrics?.write(line)
    try metrics?.flush()
    progress?.end()
    if !options.isQuiet {
      standardOutput("")
      standardOutput(timings.table(topology: topology))
      standardOutput("files:  \(folder.path)/ metrics.jsonl, timings.csv, model.safetensors")
      standardOutput("parameter hash: \(hexadecimal(hash))")
      if let validation { standardOutput("validation: \(describe(validation))") }
    }
    standardOutput("loss: \(readableLoss(loss.loss)), \(readableSeconds(secondsPerEpoch)) sec/epoch")
  }
}

/// `loss 0.243` or `loss 0.512, accuracy 0.812`
func describe(_ result: Evaluation) -> String {
  "loss \(readableLoss(result.loss))" + (result.accuracy.map { ", accuracy \(fixed($0, 3))" } ?? "")
}
