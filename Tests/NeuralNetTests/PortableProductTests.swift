// Products whose bits are defined: every set of instructions of this processor against a loop of single numbers.
import CKernels
import NeuralNet
import TestSupport
import Testing

extension Arithmetic: CustomTestStringConvertible {
  /// BLAS, and every set of instructions that this processor has.
  static let all = [.blas] + portables
  static let portables = Instructions.available.map { Arithmetic.portable($0) }

  public var testDescription: String { instructions.map { "\(name) by \($0)" } ?? name }
}

/// A product as the header of the kernels defines it.
private struct ProductCase {
  let rows, columns, inner: Int
  let transposeA, transposeB: Bool
  /// Where pieces of the inner numbers start, and the end of the last.
  var bounds: [Int] = []
  var continues = false
  /// What follows the chains.
  var end = End.nothing

  enum End: CaseIterable { case nothing, bias, biasAndReLU, kept }

  private func number(_ index: Int) -> Float {
    // 24 bits of a multiplicative hash, on ±½: products and sums of such numbers are rounded all the time.
    Float(Int32(truncatingIfNeeded: (index &* 2_654_435_761 &+ 97) & 0xFF_FFFF) - 0x80_0000) * 0x1p-24
  }

  fileprivate var a: [Float] { (0..<rows * inner).map(number) }
  fileprivate var b: [Float] { (0..<inner * columns).map { number($0 + 1_000_003) } }
  fileprivate var bias: [Float] { (0..<columns).map { number($0 + 3_000_017) } }
  fileprivate var kept: [Float] { (0..<rows * columns).map { number($0 + 4_000_037) } }
  fileprivate var before: [Float] { (0..<rows * columns).map { continues ? number($0 + 2_000_003) : .nan } }

  var expected: [UInt32] {
    let (a, b, c, bias, kept) = (a, b, before, bias, kept)
    let bounds = bounds.isEmpty ? [0, inner] : bounds
    return (0..<rows * columns).map { index in
      let (i, j) = (index / columns, index % columns)
      var chains = zip(bounds, bounds.dropFirst()).map { start, end in
        (start - bounds[0]..<end - bounds[0]).reduce(continues ? c[index] : 0) { sum, k in
          sum.addingProduct(
            transposeA ? a[k * rows + i] : a[i * inner + k],
            transposeB ? b[j * inner + k] : b[k * columns + j])
        }
      }
      while chains.count > 1 {
        chains = stride(from: 0, to: chains.count, by: 2).map {
          $0 + 1 < chains.count ? chains[$0] + chains[$0 + 1] : chains[$0]
        }
      }
      switch end {
      case .nothing: return chains[0].bitPattern
      case .bias: return (chains[0] + bias[j]).bitPattern
      case .biasAndReLU:
        let sum = chains[0] + bias[j]
        return (sum < 0 ? 0 : sum).bitPattern
      case .kept: return (kept[index] > 0 ? chains[0] : 0).bitPattern
      }
    }
  }

  func computed(_ set: Instructions, _ workspace: UnsafeMutablePointer<Float>) -> [UInt32] {
    // A guard on either side: what is beside C stays as it is.
    let guards = [Float](repeating: 12_345, count: 40)
    var memory = guards + before + guards
    let (a, b, bias, kept) = (a, b, bias, kept)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        bounds.withUnsafeBufferPointer { bounds in
          memory.withUnsafeMutableBufferPointer { c in
            let hasBias = end == .bias || end == .biasAndReLU
            var product = ckernels_product(
              rows: rows, columns: columns, inner: inner,
              a: ckernels_matrix(
                start: a.baseAddress, row: transposeA ? 1 : inner, column: transposeA ? rows : 1),
              b: ckernels_matrix(
                start: b.baseAddress, row: transposeB ? 1 : columns, column: transposeB ? inner : 1),
              c: c.baseAddress! + 40, bounds: bounds.isEmpty ? nil : bounds.baseAddress,
              pieces: max(1, bounds.count - 1), continues: continues, bias: nil, kept: nil,
              rectifies: end == .biasAndReLU)
            bias.withUnsafeBufferPointer { bias in
              kept.withUnsafeBufferPointer { kept in
                product.bias = hasBias ? bias.baseAddress : nil
                product.kept = end == .kept ? kept.baseAddress : nil
                ckernels_instructions_named(set.description).pointee.multiply(&product, workspace)
              }
            }
          }
        }
      }
    }
    #expect(Array(memory.prefix(40)) == guards && Array(memory.suffix(40)) == guards)
    return memory.dropFirst(40).dropLast(40).map(\.bitPattern)
  }

  func check() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * ckernels_workspace(inner), alignment: 64)
    defer { memory.deallocate() }
    let expected = expected
    for set in Instructions.available {
      let computed = computed(set, memory.assumingMemoryBound(to: Float.self))
      #expect(computed == expected, "\(self) by \(set)")
    }
  }
}

