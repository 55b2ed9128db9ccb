// A timeline of all ranks in Chrome's trace event format, which Perfetto and chrome://tracing open.
import DistributedSGD
import MPI
import System

/// Steps and phases as complete events (X), a server a process and a rank a thread, named by metadata (M); waits for a
/// rank as flows (s, f) from who waits to what the late rank did meanwhile.
package struct TraceFile {
  private let topology: Topology
  /// Of each rank, in the order of time.
  package let ranks: [[TraceStretch]]
  /// Stretches that are missing.
  package var missed = 0
  /// Nanoseconds that the servers' clocks may be apart all the same.
  package var clockUncertainty = 0

  package init(topology: Topology, ranks: [[TraceStretch]]) {
    (self.topology, self.ranks) = (topology, ranks)
  }

  /// - Parameter write: takes the text, piece by piece.
  package func write(_ write: ([UInt8]) throws -> Void) throws {
    var other = JSONLine()
    other["producer"] = "distsgd \(version)"
    other["clockUncertaintyNanoseconds"] = clockUncertainty
    other["missedStretches"] = missed
    var buffer = Array("{\"displayTimeUnit\":\"ms\",\"otherData\":\(other),\"traceEvents\":[\n".utf8)
    var isFirst = true
    func add(_ event: JSONLine) throws {
      if !isFirst { buffer += Array(",\n".utf8) }
      isFirst = false
      event.appendJSON(to: &buffer)
      guard buffer.count > 1 << 16 else { return }
      try write(buffer)
      buffer.removeAll(keepingCapacity: true)
    }
    for event in names { try add(event) }
    let origin = ranks.compactMap { $0.first?.start }.min() ?? 0
    let meetings = ranks.map(Self.ownWorkBeforeMeetings)
    var flow = 0
    for (rank, stretches) in ranks.enumerated() {
      for step in Self.steps(stretches) {
        try add(complete("step \(step.number)", "step", rank, step.time, origin, step.number))
      }
      for stretch in stretches {
        let name =
          stretch.last.map { $0 == rank ? "wait: last" : "wait for rank \($0)" } ?? stretch.phase.name
        try add(complete(name, "phase", rank, stretch.start..<stretch.end, origin, stretch.step))
        guard let last = stretch.last, last != rank, ranks.indices.contains(last) else { continue }
        let isHere = topology.serverOfRank[last] == topology.serverOfRank[rank]
        let key = isHere ? Meeting(number: stretch.meeting) : Meeting(step: stretch.step)
        // As far as the clocks are right, an arrow does not lead back in time.
        guard let work = meetings[last][key], stretch.start <= work.upperBound else { continue }
        flow += 1
        try add(self.flow("s", flow, rank, stretch.start, origin))
        try add(self.flow("f", flow, last, min(max(stretch.start, work.lowerBound), work.upperBound), origin))
      }
    }
    buffer += Array("\n]}\n".utf8)
    try write(buffer)
  }

  // MARK: Events

  /// Threads and processes are numbered from 1: 0 is the system's own.
  private func event(_ kind: String, _ rank: Int) -> JSONLine {
    var line = JSONLine()
    line["ph"] = kind
    line["pid"] = topology.serverOfRank[rank] + 1
    line["tid"] = rank + 1
    return line
  }

  private var names: [JSONLine] {
    func metadata(_ name: String, _ rank: Int, _ key: String, _ value: some JSONValue) -> JSONLine {
      var line = event("M", rank)
      line["name"] = name
      var arguments = JSONLine()
      arguments[key] = value
      line["args"] = arguments
      return line
    }
    return ranks.indices.flatMap { rank in
      let server = topology.serverOfRank[rank]
      let own = [
        metadata("thread_name", rank, "name", "rank \(rank)"),
        metadata("thread_sort_index", rank, "sort_index", rank),
      ]
      guard topology.ranksOfServer[server][0] == rank else { return own }
      return [
        metadata("process_name", rank, "name", topology.hosts[server]),
        metadata("process_sort_index", rank, "sort_index", server),
      ] + own
    }
  }

  private func complete(
    _ name: String, _ category: String, _ rank: Int, _ time: Range<Int>, _ origin: Int, _ step: Int
  ) -> JSONLine {
    var line = event("X", rank)
    line["name"] = name
    line["cat"] = category
    line["ts"] = Double(time.lowerBound - origin) / 1e3
    line["dur"] = Double(time.count) / 1e3
    var arguments = JSONLine()
    arguments["step"] = step
    line["args"] = arguments
    return line
  }

  private func flow(_ kind: String, _ number: Int, _ rank: Int, _ time: Int, _ origin: Int) -> JSONLine {
    var line = event(kind, rank)
    line["name"] = "waits for"
    line["cat"] = "wait"
    line["id"] = number
    line["ts"] = Double(time - origin) / 1e3
    // Where it ends: in the stretch that is under way then.
    if kind == "f" { line["bp"] = "e" }
    return line
  }

  // MARK: What belongs together

  /// Each step from its first stretch to its last, without the evaluation behind it.
  private static func steps(_ stretches: [TraceStretch]) -> [(number: Int, time: Range<Int>)] {
    var steps: [(number: Int, time: Range<Int>)] = []
    var isOver = false
    for stretch in stretches {
      if let last = steps.last, last.number == stretch.step {
        isOver = isOver || stretch.phase == .evaluate
        if !isOver { steps[steps.count - 1].time = last.time.lowerBound..<stretch.end }
      } else if stretch.phase != .evaluate {
        isOver = false
        steps.append((stretch.step, stretch.start..<stretch.end))
      }
    }
    return steps
  }

  /// A meeting of a server by its number, or the first of a step.
  private struct Meeting: Hashable {
    var number = 0
    var step = 0
  }

  /// What a rank did last before it came to a meeting, and until when it was there: it may have lost its core on the way.
  private static func ownWorkBeforeMeetings(_ stretches: [TraceStretch]) -> [Meeting: Range<Int>] {
    var work: [Meeting: Range<Int>] = [:]
    for (before, wait) in zip(stretches, stretches.dropFirst()) where wait.phase == .wait {
      let time = before.start..<wait.end
      if wait.meeting > 0 { work[Meeting(number: wait.meeting)] = time }
      if work[Meeting(step: wait.step)] == nil { work[Meeting(step: wait.step)] = time }
    }
    return work
  }
}
