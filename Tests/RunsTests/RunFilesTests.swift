// The files of a run, field by field.
import DataFormats
import DistributedSGD
import Foundation
import MPI
import NeuralNet
import Runs
import TestSupport
import Testing

@Suite struct RunFilesTests {
  private let folder = TemporaryFolder()

  private func run(_ change: (inout TrainingOptions) -> Void) throws -> [Event] {
    var options = TrainingOptions()
    options.output = folder("run")
    options.isQuiet = true
    change(&options)
    try TrainingRun(options, communicator: SingleProcessCommunicator()).run()
    return try readMetrics(folder("run/metrics.jsonl"))
  }

  private func expectKeys(_ event: Event, _ keys: [String], sourceLocation: SourceLocation = #_sourceLocation)
  {
    for key in keys {
      #expect(event.fields[key] != nil, "\(event.name) lacks '\(key)'", sourceLocation: sourceLocation)
    }
  }

  /// An epoch is what a run takes of the data: the batch that is dropped is no part of it.
  @Test(arguments: LastBatch.allCases) func fractionsOfAnEpoch(_ lastBatch: LastBatch) throws {
    let epoch = lastBatch == .keep ? 1_500 : 1_408.0
    let events = try run {
      $0.lastBatch = lastBatch
      $0.epochs = 3
    }
    #expect(events.filter { $0.name == "evaluation" }.map { $0.number("epoch") } == [1, 2, 3])
    let end = try #require(events.last)
    #expect(abs(3 * end.number("secondsPerEpoch") - end.number("seconds")) < 1e-6 * end.number("seconds"))
    #expect(events.last { $0.name == "epoch" }?.number("examples") == 3 * epoch)
  }

  @Test func evaluationsWithinAnEpochWhoseLastBatchIsDropped() throws {
    let events = try run {
      $0.lastBatch = .drop
      $0.evaluateEvery = 704
    }
    let epochs = events.filter { $0.name == "evaluation" }.map { $0.number("epoch") }
    #expect(epochs.map { ($0 * 11).rounded() } == [6, 11, 17, 22])
    #expect(epochs.allSatisfy { abs($0 * 11 - ($0 * 11).rounded()) < 1e-9 }, "\(epochs)")
  }

  @Test func eventsOfARegression() throws {
    let events = try run {
      $0.shards = 3
      $0.logEvery = 1
      $0.seed = 7
    }
    #expect(Set(events.map(\.name)) == ["run", "step", "evaluation", "epoch", "end"])
    #expect(events.first?.name == "run" && events.last?.name == "end")
    #expect(events.count { $0.name == "run" } == 1 && events.count { $0.name == "end" } == 1)

    let run = try #require(events.first)
    expectKeys(
      run,
      [
        "version", "data", "examples", "features", "model", "loss", "optimizer", "schedule", "learningRate",
        "globalBatch", "microBatch", "lastBatch", "sampling", "duplicate", "seed", "epochs", "steps",
        "shards",
        "ranks", "servers", "hosts", "threads", "blasKernel", "hash", "initialize", "validation",
        "evaluateEvery",
        "logEvery",
      ])
    #expect(run.number("seed") == 7 && run.number("shards") == 3 && run.number("ranks") == 1)
    #expect(
      run.number("globalBatch") == 128 && run.number("examples") == 1_500 && run.number("learningRate") == 0.4
    )
    #expect(
      run.text("data") == "airfoil-like" && run.text("model") == "linear" && run.text("hash") == "XXH64")
    #expect(!run.text("blasKernel").isEmpty)

    let steps = events.filter { $0.name == "step" }
    #expect(steps.map { $0.number("step") } == (1...24).map(Double.init))
    #expect(steps.map { $0.number("epoch") } == (1...24).map { $0 <= 12 ? 1 : 2 })
    let examples = (1...12).map { min(128.0 * Double($0), 1_500) }
    #expect(steps.map { $0.number("examples") } == examples + examples.map { $0 + 1_500 })
    for step in steps {
      expectKeys(step, ["step", "epoch", "examples", "loss", "learningRate", "seconds"])
      #expect(step.number("loss") > 0 && step.number("learningRate") == 0.4)
    }
    let seconds = steps.map { $0.number("seconds") }
    #expect(seconds == seconds.sorted() && seconds[0] > 0)

