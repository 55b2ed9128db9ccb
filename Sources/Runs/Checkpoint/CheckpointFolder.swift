// The checkpoints of a run in their folder: named by step, the newest valid one found, old ones removed.
import DataFormats
import Glibc
import System
import Text

/// `DIR/checkpoints`. A run makes the folder itself and writes into this very one: what has its name later is no
/// affair of the run, and of the files in it only the run's own are removed.
package final class CheckpointFolder: @unchecked Sendable {
  // Unchecked: one thread at a time uses it, first the one that resumes, then that of the writer.

  package let path: String
  /// The run's folder; nil where checkpoints are only read.
  private let run: OpenFolder?
  /// From the first checkpoint on.
  private var folder: OpenFolder?
  /// Steps of the checkpoints that this run has made.
  private var own: Set<Int> = []

  private static let name = "checkpoints"
  private static let prefix = "step-"
  private static let suffix = ".safetensors"

  /// For reading.
  package init(run: String) {
    path = run + "/" + Self.name
    self.run = nil
  }

  /// That of a new run, or of one that goes on.
  init(in run: OpenFolder) {
    path = run.path + "/" + Self.name
    self.run = run
  }

  /// `step-000001200.safetensors`: in the order of names is in the order of steps.
  package func file(step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, 9 - digits.count))
    return "\(path)/\(Self.prefix)\(zeros)\(digits)\(Self.suffix)"
  }

  // MARK: Reading

  /// The steps of all checkpoints, damaged or not, the newest first.
  package func steps() -> [Int] {
    entries().compactMap(Self.step).sorted(by: >)
  }

  /// The newest checkpoint that is whole and of this run. Those that are not are told to `pass` and passed over.
  /// - Parameter id: the run's; nil for runs of former versions, which have none.
  package func newest(ofRun id: String? = nil, pass: (DistsgdError) -> Void) -> Checkpoint? {
    for step in steps() {
      do {
        let path = file(step: step)
        guard isFile(path) else { throw DistsgdError(.badData, "'\(path)' is a link, or no file") }
        let checkpoint = try Checkpoint(reading: path)
        try checkpoint.words.require(step: step, run: id)
        return checkpoint
      } catch {
        pass(error as? DistsgdError ?? DistsgdError(.internal, "\(error)"))
      }
    }
    return nil
  }

  private static func step(ofName name: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    return Int(name.dropFirst(prefix.count).dropLast(suffix.count))
  }

  private func entries() -> [String] { folder?.entries() ?? namesInFolder(opendir(path)) }

  // MARK: Going on

  /// Opens the folder of a run that goes on, if it has one, and removes what a process that was killed had begun to
  /// write. Nobody else may be writing.
  /// - Throws: `DistsgdError` (`noInput`) when it is a link: it may lead into another run.
  func open(ofRun id: String?) throws {
    folder = OpenFolder(path, followsLink: false)
    guard let folder else {
      if errno == ENOENT { return }
      throw DistsgdError(
        .noInput,
        "--resume: '\(path)' is a link, or cannot be opened as a folder: a run's checkpoints are in a folder of its own; put that in its place"
      )
    }
    for name in entries() where name.hasPrefix(Self.prefix) && name.contains(Self.suffix + ".tmp-") {
      folder.remove(name)
    }
    own = Set(
      steps().filter { step in
        let path = file(step: step)
        guard isFile(path) else { return false }
        // One whose header is damaged is taken for our own.
        guard let words = CheckpointWords(headerOf: path) else { return true }
        return (try? words.require(step: step, run: id)) != nil
      })
  }

  // MARK: Writing

  /// Makes the folder before the first checkpoint, and writes one.
  /// - Parameter keep: so many of the newest up to this step stay.
  /// - Throws: `DistsgdError` (`cannotCreate`; `inputOutput` also when the folder is no longer where it was).
  func write(_ tensors: [SafeTensors.View], words: [String: String], step: Int, keep: Int) throws {
    try requirePlace()
    do {
      let folder = try folder ?? create()
      self.folder = folder
      try Checkpoint.write(tensors, words: words, to: file(step: step), in: folder)
    } catch {
      // Whatever the system says of a folder that has gone.
      try requirePlace()
      throw error
    }
    try requirePlace()
    own.insert(step)
    for old in own.filter({ $0 <= step }).sorted(by: >).dropFirst(keep) {
      folder?.remove(baseName(file(step: old)))
      own.remove(old)
    }
  }

  private func create() throws -> OpenFolder {
    let place = run?.descriptor ?? AT_FDCWD
    guard mkdirat(place, run == nil ? path : Self.name, 0o777) == 0,
      let folder = OpenFolder(path, followsLink: false)
    else {
      throw DistsgdError(
        .cannotCreate,
        "cannot create the folder '\(path)': \(errorText(errno)); a run makes its own, so leave this name to it"
      )
    }
    try run?.sync()
    return folder
  }

  private func requirePlace() throws {
    guard folder?.isInPlace != false, run?.isInPlace != false else { throw goneError(path) }
  }
}

extension CheckpointWords {
  /// - Throws: `DistsgdError` (`badData`) where a checkpoint is not the one that its name and its folder say.
  fileprivate func require(step: Int, run id: String?) throws {
    let found = try count("step")
    guard found == step else {
      throw DistsgdError(.badData, "'\(path)' holds step \(found), and not the one of its name")
    }
    guard self["run"] == id else {
      func called(_ id: String?) -> String { id.map { "the run \(printable($0))" } ?? "a run without an id" }
      throw DistsgdError(
        .badData, "'\(path)' is of \(called(self["run"])), and metrics.jsonl is of \(called(id))")
    }
  }
}

/// Whether it is a regular file, and no link to one.
private func isFile(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
