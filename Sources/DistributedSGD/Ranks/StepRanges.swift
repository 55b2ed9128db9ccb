// Where in an epoch a rank had to wait: its own time and its waits over ranges of steps, at most 64 of them.

/// What is summed over steps, in ticks.
struct StepTicks {
  /// Outside of waits and evaluations.
  var own: UInt64 = 0
  var wait: UInt64 = 0
  /// By which this rank came later than all others.
  var late: UInt64 = 0

  static func - (a: StepTicks, b: StepTicks) -> StepTicks {
    StepTicks(own: a.own &- b.own, wait: a.wait &- b.wait, late: a.late &- b.late)
  }
}

/// Sums over ranges of steps, in ticks. Nothing here allocates after `init`, and `turn` is part of every step where an
/// epoch has few.
final class StepRanges {
  static let limit = 64

  private let firstSteps: UnsafeMutablePointer<Int>
  private let sums: UnsafeMutablePointer<StepTicks>
  private(set) var count = 0
  private var length = 0
  private var before = StepTicks()
  private var lastStep = 0
  /// The first step that is not of the range under way.
  private(set) var next = Int.max

  init() {
    firstSteps = .allocate(capacity: Self.limit)
    sums = .allocate(capacity: Self.limit)
  }

  deinit {
    firstSteps.deallocate()
    sums.deallocate()
  }

  /// From here on steps are counted.
  /// - Parameters:
  ///   - step: the first.
  ///   - ticks: so far.
  func begin(step: Int, steps: Int, _ ticks: StepTicks) {
    count = 0
    length = max(1, (steps + Self.limit - 1) / Self.limit)
    open(step, ticks)
  }

  private func open(_ step: Int, _ ticks: StepTicks) {
    firstSteps[count] = step
    before = ticks
    next = step + length
  }

  /// The range before `step` is over.
  func turn(to step: Int, _ ticks: StepTicks) {
    close(step - 1, ticks)
    if count < Self.limit { open(step, ticks) } else { next = .max }
  }

  private func close(_ step: Int, _ ticks: StepTicks) {
    sums[count] = ticks - before
    count += 1
    lastStep = step
  }

  /// All ranges so far, the last of which ends with `step`; then none is under way.
  func end(step: Int, _ ticks: StepTicks, secondsPerTick: Double) -> [StepRange] {
    guard length > 0 else { return [] }
    if next != .max, step >= firstSteps[count] { close(step, ticks) }
    defer {
      next = .max
      (length, count) = (0, 0)
    }
    return (0..<count).map {
      StepRange(
        firstStep: firstSteps[$0], lastStep: $0 + 1 < count ? firstSteps[$0 + 1] - 1 : lastStep,
        own: Double(sums[$0].own) * secondsPerTick, wait: Double(sums[$0].wait) * secondsPerTick,
        late: Double(sums[$0].late) * secondsPerTick)
    }
  }
}
