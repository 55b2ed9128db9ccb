// Sweeps: grids and draws, several runs at a time, stopped and gone on with; the same runs whatever the ranks.
import Foundation
import TestSupport
import Testing

private let tensorBoardPython = python("DISTSGD_TENSORBOARD_PYTHON", "numpy, tensorboard", "TENSORBOARD")

extension JobTests {
  @Suite struct SweepTests {
    private let folder = TemporaryFolder()

    /// All but times, by the runs' names.
    private func results(_ text: String) throws -> [String: NSDictionary] {
      var found: [String: NSDictionary] = [:]
      for line in text.split(separator: "\n") {
        let json = try JSONSerialization.jsonObject(with: Data(line.utf8))
        var fields = try #require(json as? [String: Any])
        for time in ["secondsPerEpoch", "examplesPerSecond"] { fields[time] = nil }
        let name = try #require(fields["name"] as? String)
        #expect(found[name] == nil, "\(name) is there twice")
        found[name] = fields as NSDictionary
      }
      return found
    }

    private func sweep(
      ranks: Int = 1, _ words: String, to output: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: NSDictionary] {
      let arguments = ["sweep"] + words.split(separator: " ").map(String.init)
      let outcome = try run(ranks: ranks, arguments + ["--json", "--output", folder(output)])
      try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
      return try results(outcome.output)
    }

    private func rows(_ path: String) throws -> [[String]] {
      try readFile(folder(path)).split(separator: "\n").map { line in
        line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }

    /// Waits until so many runs have ended.
    private func waitForRuns(_ count: Int, of child: Child, _ output: String) {
      for _ in 0..<60_000 {
        if !child.isRunning || lines(output) >= count { return }
        usleep(1_000)
      }
      Issue.record("the sweep is not under way")
    }

    private func lines(_ output: String) -> Int {
      ((try? readFile(folder(output + "/trials.jsonl"))) ?? "").utf8.count { $0 == UInt8(ascii: "\n") }
    }

    /// Every run is what `train` makes with the same words, and a list is a list however it is written.
    @Test func aRunIsWhatTrainMakes() throws {
      let words =
        "--validation 0.2 --epochs 2 --seed 5 --optimizer sgd --optimizer adam:beta1=0.8,beta2=0.99 --lr 0.05,0.01"
      let found = try sweep(words, to: "swept")
      #expect(found.count == 4)
      let name = "adam:beta1=0.8,beta2=0.99, η 0.01"
      let result = try #require(found[name], "\(found.keys)")
      let trace = try train(
        ranks: 2,
        [
          "--validation", "0.2", "--epochs", "2", "--seed", "5", "--optimizer", "adam:beta1=0.8,beta2=0.99",
          "--lr",
          "0.01",
        ])
      #expect(result["parameterHash"] as? String == trace.finalHash)
      #expect(result["loss"] as? Double == trace.finalLoss)
    }

    /// Grid, draws, seeds, validation: the same results on any number of ranks, and in any number of groups of them.
    @Test(arguments: [
      "--global-batch 50,100 --model linear --model mlp:8 --validation 0.2 --epochs 1",
      "--random 4 --learning-rate 1e-3..1 --global-batch 3..200 --momentum none,0.9 --seed 3,4 --epochs 1",
      "--data synthetic:700,40 --model mlp:60 --lr 0.01,1000,0.02 --clip-norm none,1 --epochs 1",
    ])
    func theBitsDependOnNoGroups(_ words: String) throws {
      let alone = try sweep(words, to: "alone")
      #expect(alone.count >= 4)
      for (ranks, concurrent) in [(2, 1), (2, 2), (3, 2), (4, 2), (4, 4), (8, 3)] {
        let output = "\(ranks)-\(concurrent)"
        let found = try sweep(ranks: ranks, words + " --concurrent \(concurrent)", to: output)
        #expect(found == alone, "\(ranks) ranks, \(concurrent) runs at a time")
        // Rows are in the order of the combinations, whoever ended first.
        let hash = try #require(try rows("alone/trials.csv").first).count - 1
        let column = try rows("\(output)/trials.csv").map { $0.last }
        #expect(try column == rows("alone/trials.csv").map { $0[hash] })
      }
    }

    @Test func drawsLieInTheirRangesAndAreTheSameAgain() throws {
      let words =
        "--random 12 --learning-rate 1e-4..1e-1 --global-batch 10..20 --weight-decay 0..0.1 --epochs 1"
      let found = try sweep(words, to: "first")
      #expect(found.count == 12)
      for result in found.values {
        let (rate, batch) = (result["learningRate"] as? Double ?? 0, result["globalBatch"] as? Int ?? 0)
        #expect(1e-4...1e-1 ~= rate && 10...20 ~= batch, "\(result)")
      }
      // Half of them lie in the lower half of the decades.
      let low = found.values.count { ($0["learningRate"] as? Double ?? 1) < 3.2e-3 }
      #expect(2...10 ~= low)
      #expect(try sweep(words, to: "second") == found)
      #expect(try sweep(words + " --seed 1", to: "third") != found)
      // More draws begin with the same ones.
      let more = try sweep(words.replacingOccurrences(of: "12", with: "15"), to: "fourth")
      #expect(more.count == 15 && found.allSatisfy { more[$0.key] == $0.value })
    }

    @Test func validationDecidesAndSeedsAreAveraged() throws {
      let words = "sweep --validation 0.3 --model mlp:16 --lr 0.01,0.1 --seed 0,1,2 --epochs 2 --output"
      let outcome = try run(words.split(separator: " ").map(String.init) + [folder("out")])
      try #require(outcome.code == 0, "\(outcome)")
      #expect(outcome.output.contains("Lowest validation loss: η 0.1, "), "\(outcome)")
      #expect(outcome.output.contains("After the fewest examples, on any machine: "), "\(outcome)")
      let trials = try rows("out/trials.csv")
      let means = try rows("out/means.csv")
      #expect(
        trials[0].starts(with: ["trial", "learning_rate", "seed", "epochs", "loss", "validation_loss"]))
      #expect(trials.count == 7 && means.count == 3)
      let place = try #require(means[0].firstIndex(of: "validation_loss_mean"))
      let losses = trials[1...3].compactMap { Double($0[5]) }
      let mean = losses.reduce(0, +) / 3
      let deviation = (losses.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 2).squareRoot()
      #expect(abs(try #require(Double(means[1][place])) - mean) < 1e-12)
      #expect(abs(try #require(Double(means[1][place + 1])) - deviation) < 1e-12)
    }

