// Who came last to the meetings of the ranks, who waited for whom, and what kept the last.
import MPI
import System

/// This rank's account of the barriers and messages at which ranks meet. Nothing here allocates after `init`.
///
/// At a barrier all ranks find who came last and when (`ServerBarrier.Opening`): one that waited books its wait for that
/// rank, until it came; what is left until the waiting rank goes on is its own *waking*. The last rank books its delay:
/// how much later it came than the last but one.
///
/// What kept it is sampled: from one meeting to the next, now and then, time on the core and in the queue for it is read
/// from the system (2 µs, at most once in a millisecond; steps of a millisecond are read all).
final class Meetings {
  enum Number: Int, CaseIterable {
    case steps, lastSteps, late, waking, wakings, network, networks
    // Of the samples, in nanoseconds: their length, and what they hold.
    case sampled, sampledQueued, sampledAsleep
    // Of this rank's delays; the first is of those that were sampled. In ticks.
    case lateSampled, lateWriting, lateAsleep, lateQueued, lateOther
  }

  /// What a stretch between two meetings held, in ticks.
  private struct Stretch {
    var writing: UInt64 = 0
    var other: UInt64 = 0
    var queued: UInt64 = 0
    var asleep: UInt64 = 0
    var isKnown = false
  }

  let rank: Int
  let worldSize: Int
  let meter = ThreadMeter()
  /// Shape (worldSize): how often, and for how many ticks, this rank has waited for another.
  private let counts: UnsafeMutablePointer<Int>
  private let ticks: UnsafeMutablePointer<UInt64>
  private let numbers: UnsafeMutablePointer<UInt64>
  /// Shape (ranks of the server): which rank is local rank i.
  private let rankOfLocal: UnsafeMutablePointer<Int>
  /// Meetings so far: the same number for all ranks that meet.
  private(set) var meetings = 0

  // The sample under way.
  private(set) var isSampling = false
  /// When the last one was begun, and the ticks from one to the next.
  private var sampleBegan: UInt64 = 0
  private var pause: UInt64 = 3_000_000
  private var nanosecondsPerTick = 0.0
  private var cpuAtBegin: UInt64 = 0
  private var queuedAtBegin: UInt64 = 0
  private var clockAtBegin: UInt64 = 0
  private var writingAtBegin: UInt64 = 0
  private var otherAtBegin: UInt64 = 0
  private var stretch = Stretch()
  /// After the last meeting, until this rank went on, and after the one before.
  private var waking: UInt64 = 0
  private var wakingBefore: UInt64 = 0
  private var useAtReset = ThreadUse()

  /// - Parameter serverRanks: those that meet at this rank's barrier.
  init(rank: Int, worldSize: Int, serverRanks: [Int]) {
    self.rank = rank
    self.worldSize = worldSize
    counts = .allocate(capacity: worldSize)
    ticks = .allocate(capacity: worldSize)
    numbers = .allocate(capacity: Number.allCases.count)
    rankOfLocal = .allocate(capacity: max(1, serverRanks.count))
    for (local, rank) in serverRanks.enumerated() { (rankOfLocal + local).initialize(to: rank) }
    reset(secondsPerTick: 0)
  }

  deinit {
    counts.deallocate()
    ticks.deallocate()
    numbers.deallocate()
    rankOfLocal.deallocate()
  }

  /// - Parameter secondsPerTick: 0 where it is not known yet.
  func reset(secondsPerTick: Double) {
    counts.initialize(repeating: 0, count: worldSize)
    ticks.initialize(repeating: 0, count: worldSize)
    numbers.initialize(repeating: 0, count: Number.allCases.count)
    if secondsPerTick > 0 {
      pause = UInt64(1e-3 / secondsPerTick)
      nanosecondsPerTick = 1e9 * secondsPerTick
    }
    isSampling = false
    stretch.isKnown = false
    useAtReset = meter.use
  }

  @inline(__always)
  private subscript(number: Number) -> UInt64 {
    get { numbers[number.rawValue] }
    set { numbers[number.rawValue] = newValue }
  }

  /// By which this rank came later than all others so far.
  var late: UInt64 { self[.late] }

  // MARK: Booking

  /// A meeting is over.
  /// - Parameters:
  ///   - arrived: when this rank came, and `now` when it goes on, in ticks.
  ///   - isStep: whether this is the first meeting of a step.
  ///   - isWhole: whether all ranks of the job have met.
  /// - Returns: the rank that was last.
  @inline(__always)
  func book(
    _ opening: ServerBarrier.Opening, arrived: UInt64, now: UInt64, isStep: Bool, isWhole: Bool
  ) -> Int {
    meetings &+= 1
    wakingBefore = waking
    waking = 0
    let last = rankOfLocal[opening.last]
    let whole = now &- arrived
    var waited: UInt64 = 0
    if isStep && isWhole { self[.steps] &+= 1 }
    if opening.isOwn {
      if isWhole { bookDelay(opening.delay, isStep: isStep) }
    } else {
      let untilLast = Int64(bitPattern: opening.ticks &- arrived)
      waited = untilLast < 0 ? 0 : min(UInt64(untilLast), whole)
      counts[last] &+= 1
      ticks[last] &+= waited
    }
    // The last rank has to wake the others.
    waking = whole &- waited
    self[.waking] &+= waking
    self[.wakings] &+= 1
    return last
  }

  /// This rank was the last of all.
  @inline(__always)
  func bookDelay(_ delay: UInt64, isStep: Bool) {
    if isStep { self[.lastSteps] &+= 1 }
    self[.late] &+= delay
    if stretch.isKnown { bookCauses(of: delay) }
  }