@Suite struct PortableProductTests {
  @Test(arguments: 1...40) func smallSizes(_ rows: Int) {
    for columns in 1...40 {
      let inner = (rows * 7 + columns * 13) % 41
      for way in 0..<4 {
        var test = ProductCase(
          rows: rows, columns: columns, inner: inner, transposeA: way & 1 == 1, transposeB: way & 2 == 2)
        test.check()
        test.continues = true
        test.end = ProductCase.End.allCases[(rows + columns) % 4]
        test.check()
        test.continues = false
        test.check()
        test.end = .nothing
        // Pieces that count from 5, one of them without a number where there are few.
        let pieces = 1 + (rows + columns) % 9
        test.bounds = (0...pieces).map { 5 + $0 * inner / pieces }
        test.check()
      }
    }
  }

  /// Blocks of inner numbers, several panels, rows a page apart, and what is left at the ends of them.
  @Test(arguments: [
    (64, 256, 784), (784, 66, 16), (40, 1_030, 1_100), (45, 70, 1_024), (1_025, 40, 300), (130, 1_100, 70),
    (1, 300, 2_000), (300, 1, 700),
  ]) func largeSizes(_ rows: Int, _ columns: Int, _ inner: Int) {
    for way in 0..<4 {
      for continues in [false, true] {
        var test = ProductCase(
          rows: rows, columns: columns, inner: inner, transposeA: way & 1 == 1, transposeB: way & 2 == 2)
        test.continues = continues
        for end in ProductCase.End.allCases {
          test.end = end
          test.check()
        }
        if continues { continue }
        test.end = .nothing
        test.bounds = [0, inner / 3, inner / 2, inner]
        test.check()
      }
    }
  }

  /// An A whose columns lie in rows far apart, in more parts than one.
  @Test func farColumns() {
    var test = ProductCase(rows: 1_025, columns: 257, inner: 900, transposeA: true, transposeB: false)
    test.bounds = [0, 100, 500, 900]
    test.check()
  }

  /// The bits of the products that they stand for, and of a bias that adds up row by row.
  @Test(arguments: 1...8, [false, true]) func shortRows(_ columns: Int, _ continues: Bool) {
    for rows in [0, 1, 2, 7, 8, 9, 33] {
      var gradient = ProductCase(
        rows: 1, columns: columns, inner: rows, transposeA: true, transposeB: false)
      gradient.continues = continues
      let product = ProductCase(rows: rows, columns: 1, inner: columns, transposeA: false, transposeB: true)
      for set in Instructions.available {
        let kernels = ckernels_instructions_named(set.description).pointee
        var y = [Float](repeating: .nan, count: rows)
        kernels.multiply_short_rows(&y, product.a, product.b, rows, columns)
        #expect(y.map(\.bitPattern) == product.expected)
        var sums = gradient.before + [continues ? 7 : .nan]
        kernels.short_rows_gradient(&sums, gradient.b, gradient.a, [0, rows], 1, columns, continues)
        #expect(sums.dropLast().map(\.bitPattern) == gradient.expected)
        #expect(sums[columns] == gradient.a.reduce(continues ? 7 : 0, +))
        guard !continues, rows > 3 else { continue }
        var pieces = gradient
        pieces.bounds = [0, 1, rows / 2, rows]
        kernels.short_rows_gradient(&sums, gradient.b, gradient.a, pieces.bounds, 3, columns, false)
        #expect(sums.dropLast().map(\.bitPattern) == pieces.expected)
      }
    }
  }

  @Test func namesOfInstructions() {
    #expect(Instructions.available.map(\.description).contains("scalar"))
    #expect(Instructions(named: "") == nil && Instructions(named: "sse2") == nil)
    #expect(Instructions.chosen(by: nil) == Instructions.available[0])
    #expect(Instructions.chosen(by: "scalar")?.description == "scalar")
    #expect(Instructions.chosen(by: "fast") == nil && Instructions.chosen(by: "") == nil)
    #if arch(x86_64)
      #expect(Instructions(named: "neon") == nil)
    #else
      #expect(Instructions(named: "avx512") == nil && Instructions(named: "avx2") == nil)
    #endif
  }

  /// The result is a number's, or no number's: infinities and NaN come through, subnormal numbers are kept.
  @Test func numbersAtTheEnds() {
    let tiny = Float.leastNonzeroMagnitude
    for set in Instructions.available {
      let products = PortableProducts(set)
      products.reserve(inner: 2)
      var c: [Float] = [.nan, .nan, .nan, .nan]
      func multiply(_ a: [Float], _ b: [Float]) {
        products.multiply(
          a, b, into: &c, rows: 2, columns: 2, inner: 2, transposeA: false, transposeB: false, strideA: 2,
          beta: 0)
      }
      multiply([.infinity, 1, 1, 1], [1, 1, 1, 0])
      #expect(c == [.infinity, .infinity, 2, 1])
      multiply([.infinity, 1, .nan, 1], [0, 1, 1, 1])
      #expect(c[0].isNaN && c[1] == .infinity && c[2].isNaN && c[3].isNaN)
      multiply([tiny, 0, -0.0, 0], [1, -1, 1, 0])
      #expect(c.map(\.bitPattern) == [tiny, -tiny, 0, 0].map(\.bitPattern))
    }
  }
}
