// Which products may take all pieces of a pass at once: a BLAS may choose another kernel, and so another order
// of additions, when a product has more rows, and then a sum would not have the bits that its pieces have alone.

/// What has been found to change no bit of a dense layer's results, beyond what one piece needs.
struct PieceFreedom: OptionSet, Sendable {
  let rawValue: Int

  /// y = x·Wᵀ for all pieces in one product.
  static let forward = PieceFreedom(rawValue: 1)
  /// dx = dy·W for all pieces in one product.
  static let inputGradient = PieceFreedom(rawValue: 2)
  /// dW = dyᵀ·x in blocks of its rows.
  static let weightBlocks = PieceFreedom(rawValue: 4)
  /// dW += dyᵀ·x by the product itself, instead of an addition of its own.
  static let weightSum = PieceFreedom(rawValue: 8)
  /// y = x·Wᵀ in blocks of its columns.
  static let outputBlocks = PieceFreedom(rawValue: 16)
}

extension DenseProducts {
  /// This layer with all the freedom that changes no bit for some passes, found by trying: on random numbers, since
  /// the order of a product's additions depends on its shape and not on its numbers.
  /// - Parameters:
  ///   - passes: for each pass, the row at which each piece starts, and the end of the last.
  ///   - waitingPasses: those that may have to wait for parameters, and so gain by columns that can come before others.
  func probed(_ passes: Set<[Int]>, waitingPasses: Set<[Int]>) -> DenseProducts {
    guard !isSmall else { return self }
    var free = self
    if chains == nil { free.tryPieces(of: passes) }
    let hasBlocks = !waitingPasses.isEmpty && outputBlocks.count > 1
    if hasBlocks, chains != nil || waitingPasses.allSatisfy(free.haveBlocks) {
      free.freedom.insert(.outputBlocks)
    }
    return free
  }

  private mutating func tryPieces(of passes: Set<[Int]>) {
    largestPiece = passes.reduce(0) { max($0, zip($1.dropFirst(), $1).map(-).max() ?? 0) }
    for freedom in [PieceFreedom.forward, .inputGradient, .weightSum, .weightBlocks] {
      var freer = self
      freer.freedom.insert(freedom)
      if passes.allSatisfy({ results($0) == freer.results($0) }) { self = freer }
    }
  }

  /// Whether y has the same bits column by column.
  private func haveBlocks(_ pieces: [Int]) -> Bool {
    let rows = pieces[pieces.count - 1]
    let x = random(rows * inputs)
    let w = random(inputs * outputs)
    var memory = [Float](repeating: 0, count: rows * outputs)
    var (whole, inBlocks) = (memory, memory)
    pieces.withUnsafeBufferPointer { pieces in
      forward(x, weight: w, into: &whole, pieces: pieces)
      for block in outputBlocks {
        forward(x, weight: w, outputs: block, through: &memory, into: &inBlocks, pieces: pieces)
      }
    }
    return zip(whole, inBlocks).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// The bits of all three products on random numbers.
  private func results(_ pieces: [Int]) -> [[UInt32]] {
    let rows = pieces[pieces.count - 1]
    let x = random(rows * inputs)
    let w = random(inputs * outputs)
    let dy = random(rows * outputs)
    var y = [Float](repeating: 0, count: rows * outputs)
    var dx = [Float](repeating: 0, count: rows * inputs)
    var dw = [Float](repeating: 0, count: inputs * outputs)
    let sum = PairwiseSum(maximumLeaves: pieces.count - 1, capacity: partialSumLength)
    defer { sum.deallocate() }
    pieces.withUnsafeBufferPointer { pieces in
      forward(x, weight: w, into: &y, pieces: pieces)
      inputGradient(outputGradient: dy, weight: w, into: &dx, pieces: pieces)
      weightGradient(x, outputGradient: dy, into: &dw, pieces: pieces, sum: sum, accumulate: false)
    }
    return [y, dx, dw].map { $0.map(\.bitPattern) }
  }

  /// Uniform on [-1, 1), from a linear congruential generator (Knuth's MMIX): any numbers will do.
  private func random(_ count: Int) -> [Float] {
    var state = UInt64(count)
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
  }
}
