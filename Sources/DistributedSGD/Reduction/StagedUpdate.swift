// Updates that need all of the gradient first: clipping, and optimizers that look at the norms of whole tensors.
import MPI
import NeuralNet

extension GradientReduction {
  /// Adds up this rank's range, then changes the gradient, then the parameters; in between, where a norm is needed, the
  /// ranks tell each other their sums of squares.
  func foldThenUpdate(
    _ program: FoldProgram, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>, _ step: Int,
    _ learningRate: Float, _ measured: MeasuredNorms, _ clock: PhaseClock
  ) throws(MPIError) {
    // Nobody else reads this rank's part of the sums, unless all ranks add up everything.
    let gradient = ownGradient ?? sources[0]
    var limit: Double?
    if case .norm(let value) = update.clipping { limit = value }
    fold(program, sources, into: gradient, measured: limit == nil ? measured : max(measured, .whole))
    clock.mark(.reduce)
    var coefficient: Float = 1
    if let limit {
      try shareSums(.gradient, through: measured == .halves ? .rightHalf : .gradient, clock)
      coefficient = Clipping.coefficient(limit: limit, norm: norms.norm(.gradient))
    } else if measured != .none, network != nil {
      try shareSums(.gradient, through: measured == .halves ? .rightHalf : .gradient, clock)
    }
    let range = ownRange.clamped(to: 0..<layout.parameterCount)
    let isTensorwise = update.tensorwise != nil
    var (ofParameters, ofDirection) = (norms.firstPiece, norms.firstPiece)
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = min(FoldProgram.blockLength, range.upperBound - offset)
      let block = gradient + offset
      update.clip(offset, count: count, gradient: block, coefficient: coefficient)
      if isTensorwise {
        update.direct(offset, count: count, gradient: block, step: step)
        norms.measure(.parameters, parameters + offset, offset: offset, count: count, from: &ofParameters)
        norms.measure(.direction, block, offset: offset, count: count, from: &ofDirection)
      } else {
        update.run(offset, count: count, gradient: block, step: step, learningRate: learningRate)
      }
      offset += count
    }
    clock.mark(.update)
    guard isTensorwise else { return }
    try shareSums(.parameters, through: .direction, clock)
    update.run(range, direction: gradient, norms: norms, step: step, learningRate: learningRate)
    clock.mark(.update)
  }

  /// Adds up this rank's range a block at a time.
  /// - Parameter gradient: takes the sum, addressed as if the whole arena were there.
  private func fold(
    _ program: FoldProgram, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>,
    into gradient: UnsafeMutablePointer<Float>, measured: MeasuredNorms
  ) {
    var piece = norms.firstPiece
    var offset = ownRange.lowerBound
    let end = min(ownRange.upperBound, layout.addedCount)
    while offset < end {
      let count = min(FoldProgram.blockLength, end - offset)
      let summed = max(0, min(count, layout.parameterCount - offset))
      if measured == .halves { measureHalves(program, sources, offset: offset, count: summed, piece: piece) }
      let sum = program.run(sources, offset: offset, count: count)
      if measured != .none { norms.measure(.gradient, sum, offset: offset, count: summed, from: &piece) }
      if sum != UnsafePointer(gradient + offset) { (gradient + offset).update(from: sum, count: summed) }
      for i in summed..<count { parameters[offset + i] = sum[i] }
      offset += count
    }
  }

  /// Has all ranks see the sums of squares of some columns.
  func shareSums(_ first: ArenaNorms.Column, through last: ArenaNorms.Column? = nil, _ clock: PhaseClock)
    throws(MPIError)
  {
    if network != nil {
      try norms.exchange(first.rawValue...(last ?? first).rawValue)
      clock.markMessages(isFirst: false)
    } else if !isReplicated {
      meet(clock)
    }
  }
}
