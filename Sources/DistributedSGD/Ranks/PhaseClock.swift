// Where the time of a rank goes: every moment between two marks belongs to one phase.
import Glibc
import MPI
import System

/// What a rank is doing. The phases of a rank add up to its wall time.
public enum Phase: Int, CaseIterable, Sendable {
  /// Gathering the examples of a batch.
  case load
  /// The forward pass and the loss.
  case forward
  /// The backward pass.
  case backward
  /// Waiting for the slowest rank of the server, or for messages of other servers.
  case wait
  /// Adding gradients.
  case reduce
  /// The optimizer.
  case update
  /// Evaluation; no part of sec/epoch.
  case evaluate
  /// Copying what a checkpoint keeps, and waiting for the one before.
  case checkpoint
  /// All else: metrics, progress, bookkeeping.
  case other

  /// As `timings.csv` has it.
  public var name: String { "\(self)" }
}

/// Durations of the phases, with a histogram each, and what happens at the meetings of the ranks. A mark allocates
/// nothing.
public final class PhaseClock {
  /// 16 buckets for every doubling: a percentile is right to 3 %.
  private static let subBuckets = 16
  private static let bucketCount = 64 * subBuckets

  private let counts: UnsafeMutablePointer<Int>
  private let totals: UnsafeMutablePointer<UInt64>
  private let maxima: UnsafeMutablePointer<UInt64>
  /// Shape (phases, bucketCount)
  private let histogram: UnsafeMutablePointer<UInt32>
  private(set) var last: UInt64
  /// Where others can read what this rank is at (`Place`).
  private let place: UnsafeMutablePointer<UInt64>
  private let ownsPlace: Bool
  private let startTicks: UInt64
  private let startSeconds: Double
  /// Who came last, and who waited for whom.
  let meetings: Meetings
  private let ranges = StepRanges()
  /// What is recorded of some steps, if anything is.
  package private(set) var timeline: Timeline?
  /// Its steps, for `turn`, which would have to check an access to ask it; none where nothing is recorded.
  private var recordedSteps = 0..<0
  /// Whether it is recorded now.
  private(set) var isRecording = false

  /// When the step's first wait for messages began and ended.
  var messages: (began: UInt64, ended: UInt64) = (0, 0)

  /// The step that marks are made in.
  private(set) var step = 0
  /// The first step at which there is something to do beside the step itself.
  private var nextTurn = Int.max

  /// - Parameters:
  ///   - place: one word that others read.
  ///   - rank: whose clock it is, among how many, and which of them share its server: the ranks that it meets.
  package init(
    place: UnsafeMutablePointer<UInt64>? = nil, rank: Int = 0, worldSize: Int = 1, serverRanks: [Int] = [0]
  ) {
    meetings = Meetings(rank: rank, worldSize: worldSize, serverRanks: serverRanks)
    ownsPlace = place == nil
    self.place = place ?? .allocate(capacity: 1)
    if ownsPlace { self.place.initialize(to: 0) }
    let phases = Phase.allCases.count
    counts = .allocate(capacity: phases)
    totals = .allocate(capacity: phases)
    maxima = .allocate(capacity: phases)
    histogram = .allocate(capacity: phases * Self.bucketCount)
    startTicks = Ticks.now
    startSeconds = monotonicSeconds()
    last = startTicks
    reset()
  }

  /// This rank's clock of a job.
  package convenience init(over communicator: any Communicator) {
    self.init(
      place: communicator.board.place, rank: communicator.rank, worldSize: communicator.worldSize,
      serverRanks: communicator.serverRanks)
  }

  deinit {
    if ownsPlace { place.deallocate() }
    counts.deallocate()
    totals.deallocate()
    maxima.deallocate()
    histogram.deallocate()
  }

  /// Forgets all durations; the clock goes on from the last mark.
  public func reset() {
    let phases = Phase.allCases.count
    counts.initialize(repeating: 0, count: phases)
    totals.initialize(repeating: 0, count: phases)
    maxima.initialize(repeating: 0, count: phases)
    histogram.initialize(repeating: 0, count: phases * Self.bucketCount)
    meetings.reset(secondsPerTick: secondsPerTick)
  }

  /// Forgets all durations and starts again now.
  package func restart() {
    reset()
    last = Ticks.now
  }

  /// The time since the last mark was spent in `phase`.
  @inline(__always)
  package func mark(_ phase: Phase) {
    let now = Ticks.now
    add(now &- last, to: phase)
    if isRecording { record(phase, last, now) }
    last = now
  }

