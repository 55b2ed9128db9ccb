// Where a job's time went: that the parts add up, and that the timeline is what its format says.
import Foundation
import TestSupport
import Testing

/// Rows of a CSV file by the names of its columns.
func readRows(_ path: String) throws -> [[String: String]] {
  let lines = try readFile(path).split(separator: "\n").map {
    $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
  guard let names = lines.first else { return [] }
  return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
}

/// A trace event, with what the format asks of all that `--trace` writes.
struct TraceEvent {
  let kind: String
  let process: Int
  let thread: Int
  let name: String
  /// In microseconds.
  let start: Double
  let duration: Double
  let category: String
  let id: Int?
  let step: Int?

  var end: Double { start + duration }

  init(_ fields: [String: Any]) throws {
    kind = try #require(fields["ph"] as? String)
    process = try #require(fields["pid"] as? Int)
    thread = try #require(fields["tid"] as? Int)
    name = try #require(fields["name"] as? String)
    #expect(process >= 1 && thread >= 1 && !name.isEmpty)
    let arguments = fields["args"] as? [String: Any]
    start = fields["ts"] as? Double ?? .nan
    duration = fields["dur"] as? Double ?? 0
    category = fields["cat"] as? String ?? ""
    id = fields["id"] as? Int
    step = arguments?["step"] as? Int
    switch kind {
    case "M":
      let isName = ["process_name", "thread_name"].contains(name)
      #expect(isName || ["process_sort_index", "thread_sort_index"].contains(name))
      #expect(isName ? arguments?["name"] is String : arguments?["sort_index"] is Int)
      #expect(Set(fields.keys) == ["ph", "pid", "tid", "name", "args"])
    case "X":
      #expect(start >= 0 && duration >= 0 && (step ?? 0) >= 1 && ["step", "phase"].contains(category))
      #expect(Set(fields.keys) == ["ph", "pid", "tid", "name", "cat", "ts", "dur", "args"])
    case "s", "f":
      #expect(start >= 0 && id != nil && category == "wait")
      #expect((fields["bp"] as? String) == (kind == "f" ? "e" : nil))
      #expect(Set(fields.keys).subtracting(["bp"]) == ["ph", "pid", "tid", "name", "cat", "id", "ts"])
    default: Issue.record("an event of the kind \(kind)")
    }
  }
}

/// A timeline that was read, and found to be one.
struct ReadTrace {
  let events: [TraceEvent]
  let uncertainty: Double

  init(_ path: String) throws {
    let text = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    let object = try #require(text as? [String: Any])
    #expect(object["displayTimeUnit"] as? String == "ms")
    let other = try #require(object["otherData"] as? [String: Any])
    uncertainty = Double(try #require(other["clockUncertaintyNanoseconds"] as? Int)) / 1e3
    #expect(other["missedStretches"] as? Int == 0)
    events = try #require(object["traceEvents"] as? [[String: Any]]).map { try TraceEvent($0) }
  }

  func spans(_ category: String, thread: Int) -> [TraceEvent] {
    events.filter { $0.kind == "X" && $0.category == category && $0.thread == thread }
  }

  /// Phases lie within their steps and one after the other, arrows lead from waits to work, and no rank is in a step that
  /// another has not begun.
  func expectWhole(ranks: Int, steps: ClosedRange<Int>, sourceLocation: SourceLocation = #_sourceLocation) {
    let names = events.filter { $0.kind == "M" && $0.name == "thread_name" }
    #expect(names.map(\.thread).sorted() == Array(1...ranks), sourceLocation: sourceLocation)
    // Three digits behind the point.
    let tolerance = 0.002
    for thread in 1...ranks {
      let own = spans("step", thread: thread)
      #expect(own.compactMap(\.step) == Array(steps), sourceLocation: sourceLocation)
      let phases = spans("phase", thread: thread)
      #expect(
        Set(phases.map(\.name)).isSuperset(of: ["forward", "backward"]), sourceLocation: sourceLocation)
      for (first, second) in zip(phases, phases.dropFirst()) {
        #expect(second.start > first.end - tolerance, sourceLocation: sourceLocation)
      }
      for step in own {
        // What comes behind an evaluation is between two steps.
        let inner = phases.filter { $0.step == step.step }.prefix { $0.name != "evaluate" }
        let sum = inner.reduce(0) { $0 + $1.duration }
        #expect(
          inner.allSatisfy { $0.start > step.start - tolerance && $0.end < step.end + tolerance },
          "step \(step.step ?? 0) of thread \(thread)", sourceLocation: sourceLocation)
        #expect(abs(sum - step.duration) < 0.01 * step.duration + 0.1, sourceLocation: sourceLocation)
      }
    }
    for step in steps {
      let all = events.filter { $0.category == "step" && $0.step == step }
      let lastBegin = all.map(\.start).max() ?? .nan
      let firstEnd = all.map(\.end).min() ?? .nan
      #expect(
        lastBegin < firstEnd + 2 * uncertainty + tolerance, "step \(step) is over before all have begun it",
        sourceLocation: sourceLocation)
    }
    let arrows = Dictionary(grouping: events.filter { $0.id != nil }) { $0.id! }
    for (id, ends) in arrows {
      guard ends.count == 2, ends[0].kind == "s", ends[1].kind == "f" else {
        Issue.record("arrow \(id) has no two ends", sourceLocation: sourceLocation)
        continue
      }
      let (from, to) = (ends[0], ends[1])
      #expect(from.start <= to.start + 2 * uncertainty + tolerance, sourceLocation: sourceLocation)
      #expect(
        spans("phase", thread: from.thread).contains {
          $0.name == "wait for rank \(to.thread - 1)" && abs($0.start - from.start) < tolerance
        }, sourceLocation: sourceLocation)
      #expect(
        spans("phase", thread: to.thread).contains {
          $0.start < to.start + tolerance && $0.end > to.start - tolerance
        }, sourceLocation: sourceLocation)
    }
  }
}

