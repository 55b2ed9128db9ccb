// A model computed in double precision, one example and one number at a time: what the fast code must agree with.
import DataFormats
import Foundation
import NeuralNet

/// An example in double precision; the target of a classification is the class number.
public struct DoubleExample: Sendable {
  public var inputs: [Double]
  public var target: Double

  public init(_ inputs: [Double], _ target: Double) {
    self.inputs = inputs
    self.target = target
  }
}

/// A `Sequential` with parameters of its own, written for reading.
public struct DoubleNetwork {
  public let model: Sequential
  /// Laid out by `model.tensors`.
  public var parameters: [Double]

  public init(_ model: Sequential, _ parameters: [Double]) {
    precondition(parameters.count == model.parameterCount)
    self.model = model
    self.parameters = parameters
  }

  /// The input, and the output of every layer.
  public func forward(_ inputs: [Double]) -> [[Double]] {
    var tensors = model.tensors.makeIterator()
    return forward(model.layers, inputs, model.inputShape, &tensors)
  }

  private func forward(
    _ layers: [any Layer], _ inputs: [Double], _ shape: Shape,
    _ tensors: inout IndexingIterator<[ParameterTensor]>
  ) -> [[Double]] {
    var values = [inputs]
    var shape = shape
    func numbers(of tensor: ParameterTensor) -> [Double] { Array(parameters[tensor.range]) }
    for layer in layers {
      let x = values.last!
      defer { shape = try! layer.output(of: shape) }
      switch layer {
      case let dense as Dense:
        let weight = tensors.next()!.offset
        let bias = tensors.next()!.offset
        values.append(
          (0..<dense.outputs!).map { o in
            x.indices.reduce(parameters[bias + o]) { $0 + parameters[weight + o * x.count + $1] * x[$1] }
          })
      case let function as Activation: values.append(x.map { value($0, of: function) })
      case let norm as LayerNorm:
        let weight = tensors.next()!.offset
        let bias = tensors.next()!.offset
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let deviation = (variance + norm.epsilon).squareRoot()
        values.append(
          x.indices.map { (x[$0] - mean) / deviation * parameters[weight + $0] + parameters[bias + $0] })
      case let norm as BatchNorm:
        // In inference: as training has left its statistics.
        let places = (0..<4).map { _ in tensors.next()! }
        let size = x.count / places[0].count
        values.append(
          x.indices.map { i in
            let (weight, bias, mean, variance) = (
              parameters[places[0].offset + i / size], parameters[places[1].offset + i / size],
              parameters[places[2].offset + i / size], parameters[places[3].offset + i / size]
            )
            return (x[i] - mean) / (variance + norm.epsilon).squareRoot() * weight + bias
          })
      case let residual as Residual:
        let y = forward(residual.layers, x, shape, &tensors).last!
        let output = try! residual.output(of: shape)
        values.append(
          zip(y, output == shape || output.count == x.count ? x : shortcut(x, from: shape, to: output))
            .map { $0 + $1 })
      case let convolution as Convolution:
        let weight = numbers(of: tensors.next()!)
        let bias = convolution.isBiased ? numbers(of: tensors.next()!) : nil
        values.append(try! convolution.reference(x, shape, weight: weight, bias: bias))
      case let pooling as Pooling: values.append(try! pooling.reference(x, shape))
      case is Flatten: values.append(x)
      default: preconditionFailure("the reference does not know \(layer)")
      }
    }
    return values
  }

  /// Every so manieth number of a picture, and zeros in the new channels.
  private func shortcut(_ x: [Double], from shape: Shape, to output: Shape) -> [Double] {
    let (picture, result) = (DoublePicture(shape, x), DoublePicture(output, []))
    let step = (picture.height + result.height - 1) / result.height
    return (0..<result.channels).flatMap { c in
      (0..<result.height).flatMap { i in
        (0..<result.width).map { c < picture.channels ? picture[c, i * step, $0 * step] : 0 }
      }
    }
  }

