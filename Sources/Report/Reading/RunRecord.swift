// A run as its files tell it.

/// What the files of a run say, in memory that does not grow with its length.
package struct RunRecord: Sendable {
  /// As pages call it: its folder.
  package var name: String
  /// The file of its metrics.
  package let metricsPath: String
  /// The members of its `run` event.
  package var settings: [(name: String, value: JSONTree)] = []
  /// What was told of steps, by name: `loss`, `gradientNorm`, … .
  package var steps = Curves()
  /// What evaluations found, by set (`training`, `validation`) and name.
  package var evaluations: [(set: String, curves: Curves)] = []
  package var epochs = EpochTimes()
  /// The members of its `end` event; nil of one that goes on, or was stopped.
  package var end: [(name: String, value: JSONTree)]?
  /// The last place that a step or an evaluation told of.
  package var last = Place()

  /// timings.csv
  package var phases: RankPhases?
  /// heatmap.csv: rows are ranks, columns are steps (from 0); seconds of own work and of waiting, and steps.
  package var heat: Lanes?
  /// waits.csv: rows are ranks that waited, columns those that they waited for; seconds and occasions.
  package var waits: Lanes?
  /// ranks.csv
  package var use: RankUse?

  init(name: String, metricsPath: String) {
    self.name = name
    self.metricsPath = metricsPath
  }

  package func setting(_ name: String) -> JSONTree? { settings.first { $0.name == name }?.value }

  package func atEnd(_ name: String) -> JSONTree? { end?.first { $0.name == name }?.value }
}

/// Curves by their names, in the order of the file; of a bounded number of names.
package struct Curves: Sendable {
  package private(set) var all: [(name: String, curve: Curve)] = []
  private static let limit = 64

  package subscript(name: String) -> Curve? { all.first { $0.name == name }?.curve }

  mutating func add(_ value: Double, to name: String, at place: Place) {
    if let index = all.firstIndex(where: { $0.name == name }) {
      all[index].curve.add(value, at: place)
    } else if all.count < Self.limit {
      var curve = Curve()
      curve.add(value, at: place)
      all.append((name, curve))
    }
  }
}

/// How long epochs took, and how much of it was waiting; of many epochs some together.
package struct EpochTimes: Sendable {
  private var training = Lanes(rows: 1, columns: 512)
  private var waiting = Lanes(rows: 1, columns: 512)
  private var before = (examples: 0.0, seconds: 0.0)

  /// An epoch's end.
  mutating func end(_ epoch: Int, examples: Double, seconds: Double) {
    let (newExamples, newSeconds) = (examples - before.examples, seconds - before.seconds)
    before = (examples, seconds)
    guard newExamples > 0, newSeconds > 0 else { return }
    training.add(newExamples, newSeconds, row: 0, column: epoch)
  }

  /// Time of a rank in an epoch, evaluation excluded.
  mutating func add(_ seconds: Double, waiting part: Double, epoch: Int) {
    waiting.add(seconds, part, row: 0, column: epoch)
  }

  /// Examples a second of each epoch, and what they would be had no rank ever waited and the work been shared evenly; nil
  /// where nothing is known of waiting.
  package var throughput: [(epoch: Double, measured: Double, ideal: Double?)] {
    var (training, waiting) = (training, waiting)
    let stride = max(training.columnStride, waiting.columnStride)
    training.widenColumns(to: stride)
    waiting.widenColumns(to: stride)
    return (0..<training.columnCount).compactMap { column in
      let done = training[0, column]
      guard done.second > 0 else { return nil }
      let measured = done.first / done.second
      let time = waiting[0, column]
      let share = time.first > 0 ? time.second / time.first : .nan
      let numbers = training.columnNumbers(column)
      return (
        Double(numbers.lowerBound + numbers.upperBound) / 2, measured,
        share < 0.999 ? measured / (1 - share) : nil
      )
    }
  }
}

/// Seconds of every rank in every phase.
package struct RankPhases: Sendable {
  /// As the file names them, in its order.
  package var phases: [String] = []
  package var hosts: [Int: String] = [:]
  package var seconds: [Int: [Double]] = [:]

  package var ranks: [Int] { seconds.keys.sorted() }

  package func seconds(_ rank: Int, _ phase: String) -> Double {
    guard let column = phases.firstIndex(of: phase), let row = seconds[rank], column < row.count else {
      return 0
    }
    return row[column]
  }
}

/// What every rank used, by the names of the file's columns.
package struct RankUse: Sendable {
  package var columns: [String] = []
  package var hosts: [Int: String] = [:]
  package var sums: [Int: [Double]] = [:]
}
