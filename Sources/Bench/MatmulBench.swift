// `bench matmul`: one matrix product handed to BLAS in four sizes of work, as in the chapter's section on
// vectorisation and caches.
import DataFormats
import NeuralNet
import Runs
import System

/// What to multiply, and how.
package struct MatmulOptions: Sendable {
  /// Rows and columns of the matrices of the table of four ways.
  package var size = 256
  /// Columns of C in one call of the third way.
  package var block = 64
  /// Sizes to sweep over; empty for no sweep.
  package var sizes: [Int] = []
  /// Blocks to sweep over, at `size`; empty for no sweep.
  package var blocks: [Int] = []
  package var threads = 1
  package var samples = 9
  /// How long a sample lasts at least.
  package var minimumSeconds = 0.02

  package init() {}

  /// The sweeps that fill the plots when the user names none.
  package static let defaultSizes = [64, 128, 256, 512, 1024, 2048]
  package static func defaultBlocks(size: Int) -> [Int] {
    Array(sequence(first: 1) { $0 * 2 < size ? $0 * 2 : nil }) + (size > 1 ? [size] : [])
  }

  /// - Throws: `DistsgdError` (`usage`).
  package func validate() throws {
    try NumberRange.matrixSize.check(size)
    try NumberRange.matrixSizes.check(sizes)
    try NumberRange.block.check(block)
    try NumberRange.blocks.check(blocks)
    try NumberRange.threads.check(threads)
    let largest = Double(sizes.max().map { max($0, size) } ?? size)
    // Three matrices, and a copy of one.
    try requireMemory(
      bytes: 16 * largest * largest, for: "a product of \(Int(largest)) rows and columns",
      instead: "smaller sizes")
  }
}

/// One way at one size.
package struct MatmulMeasurement: Sendable {
  package let size: Int
  package let way: MatrixProduct.Way
  /// GFLOP/s.
  package let rate: Rate
  /// The part of the product that was computed: less than 1 where all of it would have taken too long.
  package let fraction: Double
  /// max |C − C_whole| / max |C_whole| over what was computed.
  package let difference: Double
}

/// Runs the bench.
package struct MatmulBench {
  private let options: MatmulOptions
  /// A sample of the slow ways on large matrices computes so many seconds' worth of rows or columns.
  private static let sampleSeconds = 0.1

  package init(_ options: MatmulOptions) { self.options = options }

  /// - Throws: `DistsgdError` (`usage`; `internal` if two ways give different products).
  package func run() throws -> MatmulReport {
    try options.validate()
    BLAS.setThreads(options.threads)
    try requireBufferOfBLAS(threads: options.threads)
    Stages.begin(1 + options.sizes.count { $0 != options.size } + (options.blocks.isEmpty ? 0 : 1))
    let block = min(options.block, options.size)
    let (four, exactDifference) = try measure(
      size: options.size, [.element, .column, .block(columns: block), .whole])
    let sizes = try options.sizes.map { size in
      size == options.size
        ? four
        : try measure(size: size, [.element, .column, .block(columns: min(options.block, size)), .whole]).rows
    }
    let widths = options.blocks.map { min($0, options.size) }.reduce(into: [Int]()) { widths, width in
      if !widths.contains(width) { widths.append(width) }
    }
    let blocks =
      widths.isEmpty
      ? [] : try measure(size: options.size, widths.map { .block(columns: $0) } + [.whole]).rows
    return MatmulReport(
      options: options, four: four, exactDifference: exactDifference, sizes: sizes, blocks: blocks)
  }

  /// Times `ways` in turns on the same matrices, and compares their results.
  private func measure(
    size: Int, _ ways: [MatrixProduct.Way]
  ) throws -> (rows: [MatmulMeasurement], exactDifference: Double) {
    Stages.next("\(ways.count) ways to multiply matrices of size \(size)")
    let product = MatrixProduct(size: size)
    product.compute(.whole, units: 1)
    let reference = Array(UnsafeBufferPointer(start: product.c, count: size * size))
    let units = ways.map { unitsLasting(Self.sampleSeconds, product, $0) }
    var differences: [Double] = []
    for (way, units) in zip(ways, units) {
      product.c.update(repeating: .nan, count: size * size)
      product.compute(way, units: units)
      differences.append(difference(product, reference, product.region(way, units: units)))
    }
    let exactDifference = self.exactDifference(product, reference)
    for (way, difference) in zip(ways + [.whole], differences + [exactDifference])
    where !(difference <= 1e-4) {
      throw DistsgdError(
        .internal,
        "the product '\(way.label)' of size \(size) is wrong: relative difference \(difference), expected below 1e-4"
      )
    }
    let timings = time(
      zip(ways, units).map { way, units in { product.compute(way, units: units) } },
      samples: options.samples, minimumSeconds: options.minimumSeconds)
    let rows = ways.indices.map { i in
      let (rows, columns) = product.region(ways[i], units: units[i])
      let operations = 2 * Double(rows) * Double(columns) * Double(size)
      return MatmulMeasurement(
        size: size, way: ways[i], rate: Rate(operations, in: timings[i]),
        fraction: operations / product.operations, difference: differences[i])
    }
    return (rows, exactDifference)
  }

  /// How many units of a way take about `seconds`; at least one.
  private func unitsLasting(_ seconds: Double, _ product: MatrixProduct, _ way: MatrixProduct.Way) -> Int {
    product.compute(way, units: 1)
    let start = monotonicSeconds()
    product.compute(way, units: 1)
    let one = max(monotonicSeconds() - start, 1e-9)
    return max(1, min(product.unitCount(way), Int(min(seconds / one, 1e9))))
  }

  private func difference(
    _ product: MatrixProduct, _ reference: [Float], _ region: (rows: Int, columns: Int)
  ) -> Double {
    var largest: Float = 0
    var greatest: Float = 0
    for i in 0..<region.rows {
      for j in 0..<region.columns {
        let index = i * product.size + j
        let distance = abs(product.c[index] - reference[index])
        // An element that was never written is a NaN.
        guard distance.isFinite else { return .infinity }
        greatest = max(greatest, distance)
        largest = max(largest, abs(reference[index]))
      }
    }
    return largest > 0 ? Double(greatest / largest) : Double(greatest)
  }

  /// `reference` against a plain loop in double precision, at a hundred places.
  private func exactDifference(_ product: MatrixProduct, _ reference: [Float]) -> Double {
    let n = product.size
    let largest = reference.reduce(0) { max($0, abs($1)) }
    var greatest = 0.0
    for k in 0..<100 {
      let (i, j) = (k * 7919 % n, k * 104_729 % n)
      greatest = max(greatest, abs(Double(reference[i * n + j]) - product.exactElement(row: i, column: j)))
    }
    return largest > 0 ? greatest / Double(largest) : greatest
  }
}

extension MatrixProduct.Way {
  /// The name of the way in tables and legends.
  package var label: String {
    switch self {
    case .element: "element by element"
    case .column: "column by column"
    case .block(let columns): "blocks of \(columns) columns"
    case .whole: "whole"
    }
  }

  /// The BLAS routine that the way calls.
  var routine: String {
    switch self {
    case .element: "sdot"
    case .column: "sgemv"
    case .block, .whole: "sgemm"
    }
  }
}
