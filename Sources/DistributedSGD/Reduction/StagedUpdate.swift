// Updates that need all of the gradient first: clipping, and optimizers that look at the norms of whole tensors.
import MPI
import NeuralNet

extension GradientReduction {
  /// Adds up this rank's parts, then changes the gradient, then the parameters; in between, where a norm is needed, the
  /// ranks tell each other their sums of squares.
  func foldThenUpdate(_ clock: PhaseClock) throws(MPIError) {
    let buffers = buffers
    let (step, learningRate) = (work.step, work.learningRate)
    var limit: Double?
    if case .norm(let value) = update.clipping { limit = value }
    let measured = limit == nil ? work.measured : max(work.measured, .whole)
    for part in ownParts { fold(part, part.sources ?? buffers, into: gradient(of: part, buffers), measured) }
    clock.mark(.reduce)
    var coefficient: Float = 1
    if let limit {
      try shareGradientNorms(clock)
      coefficient = Clipping.coefficient(limit: limit, norm: norms.norm(.gradient))
    } else if measured != .none, network != nil {
      try shareGradientNorms(clock)
    }
    let isTensorwise = update.tensorwise != nil
    for part in ownParts {
      let gradient = gradient(of: part, buffers)
      let range = part.range.clamped(to: 0..<layout.parameterCount)
      var (ofParameters, ofDirection) = (part.firstPiece, part.firstPiece)
      var offset = range.lowerBound
      while offset < range.upperBound {
        let count = min(FoldProgram.blockLength, range.upperBound - offset)
        let block = gradient + offset
        update.clip(offset, count: count, gradient: block, coefficient: coefficient)
        if isTensorwise {
          update.direct(offset, count: count, gradient: block, step: step)
          norms.measure(
            .parameters, parameters + offset, offset: offset, count: count, from: &ofParameters)
          norms.measure(.direction, block, offset: offset, count: count, from: &ofDirection)
        } else {
          update.run(offset, count: count, gradient: block, step: step, learningRate: learningRate)
        }
        offset += count
      }
    }
    clock.mark(.update)
    guard isTensorwise else { return }
    try shareSums(.parameters, through: .direction, clock)
    for part in ownParts {
      update.run(
        part.range.clamped(to: 0..<layout.parameterCount), direction: gradient(of: part, buffers),
        norms: norms,
        step: step, learningRate: learningRate)
    }
    clock.mark(.update)
  }

  /// Where the gradient of a part waits: nobody else reads this rank's part of the sums, unless all ranks add up
  /// everything.
  private func gradient(
    of part: OwnPart, _ buffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  ) -> UnsafeMutablePointer<Float> { ownGradient ?? (part.sources ?? buffers)[0] }

  /// Adds up a part a block at a time.
  /// - Parameter gradient: takes the sum, addressed as if the whole arena were there.
  private func fold(
    _ part: OwnPart, _ sources: UnsafeMutablePointer<UnsafeMutablePointer<Float>>,
    into gradient: UnsafeMutablePointer<Float>, _ measured: MeasuredNorms
  ) {
    let program = part.programs[work.size]
    var piece = part.firstPiece
    var offset = part.range.lowerBound
    let end = min(part.range.upperBound, layout.addedCount)
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

  /// Has all ranks see how large the parts of the gradient are.
  func shareGradientNorms(_ clock: PhaseClock) throws(MPIError) {
    try shareSums(.gradient, through: work.measured == .halves ? .rightHalf : .gradient, clock)
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
