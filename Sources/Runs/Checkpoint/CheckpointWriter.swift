// Writes checkpoints while training goes on: the ranks wait for a copy of the parameters, not for the disk.
import DataFormats
import DistributedSGD
import Glibc
import NeuralNet
import Synchronization
import System

/// A tensor in a checkpoint: where its numbers lie behind each other in a copy of parameters and states.
package struct CheckpointTensor: Sendable {
  package var name: String
  package var shape: [Int]
  package var range: Range<Int>

  /// All that a checkpoint of a model holds.
  /// - Parameters:
  ///   - states: of the optimizer.
  ///   - others: what else a run keeps of its parameters.
  static func all(of model: Sequential, states: [String], others: [String] = []) -> [CheckpointTensor] {
    let prefixes = [""] + states.map { "optimizer.\($0)." } + others.map { "\($0)." }
    return prefixes.enumerated().flatMap { array, prefix in
      model.tensors.map { tensor in
        let start = array * model.parameterCount + tensor.offset
        return CheckpointTensor(
          name: prefix + tensor.name, shape: tensor.shape, range: start..<start + tensor.count)
      }
    }
  }

  /// `optimizer.momentum.0.weight`
  static func name(ofState state: String, _ tensor: ParameterTensor) -> String {
    "optimizer.\(state).\(tensor.name)"
  }
}

/// One checkpoint at a time, in a thread of rank 0's.
///
/// The thread touches neither MPI nor the parameters: it has a copy. It makes the metrics durable first, so that
/// a checkpoint never speaks of lines that a crash may take away.
final class CheckpointWriter {
  /// What is the same in all checkpoints of a run.
  struct Constants: Sendable {
    var folder: CheckpointFolder
    var keep: Int
    /// Of the parameters, and of the optimizer's states behind them.
    var tensors: [CheckpointTensor]
    /// Whether there will be some even if nobody asks the run to stop.
    var isPeriodic: Bool
    /// Settings, kernel, what a saved model has.
    var words: [String: String]
    var fingerprint: DataFingerprint
  }

  /// What is told of a moment, beside the parameters.
  struct Moment: Sendable {
    var state: RunState
    var position: Position
  }

  /// Bytes of the run's files that belong to a moment.
  struct Position: Sendable {
    var metricsBytes: Int
    var timingsBytes: Int
    /// In the order of `RunTables.all`; empty in checkpoints of former versions.
    var tableBytes: [Int]
  }

  private let constants: Constants
  private let files: [TextFile]
  /// Shape (1 + states + others, n)
  private let copy: UnsafeMutableBufferPointer<Float>
  private var thread: pthread_t?
  private var task: Task?
  /// Reading all of the data takes its time: it is done once, and not before a checkpoint needs it.
  private var fingerprint: String?
  /// Why a checkpoint could not be written.
  private(set) var failure: DistsgdError?
  /// The step of the last checkpoint that was begun.
  private(set) var lastStep = -1

  /// - Parameter files: those that must be on the disk before a checkpoint.
  init(_ constants: Constants, files: [TextFile]) {
    self.constants = constants
    self.files = files
    copy = .allocate(capacity: constants.tensors.map(\.range.upperBound).max() ?? 0)
    // The first copy shall not pay for pages that the system has yet to find; but where there may be none at all, nor
    // shall memory.
    if constants.isPeriodic { copy.initialize(repeating: 0) }
  }

  deinit {
    wait()
    copy.deallocate()
  }

  /// A thread's work, and what came of it.
  private final class Task: @unchecked Sendable {
    // Unchecked: the writer reads it only when the thread has ended.
    let constants: Constants
    let files: [TextFile]
    let parameters: UnsafeMutableBufferPointer<Float>
    let moment: Moment
    var fingerprint: String?
    var failure: DistsgdError?
    let isDone = Atomic(false)

    init(
      _ constants: Constants, _ files: [TextFile], _ parameters: UnsafeMutableBufferPointer<Float>,
      _ moment: Moment, _ fingerprint: String?
    ) {
      self.constants = constants
      self.files = files
      self.parameters = parameters
      self.moment = moment
      self.fingerprint = fingerprint
    }

    func run() {
      do {
        try write()
      } catch {
        failure = error as? DistsgdError ?? DistsgdError(.internal, "\(error)")
      }
      isDone.store(true, ordering: .relaxed)
    }

    private func write() throws {
      for file in files { try file.sync() }
      let digits = fingerprint ?? constants.fingerprint.digits
      fingerprint = digits
      var words = constants.words.merging(moment.state.words) { $1 }
      words["dataFingerprint"] = digits
      words["metricsBytes"] = "\(moment.position.metricsBytes)"
      words["timingsBytes"] = "\(moment.position.timingsBytes)"
      for (table, bytes) in zip(RunTables.all, moment.position.tableBytes) {
        words[table.word] = "\(bytes)"
      }
      let views = constants.tensors.map { tensor in
        SafeTensors.View(
          name: tensor.name, shape: tensor.shape,
          values: UnsafeBufferPointer(rebasing: parameters[tensor.range]))
      }
      let step = moment.state.step
      try constants.folder.write(views, words: words, step: step, keep: constants.keep)
    }
  }

  /// Whether the last checkpoint is still on its way to the disk.
  var isBusy: Bool {
    guard let task else { return false }
    if !task.isDone.load(ordering: .relaxed) { return true }
    wait()
    return false
  }

  /// Copies the parameters and the optimizer's state, and begins to write. The writer must not be busy.
  /// - Parameter others: what else there is of the parameters, in the order of the tensors.
  func begin(
    _ parameters: UnsafeMutableBufferPointer<Float>, _ state: OptimizerState,
    others: [UnsafeMutableBufferPointer<Float>] = [], _ moment: Moment
  ) {
    precondition(thread == nil)
    copy.baseAddress!.update(from: parameters.baseAddress!, count: parameters.count)
    state.copy(to: copy.baseAddress! + parameters.count)
    for (number, values) in others.enumerated() {
      (copy.baseAddress! + (1 + state.names.count + number) * parameters.count).update(
        from: values.baseAddress!, count: values.count)
    }
    let task = Task(constants, files, copy, moment, fingerprint)
    self.task = task
    lastStep = moment.state.step
    thread = startThread { task.run() }
    if thread == nil {
      // Without a thread the ranks wait for the disk.
      task.run()
      end()
    }
  }

  /// Returns when the last checkpoint is on the disk, or has failed.
  func wait() {
    guard let thread else { return }
    pthread_join(thread, nil)
    end()
  }

  /// The thread has ended.
  private func end() {
    thread = nil
    fingerprint = task?.fingerprint
    failure = failure ?? task?.failure
    task = nil
  }
}
