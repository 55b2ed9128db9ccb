// The reader of runs' files: whole ones, those that are still written, old ones and damaged ones.
import Foundation
import Report
import System
import TestSupport
import Testing

@Suite struct ReadingTests {
  private let made = MadeRun()

  private func failure(_ paths: String...) -> DistsgdError? {
    do {
      _ = try Sources(paths)
      return nil
    } catch { return error as? DistsgdError }
  }

  @Test func aWholeRun() throws {
    let sources = try Sources([try made.writeAll("run")])
    let run = try #require(sources.runs.first)
    #expect(run.name == "run" && sources.runs.count == 1)
    #expect(run.setting("globalBatch")?.count == 128 && run.setting("warmup") == nil)
    #expect(run.steps.all.map(\.name) == ["loss", "gradientNorm", "learningRate", "noiseScale"])
    let losses = try #require(run.steps["loss"])
    #expect(losses.points.count == 30 && losses.points[0].mean == 1 / 11 && losses.last == 1 / 40)
    #expect(losses.points[14].place.epoch == 1.5 && losses.points[14].place.seconds == 0.15)
    #expect(run.evaluations.map(\.set) == ["validation"])
    #expect(run.evaluations[0].curves["accuracy"]?.points.map(\.mean) == [0.3, 0.6, 0.3 * 3])
    #expect(run.atEnd("parameterHash")?.string == "00c0ffee00c0ffee")
    let phases = try #require(run.phases)
    #expect(phases.phases == ["forward", "wait", "evaluate"] && phases.ranks == [0, 1, 2, 3])
    #expect(abs(phases.seconds(2, "forward") - 0.18) < 1e-12 && phases.hosts[3] == "bob")
    // 1,280 examples in 0.1 s; of 4 × 0.07 s a rank and epoch, 0.05 × 3 + 0.01 are waiting.
    let throughput = run.epochs.throughput
    #expect(throughput.map(\.epoch) == [1, 2, 3])
    for epoch in throughput {
      #expect(abs(epoch.measured - 12_800) < 1e-6)
      #expect(abs((epoch.ideal ?? 0) - 12_800 / (1 - 0.16 / 0.28)) < 1e-6)
    }
    let heat = try #require(run.heat)
    let own = heat.sums.map { $0.reduce(0) { $0 + $1.first } }
    for (found, expected) in zip(own, [0.06, 0.06, 0.18, 0.06]) { #expect(abs(found - expected) < 1e-12) }
    #expect(heat.sums[0].reduce(0) { $0 + $1.count } == 30)
    let waits = try #require(run.waits)
    #expect(abs(waits[0, 2].first - 0.1) < 1e-12 && waits[0, 2].second == 20 && waits[2, 0].first == 0)
    #expect(run.use?.columns == ["wall_seconds", "cpu_seconds", "voluntary_switches"])
    #expect(run.use?.sums[0]?[2] == 12)
  }

  @Test func aRunThatStillGoesOnMayBeInTheMiddleOfALine() throws {
    let lines = Array(MadeRun.metrics.prefix(8))
    for count in [1, 20, 60] {
      let half = MadeRun.step(8, loss: "0.125").prefix(count)
      let path = try made.write("run\(count)", metrics: lines + [String(half)], ending: "")
      try made.folder.write(String(MadeRun.timings.dropLast(7)), to: "run\(count)/timings.csv")
      let run = try #require(try Sources([path]).runs.first)
      #expect(run.steps["loss"]?.points.count == 7 && run.end == nil)
      #expect(run.phases?.ranks == [0, 1, 2, 3])
    }
    // One that has only begun has nothing yet, or half of its first line.
    for text in ["", "{\"event\":\"ru"] {
      let path = try made.write("begun", metrics: [text], ending: "")
      #expect(try Sources([path]).runs.first?.settings.isEmpty == true)
      #expect(Markup(try page(path)).problems == [])
    }
    // A last line that is whole counts, whether or not it has its end.
    let path = try made.write("whole", metrics: lines, ending: "")
    #expect(try Sources([path]).runs.first?.steps["loss"]?.points.count == 7)
  }

  @Test(arguments: [
    ("{\"event\":\"step\",\"step\":3,", "there should be"), ("hello", "there should be a '{'"),
    ("{}", "no \"event\""),
    ("{\"event\":\"step\",\"loss\":1e999}", "there should be a number"), (MadeRun.runEvent, "a second run"),
    ("{\"event\":\"step\"} {}", "more than one value"), ("[1,2]", "there should be a '{'"),
    (String(repeating: "[", count: 200), "there should be a '{'"),
    ("{\"event\":\"end\",\"x\":" + String(repeating: "[", count: 200), "nested too deep"),
  ]) func aDamagedLineIsNamed(line: String, words: String) throws {
    var lines = MadeRun.metrics
    lines.insert(line, at: 4)
    let path = try made.write("run", metrics: lines)
    let error = try #require(failure(path))
    #expect(error.code == .badData && error.description.contains("metrics.jsonl, line 5: "), "\(error)")
    #expect(error.description.contains(words), "\(error)")
  }

  @Test func whatOtherVersionsWriteIsPassedOver() throws {
    var lines = MadeRun.metrics
    lines.insert(#"{"event":"weather","of":{"deep":[1,{"er":[true,null]}]}}"#, at: 3)
    lines.insert("", at: 5)
    lines[1] = #"{"event":"step","step":1,"loss":null,"new":{"a":1},"note":"text"}"#
    let run = try #require(try Sources([try made.write("run", metrics: lines)]).runs.first)
    let losses = try #require(run.steps["loss"])
    #expect(losses.points.count == 30 && losses.points[0].mean.isNaN && losses.points[1].finite == 1)
    // Of the oldest runs nothing but steps is known.
    let old = try made.write("old", metrics: [#"{"event":"run"}"#, #"{"event":"step","loss":2}"#])
    #expect(Markup(try page(old)).problems == [])
  }

  @Test(arguments: [
    ("timings.csv", "1,ann,0,0,forward,10,0.5\n", "line 38: there are 7 fields; the header has 11"),
    ("timings.csv", "1,ann,0,0,forward,10,much,1,1,1,1\n", "line 38: the column 'seconds' has 'much'"),
    ("timings.csv", "1,ann,-1,0,forward,10,0.5,1,1,1,1\n", "line 38: the column 'rank' has '-1'"),
    ("timings.csv", "1,ann,1e9,0,forward,10,0.5,1,1,1,1\n", "line 38: rank 1000000000"),
    ("timings.csv", "1,ann,0,0,forward,10,1e999,1,1,1,1\n", "line 38: the column 'seconds'"),
    ("timings.csv", "1,ann,0.5,0,forward,10,1,1,1,1,1\n", "a whole number"),
    ("heatmap.csv", "1,9,3,0,0.1,0.1\n", "line 26: first_step is greater"),
    ("heatmap.csv", "1,1,99999999999999999999,0,0.1,0.1\n", "line 26: the column 'last_step'"),
    ("waits.csv", "1,0,2,10,nan\n", "line 6: the column 'seconds' has 'nan'"),
    ("ranks.csv", "1,ann,0,0.1,0.05,-7\n", "line 5: the column 'voluntary_switches'"),
  ]) func aDamagedTableIsNamed(name: String, row: String, words: String) throws {
    let path = try made.writeAll("run")
    let file = "run/" + name
    try made.folder.write(try readFile(made.folder(file)) + row, to: file)
    let error = try #require(failure(path))
    #expect(
      error.code == .badData && error.description.contains("\(name), \(words.hasPrefix("line") ? words : "")")
    )
    #expect(error.description.contains(words), "\(error)")
  }

  @Test func aTableWithoutItsColumnsIsNamed() throws {
    let path = try made.writeAll("run")
    try made.folder.write("epoch,rank\n1,2\n", to: "run/waits.csv")
    let error = try #require(failure(path))
    #expect(error.description.contains("waits.csv, line 1: there is no column 'for_rank'"), "\(error)")
  }

  /// A run may go on on other ranks than it began with, and further columns may come.
  @Test func moreRanksThanTheRunBeganWith() throws {
    let path = try made.writeAll("run")
    var text = MadeRun.timings
    for rank in 0..<100 { text += "4,eve,\(rank),\(rank),forward,10,0.01,1,1,1,1\n" }
    try made.folder.write(text, to: "run/timings.csv")
    try made.folder.write(MadeRun.waits + "4,99,7,1,0.5\n", to: "run/waits.csv")
    try made.folder.write(MadeRun.heat + "4,31,40,99,0.1,0.1\n", to: "run/heatmap.csv")
    let run = try #require(try Sources([path]).runs.first)
    #expect(run.phases?.ranks.count == 100 && run.waits?.lastRow == 99)
    #expect(Markup(try page(path)).problems == [])
  }

  @Test func foldersOfRunsAndNamesThatTellThemApart() throws {
    for name in ["a/same", "b/same", "b/other"] { try made.write(name) }
    let all = try Sources([made.folder("a"), made.folder("b") + "/"])
    #expect(all.runs.map(\.name) == ["a/same", "other", "b/same"])
    let direct = try Sources([made.folder("a/same/metrics.jsonl"), made.folder("b/other")])
    #expect(direct.runs.map(\.name) == ["same", "other"])
    let twice = try Sources([made.folder("b/other"), made.folder("b/other")])
    #expect(twice.runs.map(\.name) == ["other (1)", "other (2)"])
  }

  @Test func whatIsNotThere() throws {
    #expect(failure(made.folder("nothing"))?.code == .noInput)
    try FileManager.default.createDirectory(atPath: made.folder("empty"), withIntermediateDirectories: true)
    let error = try #require(failure(made.folder("empty")))
    #expect(error.code == .noInput && error.description.contains("metrics.jsonl"), "\(error)")
  }

  /// A sweep that judges by validation leaves a table, with the trials in it that have no evaluation.
  @Test func aSweepsOwnTable() throws {
    let folder = made.folder("judged")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try made.folder.write(
      "run,global_batch,learning_rate,seed,examples,seconds,loss,r2\na,8,0.1,0,8,1,0.75,0.5\n",
      to: "judged/sweep.csv")
    try made.folder.write(#"{"event":"sweep","arguments":["--lr","0.1,9"]}"#, to: "judged/sweep.json")
    var table = "trial,global_batch,learning_rate,seed,epochs,loss,validation_loss,parameter_hash\n"
    for (number, row) in [
      "8,0.1,0,2.0,0.5,0.75", "8,0.1,1,2.0,0.5,0.25", "8,9,0,2.0,,", "16,0.1,0,2.0,1,2", "16,9,0,2,3,0.125",
    ].enumerated() {
      table += "\(number + 1),\(row),00000000000000ff\n"
    }
    try made.folder.write(table, to: "judged/trials.csv")
    let sources = try Sources([folder])
    #expect(sources.benches.isEmpty)
    let outcomes = try #require(sources.trials.first?.outcomes)
    #expect(
      outcomes.judged == "validation loss" && outcomes.settings == ["global_batch", "learning_rate", "seed"])
    #expect(outcomes.trials.map(\.loss).filter(\.isFinite) == [0.75, 0.25, 2, 0.125])
    let html = RunReport(sources).html
    #expect(Markup(html).problems == [])
    // Seeds are averaged over; what diverged is empty.
    #expect(html.contains("global batch 8, learning rate 0.1: validation loss 0.5, mean of 2</title>"))
    #expect(
      html.contains("Validation loss against examples")
        && !html.contains("learning rate 9: validation loss nan"))
  }

  @Test func sweepsAndBenches() throws {
    let curves = """
      run,global_batch,learning_rate,examples,seconds,loss
      "batch 10, η 0.1",10,0.1,100,0.001,0.5
      "batch 10, η 0.1",10,0.1,200,0.002,0.25
      "batch 10, η 1",10,1,100,0.001,inf
      "batch 20, η 0.1",20,0.1,200,0.002,0.75
      "batch 20, η 1",20,1,200,0.002,0.375

      """
    try FileManager.default.createDirectory(atPath: made.folder("sweep"), withIntermediateDirectories: true)
    let path = try made.folder.write(curves, to: "sweep/sweep.csv")
    try made.folder.write(
      #"{"bench":"step","ranks":2,"phases":[{"phase":"load","seconds":{"median":1,"p10":0.5,"p90":2}}]}"#,
      to: "sweep/step.json")
    try made.folder.write("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", to: "sweep/step.svg")
    let sources = try Sources([made.folder("sweep")])
    let trials = try #require(sources.trials.first)
    #expect(
      trials.trials.map(\.name) == ["batch 10, η 0.1", "batch 10, η 1", "batch 20, η 0.1", "batch 20, η 1"])
    #expect(trials.settings == ["global_batch", "learning_rate"])
    #expect(trials.trials[0].curves["loss"]?.points.map(\.mean) == [0.5, 0.25])
    #expect(trials.trials[1].curves["loss"]?.points[0].finite == 0)
    #expect(sources.benches.first?.plots.count == 1)
    let html = RunReport(sources).html
    let texts = Markup(html).texts
    #expect(Markup(html).problems == [])
    #expect(texts.contains("0.375") && texts.contains("1 (0.5 to 2)") && texts.contains("learning rate"))
    #expect(try Sources([path]).trials.count == 1)
    // A table of somebody's is none of ours.
    let other = try made.folder.write("a,b\n1,2\n", to: "other.csv")
    #expect(failure(other)?.code == .badData)
    #expect(
      failure(try made.folder.write("{\"a\":", to: "broken.json"))?.description.contains("byte 6") == true)
  }
}
