// `bench allreduce`: the reduction and the update as training makes them, against MPI_Allreduce alone and against
// a copy of the same bytes.
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import Runs
import System

package struct AllReduceOptions: Sendable {
  /// What a rank finds in its gradient buffer before each operation.
  package enum Gradients: String, Sendable, CaseIterable {
    /// The same numbers each time, as in other benchmarks of this kind: they may stay in a cache of the reader.
    case kept
    /// Numbers that the rank has just written, as in training. Writing is timed by itself and taken off.
    case written
  }

  /// Gradients reduced, in floats.
  package var sizes = [6, 1000, 65_536, 235_146, 1 << 20, 4 << 20, 16 << 20]
  package var rounds = 9
  package var gradients = Gradients.kept
  /// A round repeats each operation at least so long.
  package var roundSeconds = 0.02
  /// Whether rank 0 shows how far it is.
  package var tellsProgress = true

  package init() {}
}

/// One size; seconds of one operation, of the slowest rank.
package struct AllReduceMeasurement: Sendable {
  package let floats: Int
  /// The reduction and the update; in one process the update alone.
  package let ours: Timing
  /// MPI_Allreduce in place, without any update; nil in one process.
  package let mpi: Timing?
  /// Every rank copies its gradient.
  package let copy: Timing
}

package struct AllReduceBench {
  private let options: AllReduceOptions

  package init(_ options: AllReduceOptions) { self.options = options }

  /// Collective over all ranks.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package func run(on communicator: any Communicator) throws -> AllReduceReport {
    try communicator.agreeingOnErrors {
      try NumberRange.reducedFloats.check(options.sizes)
      try NumberRange.rounds.check(options.rounds)
      // Of every rank: the gradients, in two turns, and a copy; the parameters once.
      try requireMemory(
        bytes: 4 * Double(options.sizes.max() ?? 1) * Double(3 * communicator.localRankCount + 1),
        for: "--sizes \(options.sizes.max() ?? 1)", instead: "fewer floats")
    }
    Stages.begin(options.sizes.count, isTold: communicator.rank == 0 && options.tellsProgress)
    let rows = try options.sizes.map { size in
      Stages.next("\(size) floats")
      return try measure(size, communicator)
    }
    Stages.end()
    return AllReduceReport(
      topology: communicator.topology, cores: try ServerCores(over: communicator).count, options: options,
      rows: rows)
  }

  private func measure(_ floats: Int, _ communicator: any Communicator) throws -> AllReduceMeasurement {
    let worldSize = communicator.worldSize
    let reduction = try GradientReduction(
      parameterCount: floats, shards: Shards(count: worldSize, worldSize: worldSize),
      activeShards: [worldSize], rule: UpdateRule(SGD()), communicator: communicator)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * floats, alignment: 64)
    defer { memory.deallocate() }
    let buffer = memory.initializeMemory(as: Float.self, repeating: 0, count: floats)
    let mpi = worldSize > 1 ? communicator as? MPICommunicator : nil
    try checkSums(floats, reduction, buffer, mpi, communicator)

    let clock = PhaseClock(over: communicator)
    let isWritten = options.gradients == .written
    // So little that neither parameters nor sums grow out of range.
    let value: Float = 1e-12
    let ours = { (count: Int) throws(MPIError) in
      for _ in 0..<count {
        if isWritten { fill(reduction.gradientBuffer(0), value, floats) }
        reduction.begin(activeShards: worldSize, step: 1, learningRate: 0.1)
        try reduction.reduceAndUpdate(clock: clock)
      }
    }
    let theirs = { (count: Int) throws(MPIError) in
      for _ in 0..<count {
        if isWritten { fill(buffer, value, floats) }
        try mpi?.sum(buffer, count: floats)
      }
    }
    let copy = { (count: Int) throws(MPIError) in
      for _ in 0..<count {
        if isWritten { fill(reduction.gradientBuffer(0), value, floats) }
        memcpy(buffer, reduction.gradientBuffer(0), 4 * floats)
      }
    }
    let writeOurs = { (count: Int) throws(MPIError) in
      for _ in 0..<count { fill(reduction.gradientBuffer(0), value, floats) }
    }
    let writeTheirs = { (count: Int) throws(MPIError) in for _ in 0..<count { fill(buffer, value, floats) } }

    // A reduction of few floats has two sets of buffers that take turns.
    for _ in 0..<2 {
      fill(reduction.gradientBuffer(0), value, reduction.layout.addedCount)
      try ours(1)
    }
    // Zeros stay zeros, however often they are added.
    fill(buffer, 0, floats)
    let results = try timeTogether(
      [ours, theirs, copy] + (isWritten ? [writeOurs, writeTheirs] : []), rounds: options.rounds,
      minimumSeconds: options.roundSeconds, communicator: communicator)
    let timings = results.map(\.timing)
    return AllReduceMeasurement(
      floats: floats, ours: isWritten ? timings[0].without(timings[3]) : timings[0],
      mpi: mpi == nil ? nil : isWritten ? timings[1].without(timings[4]) : timings[1],
      copy: isWritten ? timings[2].without(timings[3]) : timings[2])
  }

  /// Both ways add up whole numbers, whose sums are exact, and every rank looks at every element.
  private func checkSums(
    _ floats: Int, _ reduction: GradientReduction, _ buffer: UnsafeMutablePointer<Float>,
    _ mpi: MPICommunicator?, _ communicator: any Communicator
  ) throws {
    let worldSize = communicator.worldSize
    func term(_ i: Int, _ rank: Int) -> Float { Float(i % 1000 + rank) }
    func sum(_ i: Int) -> Float { Float(worldSize * (i % 1000) + worldSize * (worldSize - 1) / 2) }
    let gradient = reduction.gradientBuffer(0)
    for i in 0..<floats {
      gradient[i] = term(i, communicator.rank)
      buffer[i] = gradient[i]
    }
    // Parameters of their own are uninitialised memory; in shared ones all ranks write the same.
    reduction.parameters.update(repeating: 0, count: reduction.layout.addedCount)
    try communicator.barrier()
    reduction.begin(activeShards: worldSize, step: 1, learningRate: 1)
    try reduction.reduceAndUpdate(clock: PhaseClock(over: communicator))
    try mpi?.sum(buffer, count: floats)
    try communicator.agreeingOnErrors {
      for i in 0..<floats {
        guard reduction.parameters[i] == -sum(i), mpi == nil || buffer[i] == sum(i) else {
          throw DistsgdError(
            .internal,
            "element \(i) of \(floats): parameter \(reduction.parameters[i]), MPI_Allreduce \(buffer[i]); the sum is \(sum(i))"
          )
        }
      }
    }
  }
}

/// Out of line, so that each call of a loop writes.
@inline(never)
private func fill(_ buffer: UnsafeMutablePointer<Float>, _ value: Float, _ count: Int) {
  buffer.update(repeating: value, count: count)
}

extension Timing {
  /// What is left of each figure when the median of a part is taken off.
  fileprivate func without(_ part: Timing) -> Timing {
    Timing([least, p10, median, p90, greatest].map { max($0 - part.median, 0) })
  }
}
