// What rank 0 tells of a run: events to metrics.jsonl, timings to timings.csv, results to stdout, progress
// to stderr. On the other ranks a RunLog does nothing.
import DataFormats
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import System
import Text

final class RunLog {
  let folder: OutputFolder
  let isActive: Bool
  private let options: TrainingOptions
  let files: RunFiles?
  private let metrics: MetricsWriter?
  private var timings: TextFile? { files?.timings }
  private let progress: Progress?
  private var tensorBoard: TensorBoardLog?

  /// Opens the files; on the other ranks there are none.
  /// - Throws: `DistsgdError` (`cannotCreate`).
  convenience init(_ options: TrainingOptions, isActive: Bool) throws {
    guard isActive else {
      self.init(options, nil)
      return
    }
    let folder = try OutputFolder(creating: options.output ?? OutputFolder.makeDefault())
    let files = try RunFiles(creating: folder)
    try files.timings.append(RankTimings.csvHeader)
    for (file, header) in zip(files.tables, RankTimings.headers) { try file.append(header) }
    self.init(options, files)
  }

  /// - Parameter files: nil on the ranks that tell nothing.
  init(_ options: TrainingOptions, _ files: RunFiles?) {
    self.options = options
    self.files = files
    isActive = files != nil
    folder = files?.folder ?? OutputFolder(unchecked: "")
    metrics = files.map { MetricsWriter($0.metrics) }
    progress = files == nil || options.isQuiet ? nil : Progress()
  }

  /// Tells an event to all that listen.
  private func tell(_ line: JSONLine) throws {
    try metrics?.write(line)
    try tensorBoard?.write(line)
  }

  private func flush() throws {
    try metrics?.flush()
    try tensorBoard?.flush()
  }

  /// How far the files have come; what was told so far is in them.
  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
  func position() throws -> CheckpointWriter.Position {
    try flush()
    try files?.requirePlace()
    return CheckpointWriter.Position(
      metricsBytes: files?.metrics.size ?? 0, timingsBytes: files?.timings.size ?? 0,
      tableBytes: files?.tables.map(\.size) ?? [])
  }

  /// Tells what the run is.
  /// - Parameter resumed: the moment that it goes on from; what the files hold of later ones is forgotten.
  func start(
    setUp: SetUp, arithmetic: String, communicator: any Communicator, shards: Shards, schedule: BatchSchedule,
    placement: Placement, resumed: CheckpointWriter.Moment?
  ) throws {
    guard isActive else { return }
    try writeConfig(shards: shards.count, ranks: communicator.worldSize)
    if let resumed {
      let position = resumed.position
      try files?.metrics.truncate(to: position.metricsBytes)
      try files?.timings.truncate(to: position.timingsBytes)
      for (index, file) in (files?.tables ?? []).enumerated() {
        try file.truncate(to: index < position.tableBytes.count ? position.tableBytes[index] : 0)
        if file.size == 0 { try file.append(RankTimings.headers[index]) }
      }
    }
    if options.writesEvents {
      tensorBoard = try TensorBoardLog(
        in: folder.path, doneSteps: resumed?.state.step, metrics: folder.metrics,
        settings: setUp.hyperparameters(of: options))
    }
    if resumed == nil {
      try tell(
        runEvent(
          options, setUp, arithmetic, communicator, shards, schedule, placement, id: files?.id))
    }
    try flush()
    guard !options.isQuiet else { return }
    standardOutput(arithmetic)
    if let words = shardWords(shards) { standardOutput(words) }
    standardOutput("data:   \(setUp.dataSummary)")
    standardOutput(
      "model:  \(setUp.specification), \(setUp.model.trainedCount) parameter\(setUp.model.trainedCount == 1 ? "" : "s"), \(setUp.loss) loss; \(options.optimizer), learning rate \(setUp.learningRate)"
    )
    if let words = batchNormWords(setUp.specification, shards, options) { standardOutput(words) }
    if let instructions = setUp.arithmetic.instructions {
      standardOutput(
        "arithmetic: portable, version \(Arithmetic.portableVersion), by \(instructions): the same bits on any machine\(placement.bound.words)"
      )
    } else {
      standardOutput(
        "BLAS:   OpenBLAS kernel \(BLAS.kernelWords), \(options.threads) thread\(options.threads == 1 ? "" : "s") a rank\(placement.bound.words)"
      )
    }
    if options.wire.isHalf {
      standardOutput(
        "wire:   \(options.wire.rawValue): all sums of gradients, and what an update changes, in 16 bits")
    }
    for warning in jobWarnings(options, cores: placement.cores) {
      standardError("distsgd: warning: \(warning)")
    }
    if let state = resumed?.state {
      standardOutput("resumed after step \(state.step), in epoch \(state.epoch + 1)")
    }
    progress?.begin(totalSteps: options.totalSteps(stepsPerEpoch: schedule.stepsPerEpoch))
  }

  /// `config.yaml`: what repeats the run. One that goes on may be longer by now.
  private func writeConfig(shards: Int, ranks: Int) throws {
    try files?.inPlace {
      let comments = [
        "This run again, on any number of ranks up to its shards (it had \(ranks)):",
        "  distsgd --config \(shellWord(folder.config))",
        "Every option of the command line may stand here, by its name; see docs/reference.md.",
      ]
      try ReplacementFile.write(
        configText(options.configSettings(shards: shards), comments: comments), to: folder.config)
    }
  }

