// metrics.jsonl: its events become curves, settings and an end. Files of millions of steps are read as a stream.
import System
import Text

/// Reads the events of one file.
struct MetricsReader {
  private var record: RunRecord
  private let lines: FileLines
  private var stepsPerEpoch = Double.nan
  private var number = 0
  /// The members of the line at hand that are numbers, or null.
  private var fields: [(name: String, value: Double)] = []

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`, `badData`).
  static func read(_ path: String, name: String) throws -> RunRecord {
    var reader = try MetricsReader(path, name: name)
    try reader.read()
    return reader.record
  }

  private init(_ path: String, name: String) throws {
    lines = try FileLines(path)
    record = RunRecord(name: name, metricsPath: path)
  }

  private mutating func read() throws {
    try lines.forEach { text, number, isWhole in
      self.number = number
      if text.allSatisfy({ $0 <= 0x20 }) { return }
      do {
        try event(text)
      } catch let failure as JSONScanner.Failure {
        // The last line may be half written.
        if !isWhole { return }
        throw lines.fail(
          number,
          "\(failure.what), at byte \(failure.offset + 1); every line of metrics.jsonl is a JSON object with an \"event\""
        )
      }
    }
  }

  private mutating func event(_ text: UnsafeRawBufferPointer) throws {
    var scanner = JSONScanner(text)
    var name: String?
    var set = "training"
    fields.removeAll(keepingCapacity: true)
    try scanner.object { scanner, key in
      switch kind(at: scanner.offset, of: text) {
      case UInt8(ascii: "\""):
        if key == "event" {
          name = try scanner.string()
        } else if key == "set" {
          set = try scanner.string()
        } else {
          try scanner.skipValue()
        }
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        fields.append((key, try scanner.number()))
      case UInt8(ascii: "n"):
        try scanner.skipValue()
        fields.append((key, .nan))
      default: try scanner.skipValue()
      }
    }
    try scanner.end()
    switch name {
    case "run": try begin(members(text))
    case "end": record.end = try members(text)
    case "step": try add(to: nil)
    case "evaluation": try add(to: set)
    case "epoch": epoch()
    case nil: throw JSONScanner.Failure(what: "there is no \"event\"", offset: 0)
    default: break  // of another version
    }
  }

  /// All of an event that is kept whole.
  private func members(_ text: UnsafeRawBufferPointer) throws -> [(name: String, value: JSONTree)] {
    var scanner = JSONScanner(text)
    guard case .object(let members) = try JSONTree(&scanner, of: text) else { return [] }
    return members.filter { $0.name != "event" && !$0.value.isNull }
  }

  private mutating func begin(_ members: [(name: String, value: JSONTree)]) throws {
    guard record.settings.isEmpty else {
      throw lines.fail(number, "a second run begins here; a file of metrics has one: cut it in two")
    }
    record.settings = members
    if let count = record.setting("stepsPerEpoch")?.number, count > 0 { stepsPerEpoch = count }
  }

  private func field(_ name: String) -> Double { fields.first { $0.name == name }?.value ?? .nan }

  /// - Parameter set: what was evaluated; nil for a step.
  private mutating func add(to set: String?) throws {
    var place = Place()
    place.step = field("step")
    place.examples = field("examples")
    place.seconds = field("seconds")
    // A step's epoch is the one that it belongs to; how far it is in it, steps tell.
    place.epoch = set == nil ? place.step / stepsPerEpoch : field("epoch")
    record.last = place
    var index = 0
    if let set {
      index = record.evaluations.firstIndex { $0.set == set } ?? record.evaluations.count
      if index == record.evaluations.count {
        guard index < 8 else { return }
        record.evaluations.append((set, Curves()))
      }
    }
    for (name, value) in fields where !Self.places.contains(name) {
      // A loss without a number has grown beyond all of them; anything else was not measured at this step.
      if set == nil, value.isNaN, name != "loss" { continue }
      if set == nil {
        record.steps.add(value, to: name, at: place)
      } else {
        record.evaluations[index].curves.add(value, to: name, at: place)
      }
    }
  }

  private static let places: Set<String> = ["step", "epoch", "examples", "seconds"]

  private mutating func epoch() {
    let number = field("epoch")
    guard number >= 1, number <= Double(Lanes.numbers.upperBound) else { return }
    record.epochs.end(Int(number), examples: field("examples"), seconds: field("seconds"))
  }
}
