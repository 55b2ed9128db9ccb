// Layer normalisation (Ba, Kiros & Hinton 2016): each example by itself.
import CKernels

/// y = w·(x − μ)/√(σ² + ε) + b over all numbers of an example, w and b of the example's shape; as PyTorch's
/// `nn.LayerNorm(shape)`. No example looks at another, so training and inference are alike.
public struct LayerNorm: Layer, Equatable {
  public static let names = ["layernorm"]
  public static let form = "layernorm:epsilon=1e-5"

  /// ε
  public let epsilon: Double

  private static let defaultEpsilon = 1e-5

  /// - Precondition: `epsilon` is above 0.
  public init(epsilon: Double = 1e-5) {
    precondition(epsilon > 0, "a layer norm's ε is above 0")
    self.epsilon = epsilon
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    epsilon = try reader.number("epsilon", .positive) ?? Self.defaultEpsilon
    try reader.end()
  }

  public var description: String {
    epsilon == Self.defaultEpsilon ? "layernorm" : "layernorm:epsilon=\(epsilon)"
  }

  public func output(of input: Shape) -> Shape { input }

  public func tensors(of input: Shape) -> [TensorRequest] {
    [
      TensorRequest("weight", shape: input.sizes, role: .scale),
      TensorRequest("bias", shape: input.sizes, role: .shift),
    ]
  }

  public func prepared(_ place: LayerPlace) -> any LayerPass { LayerNormPass(self, place) }
}

private final class LayerNormPass: LayerPass {
  private let epsilon: Double
  /// Numbers of an example.
  private let width: Int
  /// The first floats of w and b in the arena, which follow each other.
  private let weight, bias: Int
  private let maximumRows: Int
  /// Shape (2, maximumRows): mean, and squared distances from it.
  private let moments: UnsafeMutablePointer<Double>
  /// Shape (2, maximumRows): μ and 1/√(σ² + ε).
  private let scales: UnsafeMutablePointer<Float>

  init(_ layer: LayerNorm, _ place: LayerPlace) {
    epsilon = layer.epsilon
    width = place.input.count
    (weight, bias) = (place.offsets[0], place.offsets[1])
    maximumRows = max(1, place.maximumRows)
    moments = .allocate(capacity: 2 * maximumRows)
    scales = .allocate(capacity: 2 * maximumRows)
  }

  deinit {
    moments.deallocate()
    scales.deallocate()
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard let x = x.baseAddress, let y = y.baseAddress else { return }
    let rows = pass.rows
    let squares = moments + maximumRows
    ckernels_channel_moments(moments, squares, x, 1, rows, width)
    for row in 0..<rows {
      scales[row] = Float(moments[row])
      scales[maximumRows + row] = Float(1 / (squares[row] / Double(width) + epsilon).squareRoot())
    }
    ckernels_normalise_rows(
      y, x, scales, scales + maximumRows, pass.parameters + weight, pass.parameters + bias, rows, width)
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    guard let x = x.baseAddress, let dy = dy.baseAddress else { return }
    let (width, mean, inverse) = (width, scales, scales + maximumRows)
    gradient.add(weight..<weight + 2 * width) { rows, target in
      guard let sums = target.baseAddress else { return }
      let (row, start) = (rows.lowerBound, rows.lowerBound * width)
      ckernels_add_row_gradients(
        sums, sums + width, dy + start, x + start, mean + row, inverse + row, rows.count, width)
    }
    guard let dx = dx?.baseAddress else { return }
    ckernels_row_input_gradients(dx, dy, x, mean, inverse, pass.parameters + weight, pass.rows, width)
  }
}
