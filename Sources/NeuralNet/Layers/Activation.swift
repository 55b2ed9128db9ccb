// Functions of every element: layers of their own, or fused into the dense layer before them, where bias and
// function take one pass over its output, and their gradients one pass backwards.
import CKernels
import Glibc

/// A function applied to every element.
public enum Activation: String, Layer, CaseIterable {
  /// max(0, x), 1/(1 + e⁻ˣ), tanh x.
  case relu, sigmoid, tanh
  /// x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016).
  case gelu

  public static var names: [String] { allCases.map(\.rawValue) }
  public static let form = "relu, sigmoid, tanh, gelu"

  public init(_ word: Word) throws(WordError) {
    guard let activation = Activation(rawValue: word.name) else {
      throw WordError(unknown: word, kind: "activation", known: Self.names)
    }
    self = activation
    try WordReader(word).end()
  }

  public var description: String { rawValue }
  public func output(of input: Shape) -> Shape { input }
  public func prepared(_ place: LayerPlace) -> any LayerPass {
    ActivationPass(self, place.arithmetic.instructions)
  }

  /// Whether the derivative is a function of the output, so that the input need not be kept.
  var isFusible: Bool { self != .gelu }
}

private final class ActivationPass: LayerPass {
  private let activation: Activation
  /// nil: the mathematics library.
  private let instructions: Instructions?

  init(_ activation: Activation, _ instructions: Instructions?) {
    self.activation = activation
    self.instructions = instructions
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    if let kernels = instructions?.kernels, let function = activation.function(kernels.pointee) {
      return function(y.baseAddress, x.baseAddress, x.count)
    }
    switch activation {
    case .relu: for i in x.indices { y[i] = x[i] < 0 ? 0 : x[i] }
    case .sigmoid: for i in x.indices { y[i] = 1 / (1 + expf(-x[i])) }
    case .tanh: for i in x.indices { y[i] = tanhf(x[i]) }
    case .gelu: for i in x.indices { y[i] = x[i] * normalDistribution(x[i]) }
    }
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    guard let dx, let target = dx.baseAddress, let output = y.baseAddress else { return }
    if activation.isFusible {
      _ = dx.update(fromContentsOf: dy)
      return Activation.multiplyByDerivative(of: activation, target, output: output, count: dy.count)
    }
    if let instructions {
      return instructions.kernels.pointee.gelu_gradient(target, dy.baseAddress, x.baseAddress, dy.count)
    }
    for i in dy.indices {
      let density = expf(-0.5 * x[i] * x[i]) * 0.398_942_3
      dx[i] = dy[i] * (normalDistribution(x[i]) + x[i] * density)
    }
  }

  /// Φ(x) = (1 + erf(x / √2)) / 2
  @inline(__always)
  private func normalDistribution(_ x: Float) -> Float { 0.5 * (1 + erff(x * 0.707_106_77)) }
}

extension Activation {
  /// The portable arithmetic's; nil for relu, which needs none.
  fileprivate func function(_ kernels: ckernels_instructions) -> ckernels_function? {
    switch self {
    case .relu: nil
    case .sigmoid: kernels.logistic
    case .tanh: kernels.hyperbolic_tangent
    case .gelu: kernels.gelu
    }
  }

  /// y[i, j] = f(y[i, j] + bias[j]), y of shape (rows, columns); f must be fusible, nil is the identity.
  /// - Parameter instructions: nil: the mathematics library.
  static func addBiasAndApply(
    _ activation: Activation?, to y: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int,
    columns: Int, instructions: Instructions?
  ) {
    switch activation {
    case nil: ckernels_add_bias(y, bias, rows, columns)
    case .relu: ckernels_add_bias_relu(y, bias, rows, columns)
    case .sigmoid, .tanh:
      if let instructions {
        let kernels = instructions.kernels.pointee
        let function = activation == .tanh ? kernels.add_bias_hyperbolic_tangent : kernels.add_bias_logistic
        function?(y, bias, rows, columns)
      } else if activation == .tanh {
        addBias(to: y, bias, rows, columns) { tanhf($0) }
      } else {
        addBias(to: y, bias, rows, columns) { 1 / (1 + expf(-$0)) }
      }
    case .gelu: preconditionFailure("gelu is not fused: its derivative needs its input")
    }
  }

  @inline(__always)
  private static func addBias(
    to y: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
    apply: (Float) -> Float
  ) {
    for row in 0..<rows {
      let y = y + row * columns
      for j in 0..<columns { y[j] = apply(y[j] + bias[j]) }
    }
  }

  /// dy[i, j] *= f′, from the layer's output y; both of shape (rows, columns). f must be fusible.
  static func multiplyByDerivative(
    of activation: Activation, _ dy: UnsafeMutablePointer<Float>, output y: UnsafePointer<Float>, count: Int
  ) {
    switch activation {
    case .relu: ckernels_relu_gradient(dy, y, count)
    case .sigmoid: for i in 0..<count { dy[i] *= y[i] * (1 - y[i]) }
    case .tanh: for i in 0..<count { dy[i] *= 1 - y[i] * y[i] }
    case .gelu: preconditionFailure("gelu is not fused: its derivative needs its input")
    }
  }
}
