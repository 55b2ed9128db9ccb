// What `--resume` finds in a run's folder, and whether this job may go on from it.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System
import Text

/// A run that is to go on. Rank 0 reads the folder; the others hear of it.
public struct Resumption {
  /// What may differ from the run that is resumed, although the bits then may too.
  public struct Allowances: Sendable {
    /// Data with other contents.
    public var otherData = false
    /// Another BLAS kernel or version.
    public var otherKernel = false

    /// Nothing may differ.
    public init() {}
  }

  let folder: OutputFolder
  /// nil when there is no whole checkpoint.
  private let words: CheckpointWords?
  private let hasEnd: Bool
  /// On rank 0.
  private let tensors: SafeTensors?
  /// On rank 0.
  let files: RunFiles?
  /// Found by `check`, on the first rank of each server; then it is accepted.
  private var hasOtherData = false

  /// Finds the newest whole checkpoint; damaged ones are named on standard error. Collective.
  /// - Throws: `AgreedError`, or `MPIError`.
  package init(_ path: String, communicator: any Communicator) throws {
    let folder = OutputFolder(continuing: path)
    self.folder = folder
    var checkpoint: Checkpoint?
    files = try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return nil }
      let files = try RunFiles(continuing: folder)
      checkpoint = files.checkpoints.newest(ofRun: files.id) {
        standardError("distsgd: warning: \($0); it is passed over")
      }
      return files
    }
    tensors = checkpoint?.tensors
    let found = try communicator.broadcast(checkpoint == nil ? 0 : 1, from: 0)
    words = found == 1 ? try CheckpointWords(checkpoint?.words, over: communicator) : nil
    hasEnd = try communicator.broadcast(files?.haveEnd == true ? 1 : 0, from: 0) == 1
  }

  private var settings: [String: String] { words?.words.filter { $0.key.hasPrefix("--") } ?? [:] }

  /// The command line of the run that is resumed; a user's own words come after it.
  package var arguments: [String] { Settings.arguments(settings) }

  /// One line for a run that is done, or nil if it is to go on with these options.
  /// - Throws: `DistsgdError` when there is no checkpoint to go on from.
  package func end(for options: TrainingOptions) throws -> String? {
    let limits = [options.epochs.map(String.init), options.steps.map(String.init)]
    if hasEnd, limits == [settings["--epochs"], settings["--steps"]] {
      return "the run in '\(visible(folder.path))' is finished; to train on, give more --epochs or --steps"
    }
    guard words == nil else { return nil }
    throw DistsgdError(
      .noInput,
      "--resume: there is no whole checkpoint in '\(CheckpointFolder(run: folder.path).path)'; start a new run, with --checkpoint-every to have some"
    )
  }

  /// Where the run goes on.
  func moment() throws -> CheckpointWriter.Moment {
    guard let words else { throw DistsgdError(.internal, "there is no checkpoint") }
    return CheckpointWriter.Moment(
      state: try RunState(words),
      position: CheckpointWriter.Position(
        metricsBytes: try words.count("metricsBytes"), timingsBytes: try words.count("timingsBytes"),
        tableBytes: words["ranksBytes"] == nil
          ? [] : try RunTables.all.map { try words.count($0.word) }))
  }

  /// Checks all that can be without the data. The same on every rank.
  /// - Throws: `DistsgdError`.
  func check(_ options: TrainingOptions) throws {
    try Settings.check(options.settings, against: settings, run: folder.path)
    if options.schedule.dependsOnLength {
      for (flag, value) in [("--epochs", options.epochs), ("--steps", options.steps)]
      where value.map(String.init) != settings[flag] {
        throw DistsgdError(
          .usage,
          "\(flag): the learning rate of the run in '\(folder.path)' follows '\(options.schedule)' over its whole length, which cannot change; leave it out"
        )
      }
    }
    let moment = try moment()
    for (limit, done, flag) in [
      (options.epochs, moment.state.epoch, "--epochs"), (options.steps, moment.state.step, "--steps"),
    ] {
      if let limit, limit < done {
        throw DistsgdError(
          .usage, "\(flag) \(limit): the run in '\(folder.path)' has done \(done); give more")
      }
    }
    guard let files else { return }
    let position = moment.position
    let counted =
      [(files.metrics, position.metricsBytes), (files.timings, position.timingsBytes)]
      + zip(files.tables, position.tableBytes)
    for (file, bytes) in counted
    where file.size < bytes {
      throw DistsgdError(
        .badData,
        "'\(file.path)' has \(file.size) bytes, but the checkpoint counts on \(bytes): it was changed since; bring it back"
      )
    }
    for (file, bytes) in counted
    where !file.hasLines(bytes: bytes) {
      throw DistsgdError(
        .badData,
        "'\(file.path)' has no end of a line at byte \(bytes), which the checkpoint counts on: it was changed since; bring it back"
      )
    }
  }

  /// Whether this process makes the bits that the run has made.
  private func requireArithmetic(
    _ arithmetic: Arithmetic, _ words: CheckpointWords, _ allowances: Allowances
  ) throws {
    if arithmetic != .blas {
      let version = printable(words["arithmeticVersion"] ?? "none")
      guard version == "\(Arithmetic.portableVersion)" else {
        throw DistsgdError(
          .usage,
          "--resume: the portable arithmetic is of version \(Arithmetic.portableVersion) here, and the run's was \(version): the bits would differ; use the distsgd of the run"
        )
      }
      return
    }
    let kernel = printable(try words.word("blasKernel"))
    if kernel != BLAS.kernelName, !allowances.otherKernel {
      throw DistsgdError(
        .usage,
        "--resume: OpenBLAS uses the kernel \(BLAS.kernelName) here, and the run used \(kernel): the bits would differ; set OPENBLAS_CORETYPE=\(kernel), or accept it with --accept-other-kernel"
      )
    }
    let blas = printable(try words.word("blas"), limit: 200)
    if blas != BLAS.configuration, !allowances.otherKernel {
      throw DistsgdError(
        .usage,
        "--resume: the BLAS is '\(BLAS.configuration)' here, and the run used '\(blas)': the bits may differ; use that one, or accept it with --accept-other-kernel"
      )
    }
  }

  /// Checks that this process computes on the same data with the same kernel.
  /// - Throws: `DistsgdError`.
  mutating func check(_ setUp: SetUp, isServerLeader: Bool, _ allowances: Allowances) throws {
    guard let words else { return }
    try requireArithmetic(setUp.arithmetic, words, allowances)
    guard isServerLeader else { return }
    let (fingerprint, digits) = (try words.word("dataFingerprint"), setUp.fingerprint.digits)
    hasOtherData = digits != fingerprint
    if hasOtherData, !allowances.otherData {
      throw DistsgdError(
        .badData,
        "--resume: the data have the fingerprint \(digits), and the run was made on \(printable(fingerprint)): they are not the same; give the same data, or accept these with --accept-other-data"
      )
    }
  }

  /// What the run was from its beginning to its checkpoint.
  func complete(_ provenance: inout Provenance, _ arithmetic: ArithmeticName) {
    guard let words else { return }
    provenance.goOn(from: words.words, hasOtherData: hasOtherData, arithmetic: arithmetic)
  }

  /// Gives every rank the checkpoint's parameters, its part of the optimizer's state, and what the run keeps of former
  /// parameters. Collective.
  func restore(
    _ parameters: UnsafeMutableBufferPointer<Float>, _ state: OptimizerState, _ modelAtEnd: ModelAtEnd,
    of model: Sequential, communicator: any Communicator
  ) throws {
    // Ranks of a server share the parameters, and write the same values.
    try distribute(model, communicator, name: \.name) { values, offset in
      (parameters.baseAddress! + offset).update(from: values.baseAddress!, count: values.count)
    }
    for (index, name) in state.names.enumerated() {
      try distribute(model, communicator, name: { CheckpointTensor.name(ofState: name, $0) }) {
        state.restore(index, $0, at: $1)
      }
    }
    for (name, kept) in modelAtEnd.kept {
      try distribute(model, communicator, name: { "\(name).\($0.name)" }) { values, offset in
        // Of the best model only rank 0 has room.
        guard !kept.isEmpty else { return }
        (kept.baseAddress! + offset).update(from: values.baseAddress!, count: values.count)
      }
    }
    try communicator.barrier()
  }

  /// Sends all of an arena from rank 0 to every rank, piece by piece. Collective.
  /// - Parameters:
  ///   - name: a tensor's in the checkpoint.
  ///   - take: some neighbouring values, and the place of the first in the arena.
  private func distribute(
    _ model: Sequential, _ communicator: any Communicator, name: (ParameterTensor) -> String,
    take: (UnsafeBufferPointer<Float>, Int) -> Void
  ) throws {
    let arena = try communicator.agreeingOnErrors {
      try tensors.map {
        try ModelFile.arena(
          of: model, from: $0, path: words?.path ?? "", name: name, acceptsNonFinite: true)
      }
    }
    let count = model.parameterCount
    let piece = UnsafeMutableBufferPointer<Float>.allocate(capacity: min(count, 1 << 20))
    defer { piece.deallocate() }
    for start in stride(from: 0, to: count, by: max(1, piece.count)) {
      let part = UnsafeMutableBufferPointer(rebasing: piece[..<min(piece.count, count - start)])
      if let arena { _ = part.update(fromContentsOf: arena[start..<start + part.count]) }
      try communicator.broadcast(part, from: 0)
      take(UnsafeBufferPointer(part), start)
    }
  }
}
