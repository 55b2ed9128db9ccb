import Bench
import DataFormats
import NeuralNet
import System
import Testing

@Suite struct MatmulTests {
  private let ways: [MatrixProduct.Way] = [
    .element, .column, .block(columns: 1), .block(columns: 5), .block(columns: 23), .whole,
  ]

  /// Every way computes every element of its region, and no other.
  @Test func regions() {
    let product = MatrixProduct(size: 23)
    for way in ways {
      for units in Set([1, product.unitCount(way) / 2, product.unitCount(way)]) where units > 0 {
        product.c.update(repeating: .nan, count: 23 * 23)
        product.compute(way, units: units)
        let (rows, columns) = product.region(way, units: units)
        for i in 0..<23 {
          for j in 0..<23 {
            let value = Double(product.c[i * 23 + j])
            if i < rows && j < columns {
              #expect(abs(value - product.exactElement(row: i, column: j)) < 1e-5)
            } else {
              #expect(value.isNaN)
            }
          }
        }
      }
      #expect(product.region(way, units: product.unitCount(way)) == (23, 23))
    }
  }

  @Test func reportWithSweeps() throws {
    var options = MatmulOptions()
    options.size = 48
    options.block = 20
    options.sizes = [1, 16, 48]
    options.blocks = [1, 7, 48, 64]
    options.samples = 3
    options.minimumSeconds = 0.001
    let report = try MatmulBench(options).run()
    #expect(report.four.map(\.way) == [.element, .column, .block(columns: 20), .whole])
    #expect(report.four.allSatisfy { $0.difference < 1e-5 && $0.rate.median > 0 && $0.fraction == 1 })
    #expect(report.exactDifference < 1e-6)
    #expect(report.sizes.map { $0[0].size } == [1, 16, 48])
    #expect(report.sizes[0][2].way == .block(columns: 1))
    // Blocks wider than the matrix are the whole of it, once.
    #expect(report.blocks.map(\.way) == [1, 7, 48].map { .block(columns: $0) } + [.whole])
    #expect(report.plots.map(\.name) == ["matmul-sizes", "matmul-blocks"])
    #expect(report.text.contains("blocks of 20 columns (sgemm)"))
    #expect(report.json.description.hasPrefix("{\"bench\":\"matmul\""))
  }

  @Test func mistakesInOptions() {
    for change in [
      { (options: inout MatmulOptions) in options.size = 0 }, { $0.block = -1 }, { $0.sizes = [64, 0] },
      { $0.blocks = [0] }, { $0.threads = 0 }, { $0.size = 1_000_000 },
    ] {
      var options = MatmulOptions()
      change(&options)
      #expect(throws: DistsgdError.self) { try MatmulBench(options).run() }
    }
  }

  @Test func defaultBlocks() {
    #expect(MatmulOptions.defaultBlocks(size: 1) == [1])
    #expect(MatmulOptions.defaultBlocks(size: 8) == [1, 2, 4, 8])
    #expect(MatmulOptions.defaultBlocks(size: 10) == [1, 2, 4, 8, 10])
  }
}