  /// The time since the last mark was spent in two phases by turns, in the proportion of `first` to `second`.
  @inline(__always)
  package func mark(_ phases: (Phase, Phase), inProportion first: UInt64, _ second: UInt64) {
    let now = Ticks.now
    let ticks = now &- last
    let share = UInt64(Double(ticks) * Double(first) / Double(max(first &+ second, 1)))
    add(share, to: phases.0)
    add(ticks &- share, to: phases.1)
    if isRecording {
      record(phases.0, last, last &+ share)
      record(phases.1, last &+ share, now)
    }
    last = now
  }

  @inline(__always)
  private func add(_ ticks: UInt64, to phase: Phase) {
    let index = phase.rawValue
    counts[index] &+= 1
    totals[index] &+= ticks
    if ticks > maxima[index] { maxima[index] = ticks }
    histogram[index &* Self.bucketCount &+ Self.bucket(ticks)] &+= 1
    RankBoard.show(Place(step: step, after: phase).word, at: place)
  }

  // MARK: Steps

  /// A step begins.
  @inline(__always)
  func begin(step: Int) {
    self.step = step
    if step >= nextTurn { turn() }
  }

  @inline(never)
  private func turn() {
    if step >= ranges.next { ranges.turn(to: step, stepTicks) }
    isRecording = recordedSteps.contains(step)
    setNextTurn()
  }

  private func setNextTurn() {
    nextTurn = ranges.next
    if step < recordedSteps.lowerBound {
      nextTurn = min(nextTurn, recordedSteps.lowerBound)
    } else if step < recordedSteps.upperBound {
      nextTurn = min(nextTurn, recordedSteps.upperBound)
    }
  }

  /// From here on steps are counted in ranges.
  package func begin(epochFrom step: Int, steps: Int) {
    ranges.begin(step: step, steps: steps, stepTicks)
    setNextTurn()
  }

  /// All ranges since then.
  func endRanges() -> [StepRange] {
    defer { setNextTurn() }
    return ranges.end(step: step, stepTicks, secondsPerTick: secondsPerTick)
  }

  /// Has some steps be recorded.
  package func record(into timeline: Timeline) {
    self.timeline = timeline
    recordedSteps = timeline.steps
    setNextTurn()
  }

  // Not part of a mark, which would ask for the timeline in every step.
  @inline(never)
  private func record(_ phase: Phase, _ start: UInt64, _ end: UInt64) {
    timeline?.append(phase, start..<end, step: step)
  }

  @inline(__always)
  func ticks(of phase: Phase) -> UInt64 { totals[phase.rawValue] }

  private var stepTicks: StepTicks {
    StepTicks(own: ownTicks, wait: ticks(of: .wait), late: meetings.late)
  }

  /// Outside of waits and evaluations.
  var ownTicks: UInt64 {
    var sum: UInt64 = 0
    for phase in 0..<Phase.allCases.count { sum &+= totals[phase] }
    return sum &- totals[Phase.wait.rawValue] &- totals[Phase.evaluate.rawValue]
  }

  @inline(__always)
  private static func bucket(_ ticks: UInt64) -> Int {
    if ticks < UInt64(subBuckets) { return Int(ticks) }
    let exponent = 63 - ticks.leadingZeroBitCount
    return (exponent - 3) * subBuckets + Int((ticks >> UInt64(exponent - 4)) & 15)
  }

  /// The middle of a bucket's durations.
  private static func ticks(ofBucket bucket: Int) -> Double {
    if bucket < subBuckets { return Double(bucket) }
    let exponent = bucket / subBuckets + 3
    return (Double(16 + bucket % subBuckets) + 0.5) * Double(UInt64(1) << UInt64(exponent - 4))
  }

  /// Seconds in a tick, measured over the clock's whole life.
  var secondsPerTick: Double {
    let ticks = Ticks.now - startTicks
    return ticks == 0 ? 0 : (monotonicSeconds() - startSeconds) / Double(ticks)
  }

  /// Of the time since the last reset.
  package func seconds(of phase: Phase) -> Double { Double(totals[phase.rawValue]) * secondsPerTick }

  /// What was measured since the last reset, a row for each phase.
  public func summary() -> [PhaseSummary] {
    let scale = secondsPerTick
    return Phase.allCases.map { phase in
      let index = phase.rawValue
      return PhaseSummary(
        count: counts[index], seconds: Double(totals[index]) * scale,
        p50: percentile(0.50, index) * scale, p99: percentile(0.99, index) * scale,
        maximum: Double(maxima[index]) * scale)
    }
  }

  private func percentile(_ fraction: Double, _ phase: Int) -> Double {
    let wanted = Int((fraction * Double(counts[phase])).rounded(.up))
    var seen = 0
    for bucket in 0..<Self.bucketCount {
      seen += Int(histogram[phase * Self.bucketCount + bucket])
      if seen >= wanted && wanted > 0 {
        return min(Self.ticks(ofBucket: bucket), Double(maxima[phase]))
      }
    }
    return 0
  }
}