  /// The loss of one output, and its derivative by the output.
  public func loss(_ loss: any Loss, output: [Double], target: Double) -> (
    value: Double, gradient: [Double]
  ) {
    switch loss {
    case is SquaredLoss:
      let error = output[0] - target
      return (error * error / 2, [error])
    case let huber as HuberLoss:
      let error = output[0] - target
      return abs(error) <= huber.delta
        ? (error * error / 2, [error])
        : (huber.delta * (abs(error) - huber.delta / 2), [error > 0 ? huber.delta : -huber.delta])
    case is BinaryCrossEntropy:
      let p = 1 / (1 + exp(-output[0]))
      return (-(target * log(p) + (1 - target) * log(1 - p)), [p - target])
    case is CrossEntropy:
      let largest = output.max()!
      let exponentials = output.map { exp($0 - largest) }
      let total = exponentials.reduce(0, +)
      var gradient = exponentials.map { $0 / total }
      gradient[Int(target)] -= 1
      return (log(total) + largest - output[Int(target)], gradient)
    default: preconditionFailure("the reference does not know \(loss)")
    }
  }

  /// The mean loss over `examples`.
  public func meanLoss(_ loss: any Loss, _ examples: [DoubleExample]) -> Double {
    examples.reduce(0) { $0 + self.loss(loss, output: forward($1.inputs).last!, target: $1.target).value }
      / Double(examples.count)
  }

  /// The gradient of the mean loss, by the chain rule; of a model of dense layers and activations.
  public func gradient(_ loss: any Loss, _ examples: [DoubleExample]) -> [Double] {
    var gradient = [Double](repeating: 0, count: parameters.count)
    for example in examples {
      let values = forward(example.inputs)
      var dy = self.loss(loss, output: values.last!, target: example.target).gradient
      var tensors = model.tensors[...]
      for (index, layer) in model.layers.enumerated().reversed() {
        let x = values[index]
        switch layer {
        case let function as Activation:
          for i in x.indices { dy[i] *= derivative(x[i], of: function) }
        case let dense as Dense:
          let (inputs, outputs) = (x.count, dense.outputs!)
          let bias = tensors.removeLast().offset
          let weight = tensors.removeLast().offset
          var dx = [Double](repeating: 0, count: inputs)
          for o in 0..<outputs {
            gradient[bias + o] += dy[o] / Double(examples.count)
            for i in 0..<inputs {
              gradient[weight + o * inputs + i] += dy[o] * x[i] / Double(examples.count)
              dx[i] += dy[o] * parameters[weight + o * inputs + i]
            }
          }
          dy = dx
        default: preconditionFailure("the chain rule of \(layer) is not written out")
        }
      }
    }
    return gradient
  }

  /// The gradient of the mean loss, by central differences of `meanLoss` alone.
  public func differences(_ loss: any Loss, _ examples: [DoubleExample], step: Double = 1e-5) -> [Double] {
    var moved = self
    return parameters.indices.map { index in
      moved.parameters[index] = parameters[index] + step
      let above = moved.meanLoss(loss, examples)
      moved.parameters[index] = parameters[index] - step
      let below = moved.meanLoss(loss, examples)
      moved.parameters[index] = parameters[index]
      return (above - below) / (2 * step)
    }
  }

  private func value(_ x: Double, of function: Activation) -> Double {
    switch function {
    case .relu: max(0, x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .gelu: x * (1 + erf(x / 2.0.squareRoot())) / 2
    }
  }

  private func derivative(_ x: Double, of function: Activation) -> Double {
    let y = value(x, of: function)
    switch function {
    case .relu: return x > 0 ? 1 : 0
    case .sigmoid: return y * (1 - y)
    case .tanh: return 1 - y * y
    case .gelu:
      return (1 + erf(x / 2.0.squareRoot())) / 2 + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    }
  }
}

/// The largest difference, as a part of the largest expected number; what is not finite differs infinitely.
public func relativeDifference(_ actual: some Collection<Float>, _ expected: some Collection<Double>)
  -> Double
{
  precondition(actual.count == expected.count)
  var largest = 0.0
  var difference = 0.0
  for (a, e) in zip(actual, expected) {
    largest = max(largest, abs(e))
    let error = abs(Double(a) - e)
    difference = error <= difference ? difference : error.isNaN ? .infinity : error
  }
  return difference == 0 ? 0 : difference / largest
}
