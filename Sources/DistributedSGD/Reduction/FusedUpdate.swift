// The additions and the update in one pass over this rank's part of the arena.
import MPI

extension GradientReduction {
  /// Adds up and updates this rank's part, on the only server.
  func foldAndUpdate(_ clock: PhaseClock) throws(MPIError) {
    if update.isStaged { return try foldThenUpdate(clock) }
    foldAndUpdate(firstPart, buffers, work, clock)
  }

  /// Adds up and updates a part, a block at a time while it is in cache. One block in eight is timed by its parts.
  /// - Parameters:
  ///   - copy: the arena that new parameters go to, while the old ones are still read; nil: that of the old ones.
  ///   - clock: nil where that is not on the rank's own thread.
  func foldAndUpdate(
    _ part: OwnPart, _ sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>, _ work: StepWork,
    into copy: UnsafeMutablePointer<Float>? = nil, _ clock: PhaseClock?
  ) {
    let target = copy ?? parameters
    let program = part.programs[work.size]
    let (measured, step, learningRate) = (work.measured, work.step, work.learningRate)
    let blockLength =
      measured != .none ? min(program.blockLength, FoldProgram.blockLength) : program.blockLength
    var piece = part.firstPiece
    var reduceTicks: UInt64 = 0
    var updateTicks: UInt64 = 0
    var block = 0
    var offset = part.range.lowerBound
    let end = min(part.range.upperBound, layout.addedCount)
    while offset < end {
      let isTimed = program.hasAdditions && block % 8 == 0
      let start = isTimed ? Ticks.now : 0
      let count = min(blockLength, end - offset)
      let updated = max(0, min(count, layout.parameterCount - offset))
      if measured == .halves { measureHalves(program, sources, offset: offset, count: updated, piece: piece) }
      let sum = program.run(sources, offset: offset, count: count)
      let added = isTimed ? Ticks.now : 0
      if measured != .none { norms.measure(.gradient, sum, offset: offset, count: updated, from: &piece) }
      update.run(
        offset, count: updated, into: copy, gradient: sum, step: step, learningRate: learningRate)
      for i in updated..<count { target[offset + i] = sum[i] }
      if isTimed {
        reduceTicks &+= added &- start
        updateTicks &+= Ticks.now &- added
      }
      offset += count
      block += 1
    }
    if program.hasAdditions {
      clock?.mark((.reduce, .update), inProportion: reduceTicks, updateTicks)
    } else {
      clock?.mark(.update)
    }
  }
}
