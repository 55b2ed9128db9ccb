// What TensorBoard is told of a run: the numbers of every event that metrics.jsonl has, and beside them histograms.
import NeuralNet
import System

/// Listens to the events of a run. The tag of a number is its event's name, or the set that was evaluated, and its own
/// name: `step/loss`, `validation/accuracy`, `epoch/seconds`.
final class TensorBoardLog {
  private let file: EventFile
  /// The newest step that an event has told of.
  private var step: Int
  /// Examples and seconds at the last step that was told; nil behind a resume, until there is one.
  private var lastStep: (examples: Double, seconds: Double)?

  /// Of a run that goes on TensorBoard forgets all that was told of the last step and later ones: what of that step
  /// still counts is told again.
  /// - Parameters:
  ///   - doneSteps: of a run that goes on; nil for a new one.
  ///   - metrics: what is left of its `metrics.jsonl`.
  ///   - settings: what makes this run another than others.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  init(in folder: String, doneSteps: Int?, metrics: String, settings: [Hyperparameter]) throws {
    file = try EventFile(in: folder, goingOnAt: doneSteps)
    step = doneSteps ?? 0
    if doneSteps == nil { lastStep = (0, 0) }
    var summary = Summary()
    summary.addStart(settings, at: wallSeconds())
    try file.write(summary, step: 0)
    guard let doneSteps else { return }
    for event in try lastEvents(of: metrics, from: doneSteps) { try write(event) }
  }

  /// The events of a step and later ones, with which a file ends.
  private func lastEvents(of metrics: String, from step: Int) throws -> [LoggedEvent] {
    let file = try FileBytes(metrics, takesPipe: false)
    return withExtendedLifetime(file) {
      var events: [LoggedEvent] = []
      var rest = file.bytes.dropLast()
      while !rest.isEmpty {
        let start = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.startIndex
        let event = LoggedEvent(UnsafeRawBufferPointer(rebasing: rest[start...]))
        guard let number = event.numbers["step"], Int(number) >= step else { break }
        events.append(event)
        rest = rest[..<start].dropLast()
      }
      return events.reversed()
    }
  }

  func flush() throws { try file.flush() }

  /// An event as `metrics.jsonl` has it.
  func write(_ line: JSONLine) throws {
    var text = line.description
    try write(text.withUTF8 { LoggedEvent(UnsafeRawBufferPointer($0)) })
  }

  private func write(_ event: LoggedEvent) throws {
    if let number = event.numbers["step"] { step = Int(number) }
    var summary = Summary()
    if event.name == "run" {
      summary.add("run/settings", text: event.table)
    } else {
      let place = event.texts.first { $0.name == "set" }?.value ?? event.name
      for (name, value) in event.ordered where name != "step" {
        summary.add("\(place)/\(name)", Float(value))
      }
      if event.name == "step", let rate = examplesPerSecond(event) {
        summary.add("step/examplesPerSecond", Float(rate))
      }
    }
    if event.name == "end" { summary.addEnd(isSuccess: true, at: wallSeconds()) }
    try file.write(summary, step: step)
  }

  /// Of training alone, since the step that was told before.
  private func examplesPerSecond(_ event: LoggedEvent) -> Double? {
    guard let examples = event.numbers["examples"], let seconds = event.numbers["seconds"] else { return nil }
    defer { lastStep = (examples, seconds) }
    guard let last = lastStep, seconds > last.seconds else { return nil }
    return (examples - last.examples) / (seconds - last.seconds)
  }

  /// Where the time of an epoch went.
  /// - Parameters:
  ///   - phases: the seconds that each rank spent in each.
  ///   - steps: of the epoch.
  func times(_ phases: [(name: String, seconds: [Double])], steps: Int) throws {
    guard let ranks = phases.first?.seconds.count, ranks > 0, steps > 0 else { return }
    var summary = Summary()
    for phase in phases {
      summary.add("phase/\(phase.name)", Float(phase.seconds.reduce(0, +) / Double(ranks)))
    }
    guard ranks > 1 else { return try file.write(summary, step: step) }
    for phase in phases {
      summary.add("rankSecondsPerStep/\(phase.name)", Histogram(phase.seconds.map { $0 / Double(steps) }))
    }
    try file.write(summary, step: step)
  }

  /// How the numbers of a model's tensors are spread after a step.
  /// - Parameter arena: with the tensors at their places.
  func histograms(_ group: String, of tensors: [ParameterTensor], in arena: UnsafePointer<Float>, step: Int)
    throws
  {
    for tensor in tensors {
      var summary = Summary()
      let values = UnsafeBufferPointer(start: arena + tensor.offset, count: tensor.count)
      summary.add("\(group)/\(tensor.name)", Histogram(values))
      try file.write(summary, step: step)
    }
  }
}

/// An event of `metrics.jsonl`, taken apart.
private struct LoggedEvent {
  var name = ""
  /// Numbers, in their order.
  var ordered: [(name: String, value: Double)] = []
  var numbers: [String: Double] = [:]
  /// All that is no number, as JSON; a text without its quotes.
  var texts: [(name: String, value: String)] = []
  /// A row for every entry, in Markdown.
  private(set) var table = "| setting | value |\n| --- | --- |\n"

  /// - Parameter line: of our own, and so JSON.
  init(_ line: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(line)
    try? scanner.object { scanner, key in try add(key, scanner.text()) }
  }

  private mutating func add(_ key: String, _ json: String) {
    let text = unquoted(json)
    if key == "event" {
      name = text
    } else if let number = Double(json) {
      ordered.append((key, number))
      numbers[key] = number
    } else if json != "null" {
      texts.append((key, text))
    }
    table += "| \(key) | \(text.replacing("|", with: "\\|")) |\n"
  }

  private func unquoted(_ json: String) -> String {
    guard json.hasPrefix("\"") else { return json }
    var json = json
    return json.withUTF8 { bytes in
      var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
      return (try? scanner.string()) ?? ""
    }
  }
}
