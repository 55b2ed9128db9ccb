// Batch normalisation at work: two passes over memory forward, and two backward, whatever it averages over.
import CKernels

final class BatchNormPass: LayerPass {
  private let channels: Int
  /// Numbers of a channel in one example.
  private let size: Int
  private let isGlobal: Bool
  private let epsilon: Double
  /// The first float of its four tensors in the arena, each of `channels`: γ, β, running mean and variance.
  private let first: Int
  /// Shape (pieces of a pass at most, 2, channels): mean, and squared distances from it.
  private let moments: UnsafeMutablePointer<Double>
  /// Shape (pieces, 2, channels): the μ and 1/√(σ² + ε) of a pass.
  private let scales: UnsafeMutablePointer<Float>
  /// Shape (pieces, 4, channels): what each piece adds to the places of its tensors' gradients.
  private let shares: UnsafeMutablePointer<Float>
  /// Shape (pieces, 2, channels), and of the sum (2, channels).
  private let leaves, totals: UnsafeMutablePointer<Float>
  /// Shape (3, channels): what a kernel takes beside μ.
  private let coefficients: UnsafeMutablePointer<Float>

  init(_ layer: BatchNorm, _ place: LayerPlace) {
    channels = place.input.sizes[0]
    size = place.input.count / channels
    isGlobal = layer.span == .global
    epsilon = layer.epsilon
    first = place.offsets[0]
    let pieces = max(1, place.passes.map { $0.count - 1 }.max() ?? 1)
    moments = .allocate(capacity: pieces * 2 * channels)
    scales = .allocate(capacity: pieces * 2 * channels)
    shares = .allocate(capacity: pieces * 4 * channels)
    leaves = .allocate(capacity: pieces * 2 * channels)
    totals = .allocate(capacity: 2 * channels)
    coefficients = .allocate(capacity: 3 * channels)
  }

  deinit {
    moments.deallocate()
    for memory in [scales, shares, leaves, totals, coefficients] { memory.deallocate() }
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard case .training = pass.mode else {
      let running = pass.parameters + first + 2 * channels
      for c in 0..<channels {
        setScale(piece: 0, c, mean: running[c], variance: Double(running[channels + c]))
      }
      return normalise(x, into: y, rows: 0..<pass.rows, piece: 0, pass)
    }
    for piece in 0..<pass.pieceCount { measure(x, piece, pass) }
    if isGlobal { return normaliseGlobally(x, into: y, pass) }
    let runningVariance = pass.parameters + first + 3 * channels
    for piece in 0..<pass.pieceCount {
      let rows = pass.rows(ofPiece: piece)
      let (mean, squares) = momentsOfPiece(piece)
      let share = shares + piece * 4 * channels + 2 * channels
      let part = Double(rows.count) / Double(pass.batchRows)
      let count = Double(rows.count * size)
      for c in 0..<channels {
        setScale(piece: piece, c, mean: Float(mean[c]), variance: squares[c] / count)
        share[c] = Float(part * mean[c])
        // One number has no variance: the running one stays what it is.
        let variance = count > 1 ? squares[c] / (count - 1) : Double(runningVariance[c])
        share[channels + c] = Float(part * variance)
      }
      normalise(x, into: y, rows: rows, piece: piece, pass)
    }
  }

  /// Mean and variance of the global batch from those of the pieces: the mean first, then the squared distances from it,
  /// which a piece's own tell without another look at its rows.
  private func normaliseGlobally(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    let count = Double(pass.batchRows * size)
    for piece in 0..<pass.pieceCount {
      let mean = momentsOfPiece(piece).mean
      let share = shares + piece * 4 * channels + 2 * channels
      let part = Double(pass.rows(ofPiece: piece).count) / Double(pass.batchRows)
      for c in 0..<channels {
        share[c] = Float(part * mean[c])
        leaves[piece * channels + c] = share[c]
      }
    }
    sum(channels, pass)
    let runningVariance = pass.parameters + first + 3 * channels
    for c in 0..<channels { scales[c] = totals[c] }
    for piece in 0..<pass.pieceCount {
      let (mean, squares) = momentsOfPiece(piece)
      let share = shares + piece * 4 * channels + 3 * channels
      let ownCount = Double(pass.rows(ofPiece: piece).count * size)
      for c in 0..<channels {
        let distance = mean[c] - Double(scales[c])
        let all = squares[c] + ownCount * (distance * distance)
        leaves[piece * channels + c] = Float(all / count)
        share[c] = count > 1 ? Float(all / (count - 1)) : runningVariance[c]
      }
    }
    sum(channels, pass)
    for c in 0..<channels { setScale(piece: 0, c, mean: scales[c], variance: Double(totals[c])) }
    normalise(x, into: y, rows: 0..<pass.rows, piece: 0, pass)
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    let isTraining = pass.mode != .inference
    for piece in 0..<pass.pieceCount {
      let rows = pass.rows(ofPiece: piece)
      let (sums, products) = momentsOfPiece(piece)
      let start = rows.lowerBound * channels * size
      let scale = scaleOfPiece(piece, isTraining)
      if let dy = dy.baseAddress, let x = x.baseAddress {
        ckernels_channel_gradients(
          sums, products, dy + start, x + start, scale.mean, rows.count, channels, size)
      }
      let share = shares + piece * 4 * channels
      for c in 0..<channels {
        products[c] *= Double(scale.inverse[c])
        share[c] = Float(products[c])
        share[channels + c] = Float(sums[c])
        if !isTraining { (share[2 * channels + c], share[3 * channels + c]) = (0, 0) }
      }
    }
    if let dx { inputGradients(dy, x, into: dx, pass, isTraining: isTraining) }
    var piece = 0
    let length = 4 * channels
    gradient.add(first..<first + length) { _, target in
      ckernels_add(target.baseAddress, shares + piece * length, length)
      piece += 1
    }
  }

