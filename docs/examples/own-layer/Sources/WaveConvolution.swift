// A layer of one's own: a convolution along one dimension, with a learned scale.
import NeuralNet

/// y[i] = s · Σₖ w[k] · x[i + k], over the positions where the kernel fits: n inputs become n − kernel + 1.
struct WaveConvolution: Layer {
  static let names = ["wave"]
  static let form = "wave:3"
  let kernel: Int

  init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    guard let kernel = try reader.nextCount("the kernel's size", in: 1...1_000) else {
      throw WordError(word.text, "the kernel's size is missing, as in \(Self.form)")
    }
    self.kernel = kernel
    try reader.end()
  }

  var description: String { "wave:\(kernel)" }

  func output(of input: Shape) throws(ShapeError) -> Shape {
    guard input.count >= kernel else {
      throw ShapeError("'\(self)': a kernel of \(kernel) does not fit into \(input.count) numbers")
    }
    return Shape(input.count - kernel + 1)
  }

  func tensors(of input: Shape) -> [TensorRequest] {
    [
      TensorRequest("weight", shape: [kernel], role: .weight(fanIn: kernel)),
      TensorRequest("scale", shape: [1], role: .scale),
    ]
  }

  func prepared(_ place: LayerPlace) -> any LayerPass { WavePass(kernel, place) }
}

/// The layer at work. x has the shape (rows, inputs), y (rows, outputs).
private final class WavePass: LayerPass {
  let kernel, inputs, outputs, weight, scale: Int

  init(_ kernel: Int, _ place: LayerPlace) {
    self.kernel = kernel
    inputs = place.input.count
    outputs = inputs - kernel + 1
    (weight, scale) = (place.offsets[0], place.offsets[1])
  }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    let (w, s) = (pass.parameters + weight, pass.parameters[scale])
    for row in 0..<pass.rows {
      for i in 0..<outputs { y[row * outputs + i] = s * convolved(x, row * inputs + i, w) }
    }
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    let (w, s) = (pass.parameters + weight, pass.parameters[scale])
    gradient.add(weight..<weight + kernel) { rows, dw in
      for row in rows {
        for i in 0..<outputs {
          for k in 0..<kernel { dw[k] += s * dy[row * outputs + i] * x[row * inputs + i + k] }
        }
      }
    }
    gradient.add(scale..<scale + 1) { rows, ds in
      for row in rows {
        for i in 0..<outputs { ds[0] += dy[row * outputs + i] * convolved(x, row * inputs + i, w) }
      }
    }
    guard let dx else { return }
    dx.update(repeating: 0)
    for row in 0..<pass.rows {
      for i in 0..<outputs {
        for k in 0..<kernel { dx[row * inputs + i + k] += s * w[k] * dy[row * outputs + i] }
      }
    }
  }

  /// Σₖ w[k] · x[start + k]
  private func convolved(_ x: UnsafeBufferPointer<Float>, _ start: Int, _ w: UnsafePointer<Float>) -> Float {
    var sum: Float = 0
    for k in 0..<kernel { sum += w[k] * x[start + k] }
    return sum
  }
}
