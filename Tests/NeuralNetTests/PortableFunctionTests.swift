// The functions of the portable arithmetic: close to the exact ones, the same bits from every set of instructions.
// `Tests/Arithmetic/check` tries all 2³² numbers.
import CKernels
import Foundation
import NeuralNet
import TestSupport
import Testing

private struct FunctionCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let kernel: @Sendable (ckernels_instructions) -> ckernels_function
  let exact: @Sendable (Double) -> Double

  static let all = [
    FunctionCase(testDescription: "exp", kernel: \.exponential, exact: { exp($0) }),
    FunctionCase(testDescription: "log", kernel: \.logarithm, exact: { log($0) }),
    FunctionCase(testDescription: "log1p", kernel: \.logarithm_of_one_plus, exact: { log1p($0) }),
    FunctionCase(testDescription: "tanh", kernel: \.hyperbolic_tangent, exact: { tanh($0) }),
    FunctionCase(testDescription: "sigmoid", kernel: \.logistic, exact: { 1 / (1 + exp(-$0)) }),
    FunctionCase(testDescription: "erf", kernel: \.error_function, exact: { erf($0) }),
  ]

  func callAsFunction(_ x: [Float], _ set: Instructions) -> [Float] {
    var y = x
    let kernel = kernel(ckernels_instructions_named(set.description).pointee)
    x.withUnsafeBufferPointer { kernel(&y, $0.baseAddress, x.count) }
    return y
  }
}

/// What a step from one binary32 number to the next is at a result.
private func ulp(_ x: Double) -> Double {
  max(0x1p-149, x == 0 ? 0 : scalbn(1, Int(x.exponent) - 23))
}

@Suite struct PortableFunctionTests {
  @Test(arguments: FunctionCase.all) private func withinOneUlp(_ function: FunctionCase) {
    // Some 4 million numbers of all sizes and both signs, subnormal ones too.
    for start in stride(from: 0, to: 1 << 32, by: 1 << 26) {
      let x = stride(from: start, to: start + 1 << 26, by: 1009).map { Float(bitPattern: UInt32($0)) }
      let results = Instructions.available.map { function(x, $0) }
      for other in results.dropFirst() {
        #expect(zip(results[0], other).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN })
      }
      var wrong: [Float] = []
      for (x, y) in zip(x, results[0]) {
        let exact = function.exact(Double(x))
        if exact.isNaN
          ? !y.isNaN
          : Float(exact).isInfinite
            ? y != Float(exact) && abs(y) != .greatestFiniteMagnitude
            : !(abs(Double(y) - exact) <= ulp(exact))
        {
          wrong.append(x)
        }
      }
      #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }
  }

  @Test(arguments: FunctionCase.all) private func numbersAtTheEnds(_ function: FunctionCase) {
    let tiny = Float.leastNonzeroMagnitude
    let x: [Float] = [
      0, -0.0, 1, -1, tiny, -tiny, .leastNormalMagnitude, .infinity, -.infinity, .nan,
      .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, 88.722839, 88.722847, -103.27892, -103.972084, -104,
    ]
    for set in Instructions.available {
      for (x, y) in zip(x, function(x, set)) {
        let exact = Float(function.exact(Double(x)))
        if exact == 0 || exact.isInfinite || exact.isNaN {
          #expect(y.isNaN && exact.isNaN || y.bitPattern == exact.bitPattern, "\(x): \(y) by \(set)")
        } else {
          #expect(abs(y - exact) <= exact.ulp, "\(x): \(y) by \(set)")
        }
      }
    }
  }

  /// Activations and losses of rows of every length: the same bits from all sets.
  @Test(arguments: [1, 2, 9, 10, 16, 31, 100]) func layersAgree(_ columns: Int) {
    let rows = 67
    let numbers = uniformNumbers(3 * rows * columns + columns, from: 0, seed: 5).map { 6 * $0 }
    let z = Array(numbers.prefix(rows * columns))
    let bias = Array(numbers.suffix(columns))
    let labels = (0..<Int32(rows)).map { $0 % Int32(columns) }
    let classes = labels.map { $0 % 2 }
    let results = Instructions.available.map { set in
      let kernels = ckernels_instructions_named(set.description).pointee
      var bits: [UInt64] = []
      func add(_ run: (UnsafeMutablePointer<Float>) -> Double) {
        var y = z
        bits.append(run(&y).bitPattern)
        bits += y.map { UInt64($0.bitPattern) }
      }
      add {
        kernels.add_bias_logistic($0, bias, rows, columns); return 0
      }
      add {
        kernels.add_bias_hyperbolic_tangent($0, bias, rows, columns); return 0
      }
      add {
        kernels.gelu($0, $0, rows * columns); return 0
      }
      add {
        kernels.gelu_gradient($0, $0, z, rows * columns); return 0
      }
      add { kernels.cross_entropy($0, labels, rows, columns, 0.25) }
      add { kernels.binary_cross_entropy($0, classes, rows, 0.25) }
      return bits
    }
    for other in results.dropFirst() { #expect(other == results[0]) }
  }
}
