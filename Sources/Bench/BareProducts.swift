// The matrix products of a training step and nothing else: what all the rest of a step is measured against.
import NeuralNet
import RandomNumbers

/// The sgemm calls of a model's dense layers (those of a chain, not within a residual), on buffers of their own that stay in cache where they fit.
package final class BareProducts {
  private let layers: [DenseProducts]
  /// Of each layer, shape (outputs, inputs).
  private let weights, weightGradients: [UnsafeMutablePointer<Float>]
  /// The input of each layer and the last one's output, and the gradients there: (maximumRows, width).
  private let values, gradients: [UnsafeMutablePointer<Float>]
  private let maximumRows: Int

  package init(_ model: Sequential, maximumRows: Int) {
    let layers = model.denseProducts(BLASProducts.self)
    let random = Philox(seed: 0, purpose: .syntheticData)
    /// Uniform on ±1/√inputs: products of such numbers neither grow nor vanish.
    func allocate(_ count: Int, inputs: Int) -> UnsafeMutablePointer<Float> {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * max(count, 1), alignment: 64)
      let floats = memory.bindMemory(to: Float.self, capacity: count)
      let scale = 2 / Float(inputs).squareRoot()
      for i in 0..<count {
        (floats + i).initialize(to: scale * (Float(random.bits(UInt64(i)) & 0xFF_FFFF) * 0x1p-24 - 0.5))
      }
      return floats
    }
    let widths = [layers.first?.inputs ?? 1] + layers.map(\.outputs)
    self.layers = layers
    self.maximumRows = maximumRows
    weights = layers.map { allocate($0.outputs * $0.inputs, inputs: $0.inputs) }
    weightGradients = layers.map { allocate($0.outputs * $0.inputs, inputs: $0.inputs) }
    values = widths.map { allocate(maximumRows * $0, inputs: 1) }
    gradients = widths.map { allocate(maximumRows * $0, inputs: 1) }
  }

  deinit { for buffer in weights + weightGradients + values + gradients { buffer.deallocate() } }

  /// Forward, weight gradient and input gradient of every layer, but for the input gradient of the first.
  /// - Parameter accumulate: the weight gradients are added to what is there, as from the second micro-batch on.
  package func run(rows: Int, accumulate: Bool = false) {
    precondition(rows <= maximumRows)
    for (index, layer) in layers.enumerated() {
      BLASProducts.multiply(
        values[index], weights[index], into: values[index + 1], rows: rows, columns: layer.outputs,
        inner: layer.inputs, transposeA: false, transposeB: true, strideA: layer.inputs, beta: 0)
    }
    for (index, layer) in layers.enumerated().reversed() {
      BLASProducts.multiply(
        gradients[index + 1], values[index], into: weightGradients[index], rows: layer.outputs,
        columns: layer.inputs, inner: rows, transposeA: true, transposeB: false, strideA: layer.outputs,
        beta: accumulate ? 1 : 0)
      if index == 0 { return }
      BLASProducts.multiply(
        gradients[index + 1], weights[index], into: gradients[index], rows: rows, columns: layer.inputs,
        inner: layer.outputs, transposeA: false, transposeB: false, strideA: layer.outputs, beta: 0)
    }
  }
}
