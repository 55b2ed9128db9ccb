// What one rank used over some time, and what it cost the others: numbers that are gathered and added up.

/// One rank over an epoch or a run.
package struct RankUse: Sendable, Equatable {
  /// What is known of it; seconds, if nothing else is said.
  package enum Field: Int, CaseIterable, Sendable {
    /// On the clock; and of a core, by the thread that trains.
    case wall, cpu
    /// Counts, of that thread.
    case voluntarySwitches, involuntarySwitches, minorFaults, majorFaults
    /// Outside of waits and evaluations; in that: without a core although it could have run, and asleep, for a disk for
    /// example. The last two are estimates where steps are short: from a sample of them.
    case own, queued, asleep
    /// Counts: steps, and those of them in which this rank came last.
    case steps, lastSteps
    /// By which it came later than the last but one: without it the job would have been so much shorter.
    case late
    /// What it did in that time: write checkpoints, sleep, wait for a core, write metrics and the like; the rest it
    /// computed.
    case lateWriting, lateAsleep, lateQueued, lateOther
    /// After all had come, until it went on: it had no core yet, or woke the others.
    case waking
    /// Waiting for messages when every rank had come.
    case network
    /// Cores that the ranks of its server can use together, and how many ranks these are.
    case cores, localRanks
    /// Examples of its part of a whole batch.
    case examples
    /// Bytes: the most that its process has had resident so far.
    case peakMemory
  }

  /// In the order of the fields.
  package var values: [Double]

  package init() { values = [Double](repeating: 0, count: Field.allCases.count) }

  package init(values: [Double]) { self.values = values }

  package subscript(field: Field) -> Double {
    get { values[field.rawValue] }
    set { values[field.rawValue] = newValue }
  }

  /// Adds another time of the same rank.
  package mutating func add(_ other: RankUse) {
    for field in Field.allCases {
      switch field {
      case .cores, .localRanks, .examples, .peakMemory: self[field] = other[field]
      default: self[field] += other[field]
      }
    }
  }
}

/// How often and how long one rank has waited for another.
package struct WaitForRank: Sendable, Equatable {
  /// Who came last; the rank itself, where all had come and it did not go on yet.
  package var rank: Int
  package var count: Int
  package var seconds: Double

  package init(rank: Int, count: Int, seconds: Double) {
    self.rank = rank
    self.count = count
    self.seconds = seconds
  }
}

/// Some steps in a row of one rank, in seconds.
package struct StepRange: Sendable, Equatable {
  package var firstStep: Int
  package var lastStep: Int
  package var own: Double
  package var wait: Double
  /// As `RankUse.Field.late`.
  package var late: Double

  package init(firstStep: Int, lastStep: Int, own: Double, wait: Double, late: Double = 0) {
    self.firstStep = firstStep
    self.lastStep = lastStep
    self.own = own
    self.wait = wait
    self.late = late
  }
}
