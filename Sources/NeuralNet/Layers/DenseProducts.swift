// The dense layer's three products. By BLAS, sizes alone choose between it and a plain loop, never the number of ranks:
// the bits of a shard's gradient depend on its shape only. Portable products need no such care.
import CKernels

/// y = x·Wᵀ + b and its gradients. x is (rows, inputs), W is (outputs, inputs), y is (rows, outputs).
package struct DenseProducts {
  package let inputs: Int
  package private(set) var outputs: Int
  /// nil: BLAS.
  let chains: ProductChains?
  /// What a pass over several pieces may do at once by BLAS.
  var freedom: PieceFreedom = []
  /// Rows of a piece, at most, where a pass has several.
  var largestPiece = 0

  init(inputs: Int, outputs: Int, chains: ProductChains? = nil) {
    self.inputs = inputs
    self.outputs = outputs
    self.chains = chains
  }

  /// One output and few inputs: a loop of our own instead of BLAS.
  var isSmall: Bool { outputs == 1 && inputs <= CKERNELS_SHORT_ROW }

  /// Whether bias and activation, and the derivative of a ReLU in front, come with the products: while a tile is in
  /// registers.
  func finishes(_ activation: Activation?) -> Bool {
    chains != nil && !isSmall && (activation == nil || activation == .relu)
  }

  /// y = f(x·Wᵀ + b), f being ReLU or nothing, where `finishes` says so.
  @inline(never)
  func forward(
    _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    _ activation: Activation?, into y: UnsafeMutablePointer<Float>, rows: Int
  ) {
    chains?.multiply(
      x, w, into: y, rows: rows, columns: outputs, inner: inputs, transposeA: false, transposeB: true,
      strideA: inputs, pieces: nil, continues: false, bias: bias, rectifies: activation == .relu)
  }

  /// y = x·Wᵀ, without the bias.
  /// - Parameter pieces: the row at which each piece starts, and the end of the last; here and below.
  @inline(__always)
  func forward(
    _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    pieces: UnsafeBufferPointer<Int>
  ) {
    if isSmall {
      let rows = pieces[pieces.count - 1]
      // A call more would be felt here.
      if let chains { return chains.kernels.pointee.multiply_short_rows(y, x, w, rows, inputs) }
      return ckernels_multiply_short_rows(y, x, w, rows, inputs)
    }
    if let chains {
      return forward(by: chains, x, weight: w, into: y, rows: pieces[pieces.count - 1])
    }
    eachProduct(pieces, together: freedom.contains(.forward)) { row, rows in
      BLASProducts.multiply(
        x + row * inputs, w, into: y + row * outputs, rows: rows, columns: outputs, inner: inputs,
        transposeA: false, transposeB: true, strideA: inputs, beta: 0)
    }
  }

  /// Rows of W, and so columns of y, that make a product of their own: about two megabytes each.
  var outputBlocks: [Range<Int>] {
    let height = max(16, (1 << 19) / inputs / 16 * 16)
    let count = max(1, outputs / height)
    return (0..<count).map { $0 * height..<($0 == count - 1 ? outputs : ($0 + 1) * height) }
  }

  /// Some columns of y = x·Wᵀ, without the bias.
  /// - Parameters:
  ///   - block: one of `outputBlocks`.
  ///   - memory: shape (rows, block.count)
  @inline(never)
  func forward(
    _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, outputs block: Range<Int>,
    through memory: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>,
    pieces: UnsafeBufferPointer<Int>
  ) {
    var part = self
    part.outputs = block.count
    part.forward(x, weight: w + block.lowerBound * inputs, into: memory, pieces: pieces)
    for row in 0..<pieces[pieces.count - 1] {
      (y + row * outputs + block.lowerBound).update(from: memory + row * block.count, count: block.count)
    }
  }

  /// One product over all rows, or one for each piece.
  @inline(__always)
  private func eachProduct(
    _ pieces: UnsafeBufferPointer<Int>, together: Bool, product: (_ row: Int, _ rows: Int) -> Void
  ) {
    if together || pieces.count == 2 { return product(0, pieces[pieces.count - 1]) }
    for piece in 0..<pieces.count - 1 { product(pieces[piece], pieces[piece + 1] - pieces[piece]) }
  }

  /// Gradients of the parameters: dW = dyᵀ·x and db = the column sums of dy, for a sum over pieces of the rows.
  ///
  /// Each piece's gradient is a leaf of a pairwise sum. W's rows are taken in blocks that stay in cache, with
  /// their partial sums, until all pieces are in.
  /// - Parameter accumulate: add to what is there; for one piece only.
  @inline(__always)
  func parameterGradients(
    _ x: UnsafePointer<Float>, outputGradient dy: UnsafePointer<Float>,
    weight dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>,
    pieces: UnsafeBufferPointer<Int>, sum: PairwiseSum, accumulate: Bool
  ) {
    let count = pieces.count - 1
    precondition(count == 1 || !accumulate)
    if isSmall {
      // W and b are one array here.
      if sum.format.isHalf, count > 1 {
        return eachPiece(pieces, sum, into: dw, count: inputs + 1) { piece, target in
          shortGradients(x, outputGradient: dy, weightAndBias: target, pieces: piece, accumulate: false)
        }
      }
      return shortGradients(
        x, outputGradient: dy, weightAndBias: dw, pieces: pieces, accumulate: accumulate)
    }
    weightGradient(x, outputGradient: dy, into: dw, pieces: pieces, sum: sum, accumulate: accumulate)
    biasGradient(outputGradient: dy, into: db, pieces: pieces, sum: sum, accumulate: accumulate)
  }

  @inline(__always)
  func biasGradient(
    outputGradient dy: UnsafePointer<Float>, into db: UnsafeMutablePointer<Float>,
    pieces: UnsafeBufferPointer<Int>, sum: PairwiseSum, accumulate: Bool
  ) {
    sum.run(leaves: pieces.count - 1, into: db, count: outputs, addsInPlace: false) { piece, target, _ in
      if !accumulate { target.update(repeating: 0, count: outputs) }
      ckernels_add_rows(target, dy + pieces[piece] * outputs, pieces[piece + 1] - pieces[piece], outputs)
    }
  }

  /// A sum whose leaves are rounded one by one.
  /// - Parameter leaf: writes that of a piece, given as the only one.
  private func eachPiece(
    _ pieces: UnsafeBufferPointer<Int>, _ sum: PairwiseSum, into result: UnsafeMutablePointer<Float>,
    count: Int,
    leaf: (_ piece: UnsafeBufferPointer<Int>, _ target: UnsafeMutablePointer<Float>) -> Void
  ) {
    sum.run(leaves: pieces.count - 1, into: result, count: count, addsInPlace: false) { piece, target, _ in
      leaf(UnsafeBufferPointer(rebasing: pieces[piece...piece + 1]), target)
    }
  }

  /// Rows of W whose gradients can be there before the others': about a megabyte, where that changes no bit.
  func rowsAtATime(pieces: Int) -> Int {
    let wanted = max(16, (1 << 18) / inputs / 16 * 16)
    if chains != nil { return min(outputs, wanted) }
    let height = pieces == 1 ? outputs : blockHeight
    return min(outputs, (wanted + height - 1) / height * height)
  }

  @inline(__always)
  private func shortGradients(
    _ x: UnsafePointer<Float>, outputGradient dy: UnsafePointer<Float>,
    weightAndBias dw: UnsafeMutablePointer<Float>, pieces: UnsafeBufferPointer<Int>, accumulate: Bool
  ) {
    guard let bounds = pieces.baseAddress else { return }
    if let chains {
      chains.kernels.pointee.short_rows_gradient(dw, x, dy, bounds, pieces.count - 1, inputs, accumulate)
    } else {
      ckernels_short_rows_gradient(dw, x, dy, bounds, pieces.count - 1, inputs, accumulate)
    }
  }

  /// - Parameter range: rows of W, from a multiple of `rowsAtATime` on; nil: all.
  @inline(__always)
  func weightGradient(
    _ x: UnsafePointer<Float>, outputGradient dy: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>,
    rows range: Range<Int>? = nil, pieces: UnsafeBufferPointer<Int>, sum: PairwiseSum, accumulate: Bool
  ) {
    let count = pieces.count - 1
    let range = range ?? 0..<outputs
    if let chains {
      if sum.format.isHalf, count > 1 {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: sumHeight) {
          let rows = first..<min(first + sumHeight, range.upperBound)
          eachPiece(pieces, sum, into: dw + first * inputs, count: rows.count * inputs) { piece, target in
            weightGradient(
              by: chains, x, outputGradient: dy, into: target - first * inputs, rows: rows, pieces: piece,
              accumulate: false)
          }
        }
        return
      }
      return weightGradient(
        by: chains, x, outputGradient: dy, into: dw, rows: range, pieces: pieces, accumulate: accumulate)
    }
    let height = count == 1 ? outputs : blockHeight
    for first in stride(from: range.lowerBound, to: range.upperBound, by: height) {
      let rows = min(height, range.upperBound - first)
      sum.run(
        leaves: count, into: dw + first * inputs, count: rows * inputs,
        addsInPlace: freedom.contains(.weightSum)
      ) { piece, target, adds in
        BLASProducts.multiply(
          dy + pieces[piece] * outputs + first, x + pieces[piece] * inputs, into: target, rows: rows,
          columns: inputs, inner: pieces[piece + 1] - pieces[piece], transposeA: true, transposeB: false,
          strideA: outputs,
          beta: adds || accumulate ? 1 : 0)
      }
    }
  }

  /// Rows of W whose gradients are added up over the pieces at a time: about 64 KiB, whole vectors; and not fewer than
  /// a piece has, for which x would be packed more often than it pays.
  private var blockHeight: Int {
    guard freedom.contains(.weightBlocks) else { return outputs }
    return min(outputs, max(16, largestPiece, (16_384 / inputs) / 16 * 16))
  }

  /// Rows of W whose gradients are added up over the pieces at a time by portable products, where sums are rounded.
  private var sumHeight: Int { min(outputs, max(16, (32_768 / inputs) / 16 * 16)) }

  /// Floats of a partial sum over pieces.
  var partialSumLength: Int {
    max((chains == nil ? blockHeight : sumHeight) * inputs, outputs, isSmall ? inputs + 1 : 0)
  }

  /// dx = dy·W.
  /// - Parameter rectified: what a ReLU in front gave, where `finishes` says so: dx becomes the gradient in front of it.
  @inline(__always)
  func inputGradient(
    outputGradient dy: UnsafePointer<Float>, weight w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, pieces: UnsafeBufferPointer<Int>,
    rectified: UnsafePointer<Float>? = nil
  ) {
    if let chains {
      return inputGradient(
        by: chains, outputGradient: dy, weight: w, into: dx, rows: pieces[pieces.count - 1],
        rectified: rectified)
    }
    eachProduct(pieces, together: freedom.contains(.inputGradient)) { row, rows in
      BLASProducts.multiply(
        dy + row * outputs, w, into: dx + row * inputs, rows: rows, columns: inputs, inner: outputs,
        transposeA: false, transposeB: false, strideA: outputs, beta: 0)
    }
  }
}