  /// dx = γ/√(σ² + ε) · (dy − (Σdy + x̂·Σdy·x̂)/m), the sums over the m numbers that μ and σ² were taken over.
  private func inputGradients(
    _ dy: UnsafeBufferPointer<Float>, _ x: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass, isTraining: Bool
  ) {
    let weight = pass.parameters + first
    if isGlobal && isTraining {
      for piece in 0..<pass.pieceCount {
        (leaves + piece * 2 * channels).update(from: shares + piece * 4 * channels, count: 2 * channels)
      }
      sum(2 * channels, pass)
    }
    for piece in 0..<pass.pieceCount {
      let rows = pass.rows(ofPiece: piece)
      let start = rows.lowerBound * channels * size
      let scale = scaleOfPiece(piece, isTraining)
      let (sums, products) = momentsOfPiece(piece)
      let count = Double((isGlobal ? pass.batchRows : rows.count) * size)
      for c in 0..<channels {
        let factor = weight[c] * scale.inverse[c]
        coefficients[c] = factor
        guard isTraining else {
          (coefficients[channels + c], coefficients[2 * channels + c]) = (0, 0)
          continue
        }
        let product = isGlobal ? Double(totals[c]) : products[c]
        let sum = isGlobal ? Double(totals[channels + c]) : sums[c]
        coefficients[channels + c] = Float(Double(factor) * Double(scale.inverse[c]) * product / count)
        coefficients[2 * channels + c] = Float(Double(factor) * sum / count)
      }
      guard let dy = dy.baseAddress, let x = x.baseAddress, let dx = dx.baseAddress else { continue }
      ckernels_channel_input_gradients(
        dx + start, dy + start, x + start, scale.mean, coefficients, coefficients + channels,
        coefficients + 2 * channels, rows.count, channels, size)
    }
  }

  // MARK: Parts

  private func measure(_ x: UnsafeBufferPointer<Float>, _ piece: Int, _ pass: borrowing Pass) {
    guard let x = x.baseAddress else { return }
    let rows = pass.rows(ofPiece: piece)
    let (mean, squares) = momentsOfPiece(piece)
    ckernels_channel_moments(
      mean, squares, x + rows.lowerBound * channels * size, rows.count, channels, size)
  }

  private func setScale(piece: Int, _ c: Int, mean: Float, variance: Double) {
    let scale = scales + piece * 2 * channels
    scale[c] = mean
    scale[channels + c] = Float(1 / (variance + epsilon).squareRoot())
  }

  private func normalise(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, rows: Range<Int>, piece: Int,
    _ pass: borrowing Pass
  ) {
    guard let x = x.baseAddress, let y = y.baseAddress else { return }
    let (weight, bias) = (pass.parameters + first, pass.parameters + first + channels)
    let scale = scales + piece * 2 * channels
    for c in 0..<channels { coefficients[c] = weight[c] * scale[channels + c] }
    let start = rows.lowerBound * channels * size
    ckernels_normalise_channels(
      y + start, x + start, scale, coefficients, bias, rows.count, channels, size)
  }

  private func momentsOfPiece(_ piece: Int) -> (
    mean: UnsafeMutablePointer<Double>, squares: UnsafeMutablePointer<Double>
  ) {
    let start = moments + piece * 2 * channels
    return (start, start + channels)
  }

  /// Those that a piece was normalised with: all have one where it is that of the batch.
  private func scaleOfPiece(_ piece: Int, _ isTraining: Bool) -> (
    mean: UnsafeMutablePointer<Float>, inverse: UnsafeMutablePointer<Float>
  ) {
    let start = scales + (isGlobal || !isTraining ? 0 : piece * 2 * channels)
    return (start, start + channels)
  }

  /// `totals`, of `count` floats of each piece's leaf.
  private func sum(_ count: Int, _ pass: borrowing Pass) {
    pass.sumOverGlobalBatch(
      UnsafeMutableBufferPointer(start: leaves, count: pass.pieceCount * count),
      into: UnsafeMutableBufferPointer(start: totals, count: count))
  }
}
