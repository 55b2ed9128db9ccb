// Update rules against their formulas in double precision, and that no cut of the arena shows.
import NeuralNet
import RandomNumbers
import Testing

/// An optimizer on an arena of its own, updated in parts.
private final class Arena {
  let optimizer: any Optimizer
  let parameters: UnsafeMutableBufferPointer<Float>
  /// Shape (states, parameters)
  let states: [UnsafeMutableBufferPointer<Float>]

  init(_ optimizer: any Optimizer, _ values: [Float]) {
    func copy(_ values: [Float]) -> UnsafeMutableBufferPointer<Float> {
      let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
      _ = memory.initialize(from: values)
      return memory
    }
    self.optimizer = optimizer
    parameters = copy(values)
    states = optimizer.states.map { _ in copy(values.map { _ in 0 }) }
  }

  deinit { for memory in states + [parameters] { memory.deallocate() } }

  /// All bits, of the states too.
  var bits: [[UInt32]] { (states + [parameters]).map { $0.map(\.bitPattern) } }

  /// - Parameter cuts: where parts begin, but for the first.
  func update(_ gradient: [Float], step: Int, rate: Float, cuts: [Int] = []) {
    let bounds = [0] + cuts + [parameters.count]
    let starts = UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>>.allocate(capacity: states.count + 1)
    defer { starts.deallocate() }
    _ = starts.initialize(from: states.map { $0.baseAddress! } + [parameters.baseAddress!])
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      gradient.withUnsafeBufferPointer { gradient in
        optimizer.update(
          ArenaPart(
            offset: start, parameters: UnsafeMutableBufferPointer(rebasing: parameters[start..<end]),
            gradient: UnsafeBufferPointer(rebasing: gradient[start..<end]),
            states: UnsafePointer(starts.baseAddress!)), step: step,
          learningRate: rate)
      }
    }
  }
}

private let numbers = Philox(seed: 21, purpose: .syntheticData)

private func random(_ count: Int, _ series: Int) -> [Float] {
  (0..<count).map { Float(numbers.normal(UInt64(series << 20 + $0))) }
}

@Suite struct OptimizerTests {
  static let words = [
    "sgd", "sgd:weight-decay=0.1", "sgd:momentum=0.9", "sgd:momentum=0.9,nesterov",
    "sgd:momentum=0.5,nesterov,weight-decay=0.01", "adam", "adam:beta1=0.8,beta2=0.9,epsilon=0.001",
    "adam:weight-decay=0.1", "adamw", "adamw:weight-decay=0.3,beta1=0",
  ]

  /// Those of updates.json (UpdateGoldenTests).
  static let others = [
    "adagrad", "adagrad:epsilon=0.001,rate-decay=0.1,weight-decay=0.01", "rmsprop",
    "rmsprop:centered,momentum=0.9,alpha=0.5", "rmsprop:centered", "rmsprop:momentum=0.5,weight-decay=0.1",
    "adadelta", "adadelta:rho=0.5,epsilon=0.01,weight-decay=0.1", "lars", "lars:trust=0.1,weight-decay=0.1",
    "lamb",
    "lamb:beta1=0.5,weight-decay=0",
  ]

  /// Thirty steps of the formulas.
  @Test(arguments: words) func formulas(_ text: String) throws {
    let count = 100
    let rate = 0.05
    let word = try Word(parsing: text)
    let settings = Dictionary(
      uniqueKeysWithValues: word.arguments.map { ($0.key ?? $0.value, Double($0.value) ?? 1) })
    var w = random(count, 0).map(Double.init)
    var (m, v) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    let test = Arena(try Catalog.optimizer(text), w.map(Float.init))
    for step in 1...30 {
      let gradient = random(count, step)
      test.update(gradient, step: step, rate: Float(rate))
      for i in 0..<count {
        var g = Double(gradient[i])
        let decay = settings["weight-decay"] ?? (word.name == "adamw" ? 0.01 : 0)
        if word.name == "adamw" { w[i] -= rate * decay * w[i] } else { g += decay * w[i] }
        if word.name == "sgd" {
          let momentum = settings["momentum"] ?? 0
          m[i] = momentum * m[i] + g
          w[i] -= rate * (settings["nesterov"] == nil ? m[i] : g + momentum * m[i])
        } else {
          let (b1, b2) = (settings["beta1"] ?? 0.9, settings["beta2"] ?? 0.999)
          m[i] = b1 * m[i] + (1 - b1) * g
          v[i] = b2 * v[i] + (1 - b2) * g * g
          var (p1, p2) = (1.0, 1.0)
          for _ in 0..<step { (p1, p2) = (p1 * b1, p2 * b2) }
          w[i] -= rate * m[i] / (1 - p1) / ((v[i] / (1 - p2)).squareRoot() + (settings["epsilon"] ?? 1e-8))
        }
      }
    }
    for (actual, expected) in zip(test.parameters, w) { #expect(abs(Double(actual) - expected) < 1e-5) }
  }

  /// Every part finds its own state: one part or five, the bits are the same.
  @Test(arguments: words + others) func cutsDoNotShow(_ text: String) throws {
    let count = 5_003
    let whole = Arena(try Catalog.optimizer(text), random(count, 0))
    let parts = Arena(whole.optimizer, random(count, 0))
    for step in 1...5 {
      whole.update(random(count, step), step: step, rate: 0.1)
      parts.update(random(count, step), step: step, rate: 0.1, cuts: [16, 2_048, 2_064, 4_999])
    }
    #expect(whole.bits == parts.bits)
  }

  @Test(arguments: words + others) func descriptionsReadBack(_ text: String) throws {
    let optimizer = try Catalog.optimizer(text)
    #expect(try Catalog.optimizer(optimizer.description).description == optimizer.description)
  }

  @Test(arguments: [
    ("sgd:momentum=1", "below 1"), ("sgd:nesterov", "needs a momentum"),
    ("sgd:momentum=0.9,momentum=0.9", "twice"),
    ("adam:beta3=0.9", "beta3"), ("adam:epsilon=0", "above 0"), ("adam:0.9", "0.9"), ("adma", "no optimizer"),
    ("sgd sgd", "one word"), ("", "missing"), ("rmsprop:alpha=1", "below 1"), ("lars:trust=0", "above 0"),
    ("adagrad:momentum=0.9", "momentum"), ("lamb:centered", "centered"), ("adadelta:rho=-1", "from 0"),
  ]) func whatIsNoOptimizer(_ text: String, _ reason: String) {
    #expect {
      _ = try Catalog.optimizer(text)
    } throws: { "\($0)".contains(reason) }
  }
}
