// The norms of the two sums whose addition is the gradient: what the noise of gradients is told from.

extension GradientReduction {
  /// The squared norms of the sums over the left and the right half of the tree that the gradient of the last batch is
  /// made of; nil where they were not measured, or the batch had shards in one of them alone.
  package var squaredHalves: (left: Double, right: Double)? {
    areHalvesMeasured ? (norms.squaredNorm(.leftHalf), norms.squaredNorm(.rightHalf)) : nil
  }

  /// Measures the halves where one rank has added up both.
  func measureHalves(_ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>) {
    measureHalves(left, right, offset: 0, count: layout.parameterCount, piece: firstPart.firstPiece)
    hasMeasuredHalves = true
  }

  /// - Parameters:
  ///   - left, right: shape (count), from `offset` of the arena on.
  ///   - piece: the first piece there.
  func measureHalves(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, offset: Int, count: Int, piece: Int
  ) {
    var (ofLeft, ofRight) = (piece, piece)
    norms.measure(.leftHalf, left, offset: offset, count: count, from: &ofLeft)
    norms.measure(.rightHalf, right, offset: offset, count: count, from: &ofRight)
  }

  /// Of a part whose halves this rank has not measured where it added them up.
  func measureHalves(
    _ program: FoldProgram, _ sources: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int, count: Int,
    piece: Int
  ) {
    guard program.addsHalves, count > 0 else { return }
    let (left, right) = program.halves(sources, offset: offset, count: count)
    measureHalves(left, right, offset: offset, count: count, piece: piece)
  }
}