extension JobTests {
  @Suite struct TimelineTests {
    private let folder = TemporaryFolder()

    /// All of a rank's time is in some part, once.
    @Test(arguments: [1, 2, 3, 4, 8]) func partsAddUp(_ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks,
        [
          "--data", "synthetic:4000,50", "--model", "mlp:64,32", "--epochs", "3", "--duplicate", "5",
          "--checkpoint-every", "300", "--quiet", "--output", folder("run"),
        ])
      try #require(outcome.code == 0, "\(outcome)")
      let phases = try readRows(folder("run/timings.csv"))
      let waits = try readRows(folder("run/waits.csv"))
      let uses = try readRows(folder("run/ranks.csv"))
      let ranges = try readRows(folder("run/heatmap.csv"))
      #expect(uses.count == 3 * ranks)
      let training = try readMetrics(folder("run/metrics.jsonl")).filter { $0.name == "epoch" }.map {
        $0.number("seconds")
      }
      for use in uses {
        func isSame(_ row: [String: String]) -> Bool {
          row["epoch"] == use["epoch"] && row["rank"] == use["rank"]
        }
        func number(_ row: [String: String], _ name: String) -> Double {
          row[name].flatMap(Double.init) ?? .nan
        }
        func sum(_ rows: [[String: String]], _ name: String) -> Double {
          rows.filter(isSame).reduce(0) { $0 + number($1, name) }
        }
        let wall = number(use, "wall_seconds")
        func phase(_ name: String) -> Double { sum(phases.filter { $0["phase"] == name }, "seconds") }
        func expectEqual(_ a: Double, _ b: Double, _ words: String) {
          #expect(abs(a - b) <= 0.01 * wall, "\(words): \(a) and \(b) of \(wall) s: \(use)")
        }
        expectEqual(sum(phases, "seconds"), wall, "phases")
        expectEqual(
          number(use, "own_seconds") + phase("wait") + phase("evaluate"), wall, "own, wait and evaluate")
        // Who is last waits for nobody, but has to look.
        expectEqual(sum(waits, "seconds"), phase("wait"), "waits for each rank")
        expectEqual(sum(ranges, "wait_seconds"), phase("wait"), "waits over ranges")
        #expect(sum(ranges, "own_seconds") <= number(use, "own_seconds") + 1e-6)
        let late = number(use, "late_seconds")
        let causes = ["writing", "asleep", "queued", "other"].reduce(0) {
          $0 + number(use, "late_\($1)_seconds")
        }
        #expect(causes <= late * 1.001 + 1e-6 && late <= wall, "\(use)")
        #expect(number(use, "cpu_seconds") <= wall * 1.01 + 0.001, "\(use)")
        #expect(
          number(use, "queued_seconds") + number(use, "asleep_seconds") <= number(use, "own_seconds") * 1.001)
        // The first epoch's clock begins with the training, which rank 0 times by another clock.
        if use["epoch"] == "1", use["rank"] == "0" {
          #expect(wall - phase("evaluate") >= 0.99 * training[0], "\(use)")
        }
      }
      // In every epoch somebody was last in every step, and it was one rank.
      for epoch in ["1", "2", "3"] where ranks > 1 {
        let rows = uses.filter { $0["epoch"] == epoch }
        let last = rows.reduce(0) { $0 + (Int($1["last_steps"] ?? "") ?? -1) }
        #expect(Set(rows.map { $0["steps"] }) == ["157"] && last == 157, "\(rows)")
      }
      let checkpoints = phases.filter { $0["phase"] == "checkpoint" && $0["rank"] == "0" }
      #expect(checkpoints.contains { $0["count"] != "0" }, "\(checkpoints)")
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func timeline(_ ranks: Int) throws {
      let outcome = try run(
        ranks: ranks,
        [
          "--data", "synthetic:4000,50", "--model", "mlp:64,32", "--steps", "140", "--trace",
          folder("trace.json"), "--trace-steps", "100:120", "--quiet", "--output", folder("run"),
        ])
      try #require(outcome.code == 0 && outcome.errors == "", "\(outcome)")
      let trace = try ReadTrace(folder("trace.json"))
      trace.expectWhole(ranks: ranks, steps: 100...120)
      #expect((trace.events.contains { $0.kind == "s" }) == (ranks > 1))
    }

