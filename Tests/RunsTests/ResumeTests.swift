// A run that is stopped and resumed is the run that nobody stopped: parameters, events, files.
import DataFormats
import DistributedSGD
import Foundation
import MPI
import NeuralNet
import Runs
import System
import TestSupport
import Testing

@Suite struct ResumeTests {
  private let folder = TemporaryFolder()
  private let communicator = SingleProcessCommunicator()

  private func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions()
    options.shards = 3
    options.globalBatch = 200
    options.epochs = 3
    options.logEvery = 1
    options.logsHashes = true
    options.isQuiet = true
    options.checkpointEvery = .steps(1_000)
    change(&options)
    return options
  }

  private func start(_ name: String, _ options: TrainingOptions) throws {
    var options = options
    options.output = folder(name)
    try TrainingRun(options, communicator: communicator).run()
  }

  private func resume(
    _ name: String, _ options: TrainingOptions, _ allowances: Resumption.Allowances = .init()
  ) throws {
    let resumption = try Resumption(folder(name), communicator: communicator)
    var options = options
    options.output = folder(name)
    #expect(try resumption.end(for: options) == nil)
    try TrainingRun(options, resuming: resumption, allowances, communicator: communicator).run()
  }

  /// Everything but times and memory.
  private func trace(_ name: String) throws -> [String] {
    try readMetrics(folder("\(name)/metrics.jsonl")).dropFirst().map { event in
      event.fields.filter { !$0.key.hasPrefix("seconds") && $0.key != "memoryBytes" }.sorted {
        $0.key < $1.key
      }.map { "\($0)" }
        .joined(separator: " ")
    }
  }

  private func model(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder("\(name)/model.safetensors")))
  }

  /// Every step of an epoch, its ends included: 8 steps an epoch, the last one short.
  @Test(arguments: 1...23) func afterAnyStep(_ step: Int) throws {
    let whole = options {
      $0.data.validation = "0.1"
      $0.evaluateEvery = step % 2 == 0 ? nil : 450
      $0.model = step % 3 == 0 ? ModelSpecification(mlp: [60, 40]) : .linear
      $0.learningRate = 0.05
      $0.schedule = StepSchedule(every: .steps(5), factor: 0.5)
    }
    try start("whole", whole)
    var first = whole
    first.steps = step
    try start("parts", first)
    try resume("parts", whole)
    #expect(try trace("parts") == trace("whole"))
    #expect(try model("parts") == model("whole"))
    let rows = try ["parts", "whole"].map { name in
      try readFile(folder("\(name)/timings.csv")).split(separator: "\n").map {
        $0.split(separator: ",").prefix(5)
      }
    }
    #expect(rows[0] == rows[1], "a row for every epoch and phase, once")
    let epochs = try ["parts", "whole"].map { name in
      try readFile(folder("\(name)/ranks.csv")).split(separator: "\n").map { $0.split(separator: ",")[0] }
    }
    #expect(epochs == [["epoch", "1", "2", "3"], ["epoch", "1", "2", "3"]])
  }

  /// A run that is finished goes on when it is to be longer.
  @Test func longer() throws {
    try start("whole", options { $0.epochs = 5 })
    try start("parts", options())
    let resumption = try Resumption(folder("parts"), communicator: communicator)
    #expect(try resumption.end(for: options())?.contains("is finished") == true)
    withExtendedLifetime(resumption) {}
  }

  /// What gradients are rounded to decides the bits.
  @Test func anotherWireIsRefused() throws {
    try start("parts", options { $0.wire = .bf16 })
    let resumption = try Resumption(folder("parts"), communicator: communicator)
    for wire in [GradientFormat.fp32, .fp16] {
      #expect {
        _ = try TrainingRun(
          options { ($0.wire, $0.epochs, $0.output) = (wire, 4, folder("parts")) }, resuming: resumption,
          .init(),
          communicator: communicator)
      } throws: { error in
        let error = (error as? AgreedError)?.error ?? error
        return (error as? DistsgdError).map { "\($0)".contains("--wire") } == true
      }
    }
    withExtendedLifetime(resumption) {}
  }

  /// The same course of training, as nearly as 8 bits of each gradient tell it.
  @Test(arguments: [GradientFormat.bf16, .fp16]) func sixteenBitsCostLittle(_ wire: GradientFormat) throws {
    func losses(_ name: String, _ wire: GradientFormat) throws -> [Double] {
      try start(
        name,
        options { ($0.wire, $0.model, $0.learningRate) = (wire, ModelSpecification(mlp: [60, 40]), 0.05) })
      return try readMetrics(folder("\(name)/metrics.jsonl")).filter { $0.name == "epoch" }.map {
        $0.number("loss")
      }
    }
    let (all, half) = (try losses("all", .fp32), try losses("half", wire))
    try #require(all.count == 3 && half.count == 3)
    for (all, half) in zip(all, half) { #expect(abs(half / all - 1) < 0.01, "\(half) for \(all)") }
  }

  @Test func longerInParts() throws {
    try start("whole", options { $0.epochs = 5 })
    try start("parts", options { $0.epochs = 1 })
    for epochs in 2...5 { try resume("parts", options { $0.epochs = epochs }) }
    #expect(try trace("parts") == trace("whole"))
    #expect(try model("parts") == model("whole"))
  }

  /// Views of tensors, one after the other, while their memory stays where it is.
  private func writeAgain(
    _ rest: ArraySlice<SafeTensors.Tensor>, _ views: [SafeTensors.View], words: [String: String],
    to path: String
  ) throws {
    guard let first = rest.first else { return try Checkpoint.write(views, words: words, to: path) }
    try first.values.withUnsafeBufferPointer {
      try writeAgain(
        rest.dropFirst(), views + [SafeTensors.View(name: first.name, shape: first.shape, values: $0)],
        words: words, to: path)
    }
  }

  /// A run of a former version has none of the files that tell who waited for whom.
  @Test func withoutTablesOfRanks() throws {
    try start("run", options { $0.epochs = 1 })
    for name in ["waits.csv", "heatmap.csv", "ranks.csv"] {
      try FileManager.default.removeItem(atPath: folder("run/\(name)"))
    }
    let path = CheckpointFolder(run: folder("run")).file(step: 8)
    let whole = try Checkpoint(reading: path)
    let words = whole.words.words.filter {
      !["waitsBytes", "heatmapBytes", "ranksBytes", "checkpoint", "checksum"].contains($0.key)
    }
    #expect(words.count == whole.words.words.count - 5)
    try writeAgain(whole.tensors.tensors[...], [], words: words, to: path)
    try resume("run", options { $0.epochs = 2 })
    let lines = try readFile(folder("run/ranks.csv")).split(separator: "\n")
    // The checkpoint was made before the end of the first epoch was told.
    #expect(lines.map { $0.split(separator: ",")[0] } == ["epoch", "1", "2"])
  }

  /// The newest one is damaged: the one before it counts.
  @Test func aDamagedCheckpointIsPassedOver() throws {
    try start("whole", options())
    try start("parts", options { $0.steps = 6 })
    try resume("parts", options { $0.steps = 13 })
    let newest = CheckpointFolder(run: folder("parts")).file(step: 13)
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: newest)))
    bytes[bytes.count - 3] ^= 0x10
    try Data(bytes).write(to: URL(fileURLWithPath: newest))
    try resume("parts", options())
    #expect(try trace("parts") == trace("whole"))
    #expect(try model("parts") == model("whole"))
  }

  @Test func theNewestAreKept() throws {
    try start("run", options { $0.steps = 2 })
    for steps in 3...8 {
      try resume(
        "run",
        options {
          $0.steps = steps; $0.checkpointsKept = 2
        })
    }
    #expect(CheckpointFolder(run: folder("run")).steps() == [8, 7])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints")).sorted()
    #expect(files == ["step-000000007.safetensors", "step-000000008.safetensors"])
  }

  /// A checkpoint can be used as a model.
  @Test func aCheckpointIsAModel() throws {
    try start("run", options())
    let model = try ModelFile(reading: folder("run/model.safetensors"))
    let checkpoint = try ModelFile(reading: CheckpointFolder(run: folder("run")).file(step: 24))
    #expect(checkpoint.parameters == model.parameters && checkpoint.preprocessing == model.preprocessing)
  }

  static let changes: [(flag: String, change: @Sendable (inout TrainingOptions) -> Void)] = [
    ("--global-batch", { $0.globalBatch = 100 }), ("--shards", { $0.shards = 4 }),
    ("--seed", { $0.seed = 1 }),
    ("--learning-rate", { $0.learningRate = 0.3 }), ("--model", { $0.model = ModelSpecification(mlp: [4]) }),
    ("--optimizer", { $0.optimizer = SGD(momentum: 0.9) }),
    ("--sampling", { $0.sampling = .replacement }), ("--last-batch", { $0.lastBatch = .drop }),
    ("--duplicate", { $0.copies = 2 }), ("--threads", { $0.threads = 2 }),
    ("--micro-batch", { $0.microBatch = 7 }),
    ("--schedule", { $0.schedule = StepSchedule(every: .epochs(1), factor: 0.5) }),
    ("--examples", { $0.data.examples = 1_400 }), ("--steps 2", { $0.steps = 2 }),
    ("--epochs 0", { $0.epochs = 0 }),
  ]

  @Test(arguments: changes.indices) func aChangedResultIsRefused(_ index: Int) throws {
    let (flag, change) = Self.changes[index]
    try start("run", options { $0.steps = 10 })
    let before = try readFile(folder("run/metrics.jsonl"))
    #expect {
      try resume("run", options(change))
    } throws: {
      guard let error = ($0 as? AgreedError)?.error else { return false }
      return error.code == .usage && "\(error)".hasPrefix(flag)
    }
    #expect(try readFile(folder("run/metrics.jsonl")) == before, "nothing was touched")
  }

  @Test func otherDataAreRefusedOrAccepted() throws {
    var table = "a,b,y\n"
    for i in 0..<300 { table += "\(i % 7),\(i % 11),\(i % 13)\n" }
    let data = try folder.write(table, to: "table.csv")
    let first = options {
      $0.data.data = data
      $0.steps = 1
    }
    try start("run", first)
    // The same data elsewhere are the same data.
    var moved = first
    moved.steps = 2
    moved.data.data = try folder.write(table, to: "moved.csv")
    try resume("run", moved)
    var other = moved
    other.steps = 3
    other.data.data = try folder.write(
      table.replacingOccurrences(of: "\n6,6,6\n", with: "\n6,6,7\n"), to: "other.csv")
    #expect {
      try resume("run", other)
    } throws: {
      ($0 as? AgreedError)?.error.code == .badData && "\(($0 as! AgreedError).error)".contains("fingerprint")
    }
    var allowances = Resumption.Allowances()
    allowances.otherData = true
    try resume("run", other, allowances)
    #expect(try readMetrics(folder("run/metrics.jsonl")).filter { $0.name == "step" }.count == 3)
  }

  @Test func shortenedMetricsAreRefused() throws {
    try start("run", options { $0.steps = 10 })
    let metrics = try readFile(folder("run/metrics.jsonl"))
    try folder.write(String(metrics.prefix(900)), to: "run/metrics.jsonl")
    #expect {
      try resume("run", options())
    } throws: {
      ($0 as? AgreedError)?.error.code == .badData
        && "\(($0 as! AgreedError).error)".contains("metrics.jsonl")
    }
  }

  @Test func withoutACheckpoint() throws {
    try start("run", options { $0.checkpointEvery = nil })
    #expect(!FileManager.default.fileExists(atPath: folder("run/checkpoints")))
    let resumption = try Resumption(folder("run"), communicator: communicator)
    var longer = options()
    longer.epochs = 9
    #expect {
      try resumption.end(for: longer)
    } throws: {
      ($0 as? DistsgdError)?.code == .noInput
    }
    #expect {
      try Resumption(folder("nowhere"), communicator: communicator)
    } throws: {
      ($0 as? AgreedError)?.error.code == .noInput
    }
  }
}
