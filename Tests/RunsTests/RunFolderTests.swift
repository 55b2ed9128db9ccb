// A run's folder is its own: what others put there is neither believed, nor written over, nor removed.
import DistributedSGD
import Foundation
import MPI
import Runs
import System
import TestSupport
import Testing

@Suite struct RunFolderTests {
  private let folder = TemporaryFolder()
  private let communicator = SingleProcessCommunicator()

  private func options(_ name: String, steps: Int, seed: UInt64 = 0) -> TrainingOptions {
    var options = TrainingOptions()
    options.output = folder(name)
    options.shards = 3
    options.globalBatch = 200
    options.seed = seed
    options.steps = steps
    options.logEvery = 1
    options.isQuiet = true
    options.checkpointEvery = .steps(2)
    return options
  }

  private func start(_ name: String, steps: Int, seed: UInt64 = 0) throws {
    try TrainingRun(options(name, steps: steps, seed: seed), communicator: communicator).run()
  }

  private func resume(_ name: String, steps: Int) throws {
    let resumption = try Resumption(folder(name), communicator: communicator)
    let options = options(name, steps: steps)
    #expect(try resumption.end(for: options) == nil)
    try TrainingRun(options, resuming: resumption, .init(), communicator: communicator).run()
  }

  private func code(_ body: () throws -> Void, saying words: String...) -> ExitCode? {
    do {
      try body()
      return nil
    } catch {
      let failure = (error as? AgreedError)?.error ?? error as? DistsgdError
      for word in words { #expect(failure?.description.contains(word) == true, "\(word): \(error)") }
      return failure?.code
    }
  }

  private func checkpoint(_ run: String, _ step: Int) -> String {
    CheckpointFolder(run: folder(run)).file(step: step)
  }

  private func losses(_ run: String) throws -> [Double] {
    try readMetrics(folder("\(run)/metrics.jsonl")).filter { $0.name == "step" }.map { $0.number("loss") }
  }

  private func link(_ path: String, to destination: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: destination)
  }

  // MARK: Checkpoints of others

  @Test func everyRunHasAnIDOfItsOwn() throws {
    try start("a", steps: 4)
    try start("b", steps: 4)
    let ids = try ["a", "b"].map { try #require(readMetrics(folder("\($0)/metrics.jsonl")).first).text("id") }
    #expect(ids[0].count == 16 && ids[1].count == 16 && ids[0] != ids[1])
    for (run, id) in zip(["a", "b"], ids) {
      #expect(try Checkpoint(reading: checkpoint(run, 4)).words["run"] == id)
    }
    try resume("a", steps: 6)
    #expect(try Checkpoint(reading: checkpoint("a", 6)).words["run"] == ids[0], "it stays the same run")
    #expect(try readMetrics(folder("a/metrics.jsonl")).first?.text("id") == ids[0])
  }

  /// A newer one of another run is passed over, and stays where somebody has put it.
  @Test func aCheckpointOfAnotherRunIsNotTaken() throws {
    try start("run", steps: 6)
    try start("other", steps: 50, seed: 1)
    try start("whole", steps: 30)
    let strangers = [10, 50].map { checkpoint("run", $0) }
    for path in strangers { try FileManager.default.copyItem(atPath: checkpoint("other", 50), toPath: path) }
    let content = try Data(contentsOf: URL(fileURLWithPath: strangers[0]))
    var passed: [String] = []
    let id = try readMetrics(folder("run/metrics.jsonl"))[0].text("id")
    let newest = CheckpointFolder(run: folder("run")).newest(ofRun: id) { passed.append("\($0)") }
    #expect(newest?.words["step"] == "6")
    #expect(passed.count == 2 && passed[0].contains("and metrics.jsonl is of the run \(id)"), "\(passed)")
    try resume("run", steps: 30)
    #expect(try losses("run") == losses("whole"))
    // Which of its own there are depends on the disk; but no more than it keeps.
    let steps = CheckpointFolder(run: folder("run")).steps()
    #expect(steps.prefix(2) == [50, 30] && steps.contains(10) && steps.count <= 5, "\(steps)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: strangers[0])) == content)
  }

  /// A copy under a later name would else be the newest for ever, and the run go back to it each time.
  @Test func aCheckpointUnderAnotherNameIsNotTaken() throws {
    try start("run", steps: 4)
    try FileManager.default.copyItem(atPath: checkpoint("run", 2), toPath: checkpoint("run", 999_999_999))
    var passed: [String] = []
    let id = try readMetrics(folder("run/metrics.jsonl"))[0].text("id")
    let newest = CheckpointFolder(run: folder("run")).newest(ofRun: id) { passed.append("\($0)") }
    #expect(newest?.words["step"] == "4")
    #expect(passed.count == 1 && passed[0].contains("holds step 2, and not the one of its name"), "\(passed)")
    try resume("run", steps: 12)
    #expect(try losses("run").count == 12)
    let steps = CheckpointFolder(run: folder("run")).steps()
    #expect(steps.prefix(2) == [999_999_999, 12] && steps.count <= 4, "\(steps)")
  }

  /// The lines that a checkpoint counts on end where a line ends.
  @Test(arguments: ["metrics.jsonl", "timings.csv", "waits.csv", "heatmap.csv", "ranks.csv"])
  func changedLinesAreRefused(_ name: String) throws {
    try start("run", steps: 8)
    let text = try readFile(folder("run/\(name)"))
    try folder.write("\n" + text, to: "run/\(name)")
    // The first line tells the run's id: it stays.
    if name == "metrics.jsonl" {
      let end = try #require(text.firstIndex(of: "\n"))
      try folder.write(text[...end] + "{}" + text[end...], to: "run/\(name)")
    }
    #expect(code({ try resume("run", steps: 12) }, saying: name, "no end of a line") == .badData)
  }

  // MARK: Folders of others

  /// What a run would write over, or remove when it is old, is not there before.
  @Test(
    arguments: ["metrics.jsonl", "timings.csv", "ranks.csv", "model.safetensors", "checkpoints"],
    [true, false])
  func aNewRunTakesNobodysFiles(_ name: String, _ isLink: Bool) throws {
    let precious = try folder.write("precious", to: "step-000000001.safetensors")
    try FileManager.default.createDirectory(atPath: folder("run"), withIntermediateDirectories: true)
    if isLink {
      try link(folder("run/\(name)"), to: name == "checkpoints" ? folder.path : folder("nowhere"))
    } else if name == "checkpoints" {
      try FileManager.default.createDirectory(
        atPath: folder("run/checkpoints"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: precious, toPath: checkpoint("run", 1))
    } else {
      try folder.write("precious", to: "run/\(name)")
    }
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(code({ try start("run", steps: 8) }, saying: "--output", name) == .cannotCreate)
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path) == before)
  }