    /// By itself it records twenty steps after ten, or a short run's first.
    @Test(arguments: [("60", 11...30), ("7", 1...7)]) func stepsByDefault(
      _ steps: String, _ range: ClosedRange<Int>
    ) throws {
      let outcome = try run(
        ranks: 2, ["--steps", steps, "--trace", folder("trace.json"), "--quiet", "--output", folder("run")])
      try #require(outcome.code == 0 && outcome.errors == "", "\(outcome)")
      try ReadTrace(folder("trace.json")).expectWhole(ranks: 2, steps: range)
    }

    @Test func whatCannotBeRecorded() throws {
      let late = try run([
        "--steps", "7", "--trace", folder("late.json"), "--trace-steps", "8:9", "--output", folder("late"),
      ])
      #expect(
        late.code == 0 && late.errors.contains("warning: --trace: the run had none of the steps 8 to 9"),
        "\(late)")
      #expect(try ReadTrace(folder("late.json")).events.allSatisfy { $0.kind == "M" })
      let mistakes: [([String], Int32, String)] = [
        (["--trace", folder("no/such/folder/a.json")], 73, "--trace: "),
        (["--trace-steps", "1:2"], 64, "--trace-steps"),
        (["--trace", "a", "--trace-steps", "5"], 64, "--trace-steps"),
        (["--trace", "a", "--trace-steps", "0:5"], 64, "--trace-steps"),
        (["--trace", "a", "--trace-steps", "9:8"], 64, "--trace-steps"),
        (["--trace", "a", "--trace-steps", "1:10001"], 64, "--trace-steps"),
      ]
      for (words, code, culprit) in mistakes {
        let outcome = try run(ranks: 2, words + ["--output", folder("none")], limit: 60)
        #expect(
          outcome.code == code && outcome.errorLines.count == 1 && outcome.errors.contains(culprit),
          "\(outcome)")
      }
    }

    /// The rank that sleeps is named, with most of the job.
    @Test(arguments: [0, 2]) func theBillNamesWhoIsSlow(_ late: Int) throws {
      let outcome = try run(
        ranks: 4,
        [
          "--data", "synthetic:4000,50", "--model", "mlp:256,128", "--steps", "400", "--inject",
          "slow:rank=\(late),factor=20", "--output", folder("run"),
        ])
      try #require(outcome.code == 0, "\(outcome)")
      let lines = outcome.output.split(separator: "\n").filter { $0.hasPrefix("time:") }
      #expect(lines.count == 1 && lines[0].hasPrefix("time:   rank \(late) on "), "\(outcome)")
    }
  }
}