    for event in events where event.name == "evaluation" {
      expectKeys(event, ["epoch", "step", "examples", "seconds", "loss"])
      #expect(event.fields["accuracy"] == nil, "a regression has no accuracy")
    }
    let epochs = events.filter { $0.name == "epoch" }
    #expect(epochs.count == 2)
    for event in epochs { expectKeys(event, ["seconds", "loss", "examples"]) }
    // An epoch's loss is the mean over its examples, the short last batch weighing less.
    let weighted = steps[..<12].enumerated().reduce(0) {
      $0 + $1.element.number("loss") * ($1.offset < 11 ? 128 : 92)
    }
    #expect(abs(epochs[0].number("loss") - weighted / 1_500) < 1e-7)

    let end = try #require(events.last)
    expectKeys(end, ["loss", "seconds", "secondsPerEpoch", "parameterHash"])
    #expect(end.text("parameterHash").count == 16)
    #expect(abs(end.number("secondsPerEpoch") - end.number("seconds") / 2) < 1e-12)
    let evaluations = events.filter { $0.name == "evaluation" }
    #expect(evaluations.last?.number("loss") == end.number("loss"))
    #expect(evaluations.map { $0.number("epoch") } == [1, 2])
  }

  @Test func eventsOfAClassification() throws {
    var rows = "a,b,class\n"
    for i in 0..<60 { rows += "\(i % 7),\(i % 5),\(i % 3)\n" }
    let data = try folder.write(rows, to: "classes.csv")
    let events = try run {
      $0.data.data = data
      $0.data.validation = "0.25"
      $0.model = .softmax
      $0.globalBatch = 10
      $0.evaluateEvery = 20
      $0.epochs = 2
    }
    let evaluations = events.filter { $0.name == "evaluation" }
    // Batches of 10 of 45 examples: after the first that passes each multiple of 20.
    #expect(evaluations.map { $0.number("examples") } == [20, 40, 65, 85])
    for event in evaluations {
      expectKeys(event, ["epoch", "step", "examples", "seconds", "loss", "accuracy"])
      #expect((0...1).contains(event.number("accuracy")))
      #expect(event.text("set") == "validation")
    }
    #expect(events[0].number("validationExamples") == 15 && events[0].number("examples") == 45)
  }

  @Test func timings() throws {
    _ = try run { _ in }
    let lines = try readFile(folder("run/timings.csv")).split(separator: "\n")
    #expect(lines.first == "epoch,host,rank,local_rank,phase,count,seconds,mean_us,p50_us,p99_us,max_us")
    let rows = lines.dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(rows.count == 2 * 9)
    let phases = [
      "load", "forward", "backward", "wait", "reduce", "update", "evaluate", "checkpoint", "other",
    ]
    #expect(rows.map { $0[4] } == phases + phases)
    for row in rows {
      #expect(row.count == 11)
      #expect(["1", "2"].contains(row[0]) && !row[1].isEmpty && row[2] == "0" && row[3] == "0")
      let numbers = row[5...].map { Double($0) ?? .nan }
      #expect(numbers.allSatisfy { $0 >= 0 })
      let (count, seconds, mean, p50, p99, maximum) = (
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
      )
      #expect(abs(mean * count - seconds * 1e6) <= 0.001 * count + 0.001)
      #expect(p50 <= p99 && p99 <= maximum + 0.001)
    }
    #expect(rows.filter { $0[4] == "forward" }.map { $0[5] } == ["12", "12"], "a pass a step")
  }

  @Test func theModelIsWritten() throws {
    _ = try run { $0.model = ModelSpecification(mlp: [4]) }
    let model = try ModelFile(reading: folder("run/model.safetensors"))
    #expect(model.model.tensors.map(\.name) == ["0.weight", "0.bias", "2.weight", "2.bias"])
    #expect(model.preprocessing.targetName == "sound_pressure")
    #expect(!FileManager.default.fileExists(atPath: folder("run/checkpoints")))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder("run")).sorted()
    #expect(
      files == [
        "config.yaml", "heatmap.csv", "metrics.jsonl", "model.safetensors", "ranks.csv", "timings.csv",
        "waits.csv",
      ], "no temporary file is left")
  }

  /// The events up to a diverged loss are in the file.
  @Test func aDivergedRunKeepsItsMetrics() throws {
    #expect {
      _ = try run {
        $0.learningRate = 50
        $0.epochs = 100
        $0.logEvery = 1
      }
    } throws: {
      ($0 as? AgreedError)?.error.code == .diverged
    }
    let events = try readMetrics(folder("run/metrics.jsonl"))
    let steps = events.filter { $0.name == "step" }
    try #require(steps.count > 5)
    #expect(steps.map { $0.number("step") } == (1...steps.count).map(Double.init))
    #expect(steps.last!.number("loss") > 1e30, "down to the last finite loss")
    #expect(!events.contains { $0.name == "end" })
  }
}