  /// One that comes later, before the first checkpoint.
  @Test func aFolderThatComesMeanwhileIsLeftAlone() throws {
    let run = try TrainingRun(options("run", steps: 8), communicator: communicator)
    try FileManager.default.createDirectory(
      atPath: folder("run/checkpoints"), withIntermediateDirectories: true)
    for step in 1...5 { try folder.write("precious", to: "run/checkpoints/step-00000000\(step).safetensors") }
    #expect(code({ try run.run() }, saying: folder("run/checkpoints")) == .cannotCreate)
    #expect(CheckpointFolder(run: folder("run")).steps() == [5, 4, 3, 2, 1])
  }

  @Test(arguments: ["metrics.jsonl", "timings.csv", "heatmap.csv", "checkpoints"])
  func resumeFollowsNoLink(_ name: String) throws {
    try start("run", steps: 6)
    try FileManager.default.moveItem(atPath: folder("run/\(name)"), toPath: folder("elsewhere"))
    try link(folder("run/\(name)"), to: folder("elsewhere"))
    #expect(code({ try resume("run", steps: 8) }, saying: "--resume", name, "link") == .noInput)
  }

  @Test func aCheckpointThatIsALinkIsPassedOver() throws {
    try start("run", steps: 4)
    try FileManager.default.moveItem(atPath: checkpoint("run", 4), toPath: folder("elsewhere"))
    try link(checkpoint("run", 4), to: folder("elsewhere"))
    try resume("run", steps: 3)
    #expect(try losses("run").count == 3)
  }

  /// The run's folder itself may be found by a link, as `latest` is.
  @Test func theFolderMayBeALink() throws {
    try start("run", steps: 4)
    try link(folder("latest"), to: folder("run"))
    try resume("latest", steps: 8)
    #expect(try losses("run").count == 8)
  }

  // MARK: Pipes

  @Test(
    arguments: ["metrics.jsonl", "timings.csv", "waits.csv", "checkpoints"], ["pipe", "folder", "socket"])
  func whatIsNoFileIsRefused(_ name: String, _ kind: String) throws {
    try start("run", steps: 4)
    let path = folder("run/\(name)")
    try FileManager.default.removeItem(atPath: path)
    switch kind {
    case "pipe": #expect(mkfifo(path, 0o666) == 0)
    case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    default:
      let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let code = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      #expect(code == 0)
    }
    #expect(code({ try resume("run", steps: 8) }, saying: name) == .noInput)
  }

  /// Nobody waits for a pipe that has a checkpoint's name.
  @Test func aCheckpointThatIsAPipeIsPassedOver() throws {
    try start("run", steps: 4)
    #expect(mkfifo(checkpoint("run", 9), 0o666) == 0)
    try resume("run", steps: 6)
    #expect(try losses("run").count == 6)
  }

  // MARK: Names

  /// As many jobs as begin in one second.
  @Test func everyJobHasAFolderOfItsOwn() throws {
    let names = Names()
    let here = FileManager.default.currentDirectoryPath
    defer { for name in names.all { rmdir("\(here)/\(name)") } }
    DispatchQueue.concurrentPerform(iterations: 40) { _ in
      if let name = try? OutputFolder.makeDefault() { names.add(name) }
    }
    #expect(names.all.count == 40 && Set(names.all).count == 40)
    let pattern = try Regex(#"runs/\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?"#)
    #expect(names.all.allSatisfy { $0.wholeMatch(of: pattern) != nil })
  }
}

/// Filled by several threads.
private final class Names: @unchecked Sendable {
  // Unchecked: the lock guards it.
  private let lock = NSLock()
  private var names: [String] = []
  var all: [String] { lock.withLock { names } }
  func add(_ name: String) { lock.withLock { names.append(name) } }
}
