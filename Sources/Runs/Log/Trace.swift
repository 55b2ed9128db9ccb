// `--trace`: some steps of all ranks, recorded while they run, and brought to rank 0 at the end.
import DistributedSGD
import MPI
import System

/// A stretch of one rank, in nanoseconds of rank 0's clock.
package struct TraceStretch: Sendable, Equatable {
  package var start: Int
  package var end: Int
  package var step: Int
  package var phase: Phase
  /// Of a wait at a barrier: which of its server's meetings; else 0.
  package var meeting: Int
  /// Of a wait: for whom.
  package var last: Int?

  package init(start: Int, end: Int, step: Int, phase: Phase, meeting: Int = 0, last: Int? = nil) {
    (self.start, self.end, self.step, self.phase) = (start, end, step, phase)
    (self.meeting, self.last) = (meeting, last)
  }

  fileprivate static let numberCount = 6
}

/// A recording under way, on every rank.
final class Trace {
  private let options: TraceOptions
  private let clock: PhaseClock
  private let timeline: Timeline
  private let communicator: any Communicator
  private let offset: ClockOffset

  /// Collective.
  /// - Throws: `AgreedError` (`cannotCreate`) where the file cannot be made; `MPIError`.
  init(
    _ options: TraceOptions, steps: Range<Int>, _ clock: PhaseClock, over communicator: any Communicator
  ) throws {
    (self.options, self.clock, self.communicator) = (options, clock, communicator)
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      do throws(DistsgdError) { try Self.tryPath(options.path) } catch {
        throw DistsgdError(error.code, "--trace: \(error)")
      }
    }
    offset = try ClockOffset.estimate(over: communicator)
    timeline = Timeline(steps: steps, capacity: min(1 << 16, (1 << 21) / communicator.worldSize))
    clock.record(into: timeline)
  }

  /// Whether a file can be made there.
  private static func tryPath(_ path: String) throws(DistsgdError) {
    do { _ = try ReplacementFile(replacing: path) } catch {
      throw error as? DistsgdError ?? DistsgdError(.cannotCreate, "\(error)")
    }
  }

  /// What all ranks have recorded; on the others nothing. Collective.
  func gather() throws(MPIError) -> TraceFile? {
    let second = try ClockOffset.estimate(over: communicator)
    let reader = clock.nanosecondReader
    var numbers: [Int] = []
    numbers.reserveCapacity(timeline.count * TraceStretch.numberCount)
    for index in 0..<timeline.count {
      let stretch = timeline[index]
      let (start, end) = (reader(stretch.start), reader(stretch.end))
      // Each moment by itself, so that what follows begins where this ends.
      let aheadAtStart = ClockOffset.at(UInt64(start), offset, second)
      let aheadAtEnd = ClockOffset.at(UInt64(end), offset, second)
      numbers += [
        start - aheadAtStart, end - aheadAtEnd, Int(stretch.step), Int(stretch.phase), Int(stretch.meeting),
        Int(stretch.last),
      ]
    }
    let counts = try communicator.gather([numbers.count, timeline.missed, offset.uncertainty])
    guard communicator.rank == 0 else {
      if !numbers.isEmpty { try send(numbers) }
      return nil
    }
    var ranks = [Self.stretches(numbers)]
    for rank in 1..<communicator.worldSize {
      ranks.append(Self.stretches(try receive(counts[3 * rank], from: rank)))
    }
    var file = TraceFile(topology: communicator.topology, ranks: ranks)
    file.missed = stride(from: 1, to: counts.count, by: 3).reduce(0) { $0 + counts[$1] }
    file.clockUncertainty = stride(from: 2, to: counts.count, by: 3).map { counts[$0] }.max() ?? 0
    return file
  }

  private func send(_ numbers: [Int]) throws(MPIError) {
    let buffer = UnsafeMutableBufferPointer<Int>.allocate(capacity: numbers.count)
    defer { buffer.deallocate() }
    _ = buffer.initialize(from: numbers)
    try communicator.send(UnsafeBufferPointer(buffer), to: 0, tag: Self.tag)
  }

  private func receive(_ count: Int, from rank: Int) throws(MPIError) -> [Int] {
    guard count > 0 else { return [] }
    let buffer = UnsafeMutableBufferPointer<Int>.allocate(capacity: count)
    defer { buffer.deallocate() }
    buffer.initialize(repeating: 0)
    try communicator.receive(buffer, from: rank, tag: Self.tag)
    return Array(buffer)
  }

  private static let tag = 4

  private static func stretches(_ numbers: [Int]) -> [TraceStretch] {
    var stretches: [TraceStretch] = []
    for at in stride(from: 0, to: numbers.count, by: TraceStretch.numberCount) {
      let last = numbers[at + 5]
      stretches.append(
        TraceStretch(
          start: numbers[at], end: numbers[at + 1], step: numbers[at + 2],
          phase: Phase(rawValue: numbers[at + 3]) ?? .other, meeting: numbers[at + 4],
          last: last < 0 ? nil : last))
    }
    return stretches
  }

  /// Writes what was gathered; on rank 0.
  /// - Returns: a warning where something is missing.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  func write(_ trace: TraceFile) throws -> String? {
    var file = try ReplacementFile(replacing: options.path)
    try trace.write { try $0.withUnsafeBytes { try file.write($0) } }
    try file.commit()
    if trace.missed > 0 {
      return "--trace: \(trace.missed) stretches of time had no room; record fewer steps, by --trace-steps"
    }
    if trace.ranks.allSatisfy(\.isEmpty) {
      return
        "--trace: the run had none of the steps \(timeline.steps.lowerBound) to \(timeline.steps.upperBound - 1), so '\(options.path)' is empty; choose others, by --trace-steps"
    }
    return nil
  }
}
