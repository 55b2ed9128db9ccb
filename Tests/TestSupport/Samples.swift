// Small data sets that are the same in every test, in single and in double precision.
import DataFormats
import NeuralNet
import RandomNumbers

/// Examples that tests make up, as the program holds them and as the reference does.
public struct Sample: Sendable {
  public let examples: Examples
  public let reference: [DoubleExample]

  public var count: Int { examples.count }
  public var featureCount: Int { examples.featureCount }
  /// Shape (count, featureCount)
  public var features: [Float] {
    if case .float32(let values) = examples.features { values } else { [] }
  }

  /// - Parameter features: shape (count, featureCount).
  public init(features: [Float], targets: Examples.Targets) {
    let values: [Double]
    switch targets {
    case .values(let y): values = y.map(Double.init)
    case .labels(let labels, _): values = labels.map(Double.init)
    }
    let width = features.count / values.count
    precondition(features.count == width * values.count)
    examples = Examples(
      count: values.count, featureCount: width, features: .float32(features), targets: targets)
    reference = values.enumerated().map { row, target in
      DoubleExample(features[row * width..<(row + 1) * width].map(Double.init), target)
    }
  }

  /// Standard normal features; targets that are standard normal, or classes drawn uniformly.
  public static func random(count: Int, features: Int, classes: Int? = nil, seed: UInt64 = 1) -> Sample {
    let inputs = Philox(seed: seed, purpose: .syntheticData, epoch: 0)
    let targets = Philox(seed: seed, purpose: .syntheticData, epoch: 1)
    let x = (0..<count * features).map { Float(inputs.normal(UInt64($0))) }
    if let classes {
      let labels = (0..<count).map { Int32(targets.integer(UInt64($0), below: classes)) }
      return Sample(features: x, targets: .labels(labels, classCount: classes))
    }
    return Sample(features: x, targets: .values((0..<count).map { Float(targets.normal(UInt64($0))) }))
  }
}

/// Numbers `from`, `from` + 1 … of a series that is uniform on [−½, ½).
public func uniformNumbers(_ count: Int, from: Int, seed: UInt64) -> [Float] {
  let numbers = Philox(seed: seed, purpose: .syntheticData)
  return (0..<count).map { Float(numbers.uniform(UInt64(from + $0)) - 0.5) }
}

/// The row at which each piece of a pass starts, and the end of the last.
public func bounds(ofPieces sizes: [Int]) -> [Int] { sizes.reduce(into: [0]) { $0.append($0.last! + $1) } }

/// Parameters of a model that leave no unit of it idle: PyTorch's default range.
public func randomParameters(of model: Sequential, seed: UInt64 = 3) -> [Float] {
  var parameters = [Float](repeating: 0, count: model.parameterCount)
  parameters.withUnsafeMutableBufferPointer {
    Initialization.uniform.fill($0.baseAddress!, of: model, seed: seed)
  }
  return parameters
}

/// The same, with factors, shifts and statistics that are none of those that a model begins with.
public func variedParameters(of model: Sequential, seed: UInt64 = 3) -> [Float] {
  var parameters = randomParameters(of: model, seed: seed)
  let numbers = uniformNumbers(parameters.count, from: 0, seed: seed + 100)
  for tensor in model.tensors {
    switch tensor.role {
    case .weight, .bias: continue
    case .scale: for i in tensor.range { parameters[i] = 1 + numbers[i] }
    case .shift: for i in tensor.range { parameters[i] = numbers[i] }
    case .statistic(_, let initial): for i in tensor.range { parameters[i] = initial + numbers[i] }
    }
  }
  return parameters
}

/// Products on one thread, as the program has them by default.
public let singleThreadedBLAS: Void = BLAS.setThreads(1)
