// A layer that looks beyond its shard, written as another package would write one.
import NeuralNet

/// y = weight · (x − x̄), x̄ the mean of each number over the global batch; in inference y = weight · x.
public struct Center: Layer, PlainlyNamed, Equatable {
  public static let names = ["center"]

  public init() {}
  public var needsGlobalBatch: Bool { true }
  public func output(of input: Shape) -> Shape { input }

  public func tensors(of input: Shape) -> [TensorRequest] {
    [TensorRequest("weight", shape: [input.count], role: .scale)]
  }

  public func prepared(_ place: LayerPlace) -> any LayerPass { CenterPass(place) }
}

private final class CenterPass: LayerPass {
  private let width: Int
  private let offset: Int
  /// Shape (maximumRows, width): x − x̄.
  private let centered: UnsafeMutablePointer<Float>
  /// Shape (pieces of a pass at most, width + 1): each piece's sums, and how many rows it has.
  private let leaves: UnsafeMutablePointer<Float>
  /// Shape (width + 1): those of the global batch.
  private let total: UnsafeMutableBufferPointer<Float>

  init(_ place: LayerPlace) {
    width = place.input.count
    offset = place.offsets[0]
    centered = .allocate(capacity: max(1, place.maximumRows * width))
    leaves = .allocate(capacity: (place.passes.map { $0.count - 1 }.max() ?? 1) * (width + 1))
    total = .allocate(capacity: width + 1)
  }

  deinit {
    centered.deallocate()
    leaves.deallocate()
    total.deallocate()
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    let weight = pass.parameters + offset
    if case .inference = pass.mode {
      for i in x.indices { y[i] = weight[i % width] * x[i] }
      return
    }
    sumUp(x, pass)
    for i in x.indices {
      centered[i] = x[i] - total[i % width] / total[width]
      y[i] = weight[i % width] * centered[i]
    }
  }

  /// ∂loss/∂x of one example is what reaches it, less the mean of what reaches all.
  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    let (width, centered) = (width, centered)
    gradient.add(offset..<offset + width) { rows, target in
      for row in rows {
        for j in 0..<width { target[j] += dy[row * width + j] * centered[row * width + j] }
      }
    }
    guard let dx else { return }
    let weight = pass.parameters + offset
    for i in dy.indices { dx[i] = weight[i % width] * dy[i] }
    sumUp(UnsafeBufferPointer(dx), pass)
    for i in dx.indices { dx[i] -= total[i % width] / total[width] }
  }

  /// The sums of `values`, shape (rows, width), over the global batch, and its size.
  private func sumUp(_ values: UnsafeBufferPointer<Float>, _ pass: borrowing Pass) {
    let stride = width + 1
    for piece in 0..<pass.pieceCount {
      let leaf = leaves + piece * stride
      leaf.update(repeating: 0, count: stride)
      for row in pass.rows(ofPiece: piece) {
        for j in 0..<width { leaf[j] += values[row * width + j] }
        leaf[width] += 1
      }
    }
    pass.sumOverGlobalBatch(
      UnsafeMutableBufferPointer(start: leaves, count: pass.pieceCount * stride), into: total)
  }
}