  /// A line that is told of however little else is.
  func warn(_ text: String) { standardError("distsgd: warning: \(text)") }

  /// The same, of what is no warning.
  func tell(_ text: String) { if isActive { standardError("distsgd: \(text)") } }

  /// A line of progress.
  func note(_ text: String) { progress?.note(text) }

  func step(_ moment: StepMoment) throws {
    var line = JSONLine(event: "step")
    line["step"] = moment.step
    line["epoch"] = moment.epoch
    line["examples"] = moment.examples
    line["loss"] = moment.loss
    line["gradientNorm"] = moment.trainer.gradientNorm.map { Float($0) }
    line["noiseScale"] = moment.noiseScale.map { Float($0) }
    line["learningRate"] = moment.trainer.learningRate
    line["seconds"] = moment.seconds
    if options.logsHashes { line["parameterHash"] = hexadecimal(moment.trainer.parameterHash) }
    try tell(line)
    progress?.step(moment.step, examples: moment.examples, loss: Double(moment.loss), seconds: moment.seconds)
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
    for measure in result.measures { line[measure.name] = measure.value }
    try tell(line)
    if options.evaluateEvery == nil {
      try flush()
      progress?.note("epoch \(fixed(epoch, epoch == epoch.rounded() ? 0 : 2)): \(set) \(describe(result))")
    }
  }

  /// - Parameter steps: of the whole run so far, and of this epoch.
  func epoch(
    _ epoch: Int, steps: (all: Int, own: Int), examples: Int, loss: Double, seconds: Double,
    timings: RankTimings, topology: Topology
  ) throws {
    guard isActive else { return }
    var line = JSONLine(event: "epoch")
    line["epoch"] = epoch
    line["step"] = steps.all
    line["examples"] = examples
    line["seconds"] = seconds
    line["loss"] = loss
    try tell(line)
    try tensorBoard?.times(timings.secondsOfRanks, steps: steps.own)
    try flush()
    try self.timings?.append(timings.csv(epoch: epoch, topology: topology))
    for (file, rows) in zip(files?.tables ?? [], timings.rows(epoch: epoch, topology: topology)) {
      try file.append(rows)
    }
  }

  /// How parameters, or their gradients, are spread after a step.
  func histograms(_ group: String, of tensors: [ParameterTensor], in arena: UnsafePointer<Float>, step: Int)
    throws
  {
    try tensorBoard?.histograms(group, of: tensors, in: arena, step: step)
  }

  func end(
    loss: Evaluation, seconds: Double, validation: Evaluation?, secondsPerEpoch: Double, hash: UInt64,
    memoryBytes: (ofJob: Int, peakOfRank: Int),
    timings: RankTimings,
    topology: Topology, model: ModelWords, isFinished: Bool = true
  ) throws {
    guard isActive else { return }
    // Only a run that has told its end is finished.
    var line = JSONLine(event: isFinished ? "end" : "stopped")
    line["loss"] = loss.loss
    for measure in loss.measures { line[measure.name] = measure.value }
    line["seconds"] = seconds
    line["secondsPerEpoch"] = secondsPerEpoch
    line["parameterHash"] = hexadecimal(hash)
    line["memoryBytes"] = memoryBytes.ofJob
    if options.earlyStopping != nil { line["stoppedEarly"] = options.stopsEarly(model.state) }
    line["bestValidationLoss"] = model.state.best?.loss
    line["bestStep"] = model.state.best?.step
    if options.keepsBest { line["modelStep"] = model.step }
    line["averaged"] = model.state.averagedCount > 0 ? model.state.averagedCount : nil
    line.setConfusion(of: validation, className: model.className)
    try tell(line)
    try flush()
    progress?.end()
    if !options.isQuiet {
      standardOutput("")
      standardOutput(timings.table(topology: topology) + Bill(timings, topology).text)
      // So many ranks take more for themselves than for what they share.
      if topology.worldSize > RankTimings.rowLimit, memoryBytes.peakOfRank > 0 {
        standardOutput(
          "memory: \(readableBytes(memoryBytes.ofJob)) in all ranks, what they share counted once; the largest had \(readableBytes(memoryBytes.peakOfRank)) resident"
        )
      }
      standardOutput(
        "files:  \(visible(folder.path))/ metrics.jsonl, timings.csv, model.safetensors, config.yaml")
      standardOutput("parameter hash: \(hexadecimal(hash))")
    }
    if let validation { standardOutput("validation: \(describe(validation))") }
    if !options.isQuiet { for line in model.lines { standardOutput(line) } }
    standardOutput("loss: \(readableLoss(loss.loss)), \(readableSeconds(secondsPerEpoch)) sec/epoch")
  }
}

/// `loss 0.243` or `loss 0.512, accuracy 0.812`
func describe(_ result: Evaluation) -> String {
  // A log loss that is the loss need not be read twice.
  result.measures.filter { $0.name != "logLoss" || $0.value != result.loss }.reduce(
    "loss \(readableLoss(result.loss))"
  ) {
    "\($0), \($1.label) \(readableMeasure($1.value))"
  }
}
