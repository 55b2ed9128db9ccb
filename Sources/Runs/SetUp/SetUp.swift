// What a run trains, and on what: data shared among a server's ranks, the model, its first parameters.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System
import Text

/// Data and model of a run, the same on every rank.
package struct SetUp {
  package let training: Dataset
  package let validation: Dataset?
  package let specification: ModelSpecification
  package let model: Sequential
  package let loss: any Loss
  package let arithmetic: Arithmetic
  let learningRate: Float
  /// What training does to its examples.
  let treatment: Treatment
  let preprocessing: Preprocessing
  package let dataSummary: String
  /// Whether some ranks compute otherwise than others, which was accepted.
  private(set) var ranksDiffer = false
  /// The parameters of `--initialize`, on ranks that fill a parameter arena.
  private let initialParameters: [Float]?
  /// With what the data decide: a global batch of all examples where these are few.
  package let options: TrainingOptions

  /// Loads on one rank of each server, or on rank 0 alone, and shares. Collective.
  /// - Parameters:
  ///   - tellsAssumptions: whether lines say what was assumed about the data.
  ///   - check: looks at the training set on one rank of each server, before a model is made for it.
  package init(
    _ options: TrainingOptions, communicator: any Communicator,
    tellsAssumptions: Bool = true, checking check: (Dataset) throws -> Void = { _ in }
  ) throws {
    communicator.board.timeout = options.timeout
    let requestedBatch = options.globalBatch
    let ranksDiffer = try options.requireSameSettings(over: communicator)
    var dataOptions = options.data
    dataOptions.seed = options.seed
    try communicator.agreeingOnErrors { try options.validate(worldSize: communicator.worldSize) }
    dataOptions.task = try communicator.agreeingOnErrors { try Self.task(options) }
    let loaded = try Self.load(dataOptions, communicator)
    let origin = dataOptions.origin
    let training = try Dataset(sharing: loaded?.training, from: origin, over: communicator)
    let hasValidation = try communicator.broadcast(loaded?.validation == nil ? 0 : 1, from: 0)
    let validation =
      hasValidation == 1 ? try Dataset(sharing: loaded?.validation, from: origin, over: communicator) : nil
    let defaultModel = try communicator.broadcastString(loaded?.defaultModel.rawValue ?? "", from: 0)
    let dataSummary = try communicator.broadcastString(loaded?.summary ?? "", from: 0)
    let options = try communicator.agreeingOnErrors {
      options.fitted(to: try NumberRange.positions(examples: training.count, copies: options.copies))
    }
    try Self.requireSameData([training] + (validation.map { [$0] } ?? []), communicator)
    try communicator.agreeingOnErrors { if communicator.isServerLeader { try check(training) } }
    let preprocessing = loaded?.preprocessing ?? Preprocessing(columns: [], targets: [])
    try self.init(
      options,
      options.model ?? (DefaultModel(rawValue: defaultModel) ?? .linear).specification(options.activation),
      training: training, validation: validation, preprocessing: preprocessing, dataSummary: dataSummary,
      communicator: communicator)
    self.ranksDiffer = ranksDiffer
    guard communicator.rank == 0, tellsAssumptions else { return }
    for note in loaded?.notes ?? [] { standardError("distsgd: note: \(note)") }
    if requestedBatch > options.globalBatch {
      standardError(
        "distsgd: note: the global batch is all \(options.globalBatch) examples, fewer than the default of \(requestedBatch); --global-batch makes it another"
      )
    }
  }

  /// Loads on one rank of each server, or on rank 0 alone, with all its cores: the other ranks sleep meanwhile.
  private static func load(_ options: DataOptions, _ communicator: any Communicator) throws -> LoadedData? {
    try requireStandardInput(for: options.data, options.origin, communicator)
    let cores = try ServerCores(over: communicator)
    let result = Result<LoadedData?, any Error> {
      communicator.reads(options.origin) ? try cores.withAll { try loadData(options) } : nil
    }
    try communicator.sleepingBarrier()
    return try communicator.agreeingOnErrors { try result.get() }
  }

  /// Servers that read different files would train different models. Collective.
  private static func requireSameData(_ sets: [Dataset], _ communicator: any Communicator) throws {
    guard communicator.topology.serverCount > 1 else { return }
    let digits = try communicator.agreeingOnErrors {
      communicator.isServerLeader ? DataFingerprint(sets).digits : nil
    }
    let first = try communicator.broadcastString(digits ?? "", from: 0)
    try communicator.agreeingOnErrors {
      guard let digits, digits != first else { return }
      throw DistsgdError(
        .badData,
        "the data on \(communicator.hostName) have the fingerprint \(digits), and those on \(communicator.topology.hosts[0]) have \(first): give every server the same file"
      )
    }
  }

  /// The same data for another run: batch size, learning rate or model may differ. Collective.
  package func with(_ options: TrainingOptions, communicator: any Communicator) throws -> SetUp {
    try communicator.agreeingOnErrors { try options.validate(worldSize: communicator.worldSize) }
    let options = options.fitted(
      to: try NumberRange.positions(examples: training.count, copies: options.copies))
    var setUp = try SetUp(
      options, options.model ?? specification, training: training, validation: validation,
      preprocessing: preprocessing, dataSummary: dataSummary, communicator: communicator)
    setUp.ranksDiffer = ranksDiffer
    return setUp
  }

  private init(
    _ options: TrainingOptions, _ specification: ModelSpecification, training: Dataset,
    validation: Dataset?, preprocessing: Preprocessing, dataSummary: String, communicator: any Communicator
  ) throws {
    self.options = options
    self.training = training
    self.validation = validation
    self.preprocessing = preprocessing
    self.dataSummary = dataSummary
    let specification = try communicator.agreeingOnErrors { try options.normalised(specification) }
    self.specification = specification
    let loss: any Loss = options.loss ?? (training.classCount == nil ? SquaredLoss() : CrossEntropy())
    self.loss = loss
    let arithmetic = try communicator.agreeingOnErrors { try options.arithmetic.chosen() }
    self.arithmetic = arithmetic
    let model = try communicator.agreeingOnErrors {
      try Self.check(options, specification, loss, training)
      return try Self.model(specification, loss, training)
    }
    self.model = model
    try communicator.agreeingOnErrors { try options.requireValidation(validation != nil) }
    treatment = try options.treatment(
      of: training, loss, classNames: preprocessing.classNames, communicator: communicator)
    if model.needsGlobalBatch, let microBatch = options.microBatch {
      throw AgreedError(
        DistsgdError(
          .usage,
          "--micro-batch \(microBatch): a layer of '\(specification)' looks at the whole batch, so that all shards of a rank are in memory at once; leave it out"
        ))
    }
    if options.wire == .fp16, model.tensors.contains(where: { !$0.role.isTrained }) {
      throw AgreedError(
        DistsgdError(
          .usage,
          "--wire fp16: the statistics of a batch norm in '\(specification)' may be larger than fp16 holds; use --wire bf16, which has the range of fp32"
        ))
    }
    try communicator.agreeingOnErrors {
      try options.requireRows(for: model, specification, ranks: communicator.worldSize)
      try requireMemory(
        for: model, specification.description, options, examples: training.count, communicator: communicator)
      if arithmetic == .blas, model.usesBLAS { try requireBufferOfBLAS(threads: options.threads) }
    }
    // Read before anything is written: a file that does not fit must cost nobody a run's folder.
    initialParameters = try communicator.agreeingOnErrors {
      guard let path = options.initialize else { return nil }
      return try ModelFile.foreignArena(of: model, from: SafeTensors.read(from: path), path: path)
    }
    let baseRate =
      options.learningRate ?? options.optimizer.defaultLearningRate
      ?? (training.classCount == nil && specification.layers.count == 1 ? 0.4 : 0.1)
    learningRate = Float(
      baseRate * (options.batchFactor))
  }

  /// What the target must be, where the user, model or loss tell.
  private static func task(_ options: TrainingOptions) throws(DistsgdError) -> DataOptions.Task? {
    let implied: DataOptions.Task? =
      switch options.loss?.targets ?? options.model?.targets {
      case .classes: .classification
      case .values: .regression
      case nil: nil
      }
    guard let task = options.data.task else { return implied }
    guard implied == nil || implied == task else {
      let flag = options.loss.map { "--loss \($0)" } ?? "--model \(options.model?.description ?? "")"
      throw DistsgdError(
        .usage,
        "--task \(task.rawValue) with \(flag), which is for \(implied == .classification ? "classes" : "numbers"): leave one of them out"
      )
    }
    return task
  }

  /// The model for these data.
  private static func model(
    _ specification: ModelSpecification, _ loss: any Loss, _ data: Dataset
  ) throws -> Sequential {
    let outputs: Int
    do {
      outputs = try loss.outputCount(classes: data.classCount, targets: data.targetCount)
    } catch {
      throw DistsgdError(.usage, "--loss \(loss): \(error)")
    }
    do {
      return try specification.model(input: data.exampleShape, outputs: outputs)
    } catch {
      throw DistsgdError(.usage, "--model '\(specification)': \(error)")
    }
  }

  private static func check(
    _ options: TrainingOptions, _ model: ModelSpecification, _ loss: any Loss, _ data: Dataset
  ) throws {
    let positions = try NumberRange.positions(examples: data.count, copies: options.copies)
    guard options.globalBatch <= positions else {
      throw DistsgdError(
        .usage,
        "--global-batch \(options.globalBatch): larger than the training set; use at most \(positions), its number of examples"
      )
    }
    let isClassification = data.classCount != nil
    if (loss.targets == .classes) != isClassification {
      throw DistsgdError(
        .usage,
        isClassification
          ? "--loss \(loss): the targets of '\(options.data.data)' are classes; use --loss cross-entropy"
          : "--loss \(loss): the targets of '\(options.data.data)' are not classes; use --loss squared")
    }
    if model.targets == .values && isClassification {
      throw DistsgdError(
        .usage,
        "--model linear: the targets of '\(options.data.data)' are classes; use softmax or mlp:256,128")
    }
    if model.targets == .classes && !isClassification {
      throw DistsgdError(
        .usage,
        "--model softmax: the targets of '\(options.data.data)' are not classes; use linear or mlp:256,128")
    }
  }

  /// Fills the parameters: from `--initialize`, or drawn. Every rank writes the same values. Collective.
  package func initialize(_ parameters: UnsafeMutableBufferPointer<Float>, communicator: any Communicator)
    throws
  {
    let start = parameters.baseAddress!
    if let initialParameters {
      initialParameters.withUnsafeBufferPointer { start.update(from: $0.baseAddress!, count: $0.count) }
    } else {
      specification.initialization.fill(start, of: model, seed: options.seed)
    }
    try communicator.barrier()
  }

  /// The entries by which a file of parameters is a model to `evaluate` and `predict`.
  var modelMetadata: [String: String] { ModelFile.metadata(specification, model, loss, preprocessing) }

  /// What is trained and evaluated on.
  package var fingerprint: DataFingerprint { DataFingerprint([training] + (validation.map { [$0] } ?? [])) }

  /// XXH64 of the parameters of `--initialize`.
  var initialHash: String? { initialParameters?.withUnsafeBytes { hexadecimal(xxh64($0)) } }

  /// - Parameter provenance: of the parameters.
  func save(
    _ parameters: UnsafeMutableBufferPointer<Float>, provenance: [String: String], to path: String
  ) throws {
    try ModelFile.write(
      to: path, specification: specification, model: model, loss: loss, preprocessing: preprocessing,
      provenance: provenance, batches: provenance[Provenance.Key.steps].flatMap { Int64($0) } ?? 0,
      parameters: parameters.baseAddress!)
  }
}

extension DefaultModel {
  /// - Parameter activation: of an `mlp`.
  func specification(_ activation: Activation) -> ModelSpecification {
    switch self {
    case .linear: .linear
    case .softmax: .softmax
    case .mlp: ModelSpecification(mlp: [256, 128], activation)
    }
  }
}