// Portable products. No piece's bits depend on what is computed with it. Each stays a function of its own: what a pass of
// few rows by other products takes is the time of its calls.
extension DenseProducts {
  @inline(never)
  private func forward(
    by chains: ProductChains, _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>, rows: Int
  ) {
    chains.multiply(
      x, w, into: y, rows: rows, columns: outputs, inner: inputs, transposeA: false, transposeB: true,
      strideA: inputs, pieces: nil, continues: false)
  }

  @inline(never)
  private func weightGradient(
    by chains: ProductChains, _ x: UnsafePointer<Float>, outputGradient dy: UnsafePointer<Float>,
    into dw: UnsafeMutablePointer<Float>, rows: Range<Int>, pieces: UnsafeBufferPointer<Int>,
    accumulate: Bool
  ) {
    chains.multiply(
      dy + pieces[0] * outputs + rows.lowerBound, x + pieces[0] * inputs,
      into: dw + rows.lowerBound * inputs, rows: rows.count, columns: inputs,
      inner: pieces[pieces.count - 1] - pieces[0], transposeA: true, transposeB: false, strideA: outputs,
      pieces: pieces, continues: accumulate)
  }

  @inline(never)
  private func inputGradient(
    by chains: ProductChains, outputGradient dy: UnsafePointer<Float>, weight w: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, rows: Int, rectified: UnsafePointer<Float>?
  ) {
    chains.multiply(
      dy, w, into: dx, rows: rows, columns: inputs, inner: outputs, transposeA: false, transposeB: false,
      strideA: outputs, pieces: nil, continues: false, kept: rectified)
  }
}