    @Test func withoutValidationThatIsSaid() throws {
      let outcome = try run([
        "sweep", "--global-batch", "100", "--lr", "0.1", "--epochs", "1", "--output", folder("out"),
      ])
      #expect(outcome.output.contains("Lowest training loss: "), "\(outcome)")
      #expect(outcome.output.contains("--validation has the runs judged by other examples"), "\(outcome)")
    }

    /// A signal to any rank stops all groups; what has ended is not made again, and more may be added.
    @Test(arguments: [(1, 1, 2), (4, 2, 1), (3, 3, 4)])
    func aSweepGoesOn(_ ranks: Int, _ concurrent: Int, _ later: Int) throws {
      let words =
        "--data synthetic:20000,50 --model mlp:64 --global-batch 16,32 --learning-rate 0.001,0.002 --epochs 20"
      let arguments = ["sweep"] + words.split(separator: " ").map(String.init)
      let child = try start(
        ranks: ranks, arguments + ["--concurrent", "\(concurrent)", "--output", folder("run")])
      waitForRuns(1, of: child, "run")
      kill(ranks == 1 ? child.identifier : try #require(child.children.last), SIGTERM)
      let outcome = child.wait(limit: 60)
      #expect(outcome.code == 75 && outcome.errorLines.isEmpty, "\(outcome)")
      let before = lines("run")
      #expect(1..<4 ~= before, "\(outcome)")
      #expect(
        outcome.errors.contains("stopped after \(before) of 4 runs; go on with: ")
          && outcome.errors.contains("sweep --resume \(folder("run"))"), "\(outcome)")
      #expect(try rows("run/trials.csv").count == before + 1)
      // Half a line, as a kill may leave it.
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder("run/trials.jsonl")))
      try file.seekToEnd()
      try file.write(contentsOf: Data("{\"name\":\"ba".utf8))
      try file.close()
      let resumed = try run(
        ranks: later, ["sweep", "--resume", folder("run"), "--json", "--learning-rate", "0.003"])
      try #require(resumed.code == 0, "\(resumed)")
      let whole = try sweep(words + " --learning-rate 0.003", to: "whole")
      #expect(try whole.count == 6 && results(resumed.output) == whole)
    }

    @Test func aKilledRankEndsTheSweep() throws {
      let child = try start(
        ranks: 4,
        [
          "sweep", "--data", "synthetic:20000,50", "--model", "mlp:64", "--lr", "0.001,0.002", "--epochs",
          "1,10000",
          "--concurrent", "2", "--output", folder("run"),
        ])
      // Both groups are in a run without end.
      waitForRuns(2, of: child, "run")
      let ranks = child.children
      #expect(ranks.count == 4)
      kill(try #require(ranks.last), SIGKILL)
      let outcome = child.wait(limit: 60)
      #expect(!outcome.hung && outcome.code != 0, "\(outcome)")
      for rank in ranks { #expect(isGone(rank)) }
    }

    @Test(arguments: [
      (["--learning-rate", "1..2"], 64, "--random"), (["--concurrent", "2"], 64, "--concurrent"),
      (["--optimizer", "sgd", "--optimizer", "foo"], 64, "no optimizer 'foo'"),
      (["--global-batch", "10,x"], 64, "batch x"),
      (["--global-batch", "10,5000", "--output", "out"], 64, "batch 5000"),
      (["--resume", "nowhere"], 66, "nowhere"),
      (["--random", "0"], 64, "--random"), (["--random", "3", "--lr", "1..2,3"], 64, "one range"),
    ])
    func mistakesAreFoundBeforeAnyRun(_ words: [String], _ code: Int, _ part: String) throws {
      let outcome = try run(["sweep"] + words, directory: folder.path)
      #expect(outcome.code == Int32(code) && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(part), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }

    @Test func anotherSweepsFolderIsRefusedAndSoAreOtherData() throws {
      let data = try folder.write("x,y\n1,2\n2,3\n3,5\n4,4\n", to: "a.csv")
      let words = [
        "sweep", "--data", data, "--global-batch", "2", "--lr", "0.1,0.2", "--output", folder("run"),
      ]
      #expect(try run(words).code == 0)
      let again = try run(words)
      #expect(again.code == 73 && again.errors.contains("already holds a sweep"), "\(again)")
      try folder.write("x,y\n1,2\n2,3\n3,5\n4,7\n", to: "a.csv")
      let other = try run(["sweep", "--resume", folder("run")])
      #expect(other.code == 65 && other.errors.contains("the data are not those"), "\(other)")
    }

    @Test(.enabled(if: tensorBoardPython != nil, "no Python with TensorBoard"), arguments: [1, 4])
    func tensorBoardReadsASweep(_ ranks: Int) throws {
      let words =
        "--validation 0.2 --lr 0.1,1000 --optimizer sgd --optimizer adam --seed 0,1 --epochs 1 --tensorboard"
      _ = try sweep(ranks: ranks, words + (ranks > 1 ? " --concurrent 2" : ""), to: "run")
      let script = packageFolder + "/Tests/Reference/check_sweep_events.py"
      let found = try Child(try #require(tensorBoardPython), [script, folder("run")]).wait(limit: 300)
      #expect(found.code == 0, "\(found)")
      print("TensorBoard, of a sweep: \(found.output)")
    }
  }
}