  /// A wait for messages is over.
  /// - Parameters:
  ///   - waited: ticks of the wait.
  ///   - late: those of them in which rank `last` had not come.
  func bookMessages(waited: UInt64, late: UInt64, last: Int) {
    let late = min(late, waited)
    if late > 0 {
      counts[last] &+= 1
      ticks[last] &+= late
    }
    self[.network] &+= waited &- late
    self[.networks] &+= 1
  }

  func bookStep() { self[.steps] &+= 1 }

  private func bookCauses(of delay: UInt64) {
    self[.lateSampled] &+= delay
    var rest = delay
    take(.lateWriting, stretch.writing, of: &rest)
    take(.lateAsleep, stretch.asleep, of: &rest)
    // Who has got its core late comes late.
    take(.lateQueued, stretch.queued &+ wakingBefore, of: &rest)
    take(.lateOther, stretch.other, of: &rest)
  }

  @inline(__always)
  private func take(_ cause: Number, _ ticks: UInt64, of rest: inout UInt64) {
    let part = min(rest, ticks)
    self[cause] &+= part
    rest &-= part
  }

  // MARK: Samples

  @inline(__always)
  func isDue(_ now: UInt64) -> Bool { now &- sampleBegan > pause }

  /// From here on this rank works by itself.
  /// - Parameters:
  ///   - writing: ticks spent on checkpoints so far, and on all `other` things.
  func beginSample(_ now: UInt64, writing: UInt64, other: UInt64) {
    sampleBegan = now
    isSampling = nanosecondsPerTick > 0
    guard isSampling else { return }
    (writingAtBegin, otherAtBegin) = (writing, other)
    clockAtBegin = monotonicNanoseconds()
    queuedAtBegin = meter.queuedNanoseconds
    cpuAtBegin = meter.cpuNanoseconds
  }

  /// It comes to a meeting.
  func endSample(writing: UInt64, other: UInt64) {
    // Linux takes a core away where a call returns: at this one, if at all, so that the others count it.
    _ = meter.cpuNanoseconds
    let queuedNow = meter.queuedNanoseconds
    let cpuNow = meter.cpuNanoseconds
    let wall = monotonicNanoseconds() &- clockAtBegin
    let cpu = min(cpuNow &- cpuAtBegin, wall)
    let queued = min(queuedNow &- queuedAtBegin, wall &- cpu)
    let asleep = wall &- cpu &- queued
    isSampling = false
    self[.sampled] &+= wall
    self[.sampledQueued] &+= queued
    self[.sampledAsleep] &+= asleep
    stretch = Stretch(
      writing: writing &- writingAtBegin, other: other &- otherAtBegin,
      queued: UInt64(Double(queued) / nanosecondsPerTick),
      asleep: UInt64(Double(asleep) / nanosecondsPerTick),
      isKnown: true)
  }

  /// The next delay is that of a stretch that nobody has looked at.
  @inline(__always)
  func forgetStretch() { stretch.isKnown = false }

  // MARK: Results

  /// - Parameters:
  ///   - wall: seconds on the clock, and `own` of them outside of waits and evaluations.
  func use(secondsPerTick: Double, wall: Double, own: Double) -> RankUse {
    let now = meter.use
    var use = RankUse()
    use[.wall] = wall
    use[.cpu] = now.cpuSeconds - useAtReset.cpuSeconds
    use[.voluntarySwitches] = Double(now.voluntarySwitches - useAtReset.voluntarySwitches)
    use[.involuntarySwitches] = Double(now.involuntarySwitches - useAtReset.involuntarySwitches)
    use[.minorFaults] = Double(now.minorFaults - useAtReset.minorFaults)
    use[.majorFaults] = Double(now.majorFaults - useAtReset.majorFaults)
    use[.own] = own
    if self[.sampled] > 0 {
      let factor = own / Double(self[.sampled])
      use[.queued] = factor * Double(self[.sampledQueued])
      use[.asleep] = factor * Double(self[.sampledAsleep])
    }
    use[.steps] = Double(self[.steps])
    use[.lastSteps] = Double(self[.lastSteps])
    use[.late] = Double(self[.late]) * secondsPerTick
    if self[.lateSampled] > 0 {
      let factor = use[.late] / Double(self[.lateSampled])
      use[.lateWriting] = factor * Double(self[.lateWriting])
      use[.lateAsleep] = factor * Double(self[.lateAsleep])
      use[.lateQueued] = factor * Double(self[.lateQueued])
      use[.lateOther] = factor * Double(self[.lateOther])
    }
    use[.waking] = Double(self[.waking]) * secondsPerTick
    use[.network] = Double(self[.network]) * secondsPerTick
    return use
  }

  /// Those with most seconds, at most `limit` of them; longest first.
  func waits(secondsPerTick: Double, limit: Int) -> [WaitForRank] {
    var all = (0..<worldSize).filter { counts[$0] > 0 }.map {
      WaitForRank(rank: $0, count: counts[$0], seconds: Double(ticks[$0]) * secondsPerTick)
    }
    if self[.wakings] > 0 {
      all.append(
        WaitForRank(
          rank: rank, count: Int(self[.wakings]), seconds: Double(self[.waking]) * secondsPerTick))
    }
    all.sort { ($0.seconds, $1.rank) > ($1.seconds, $0.rank) }
    return Array(all.prefix(limit))
  }
}
