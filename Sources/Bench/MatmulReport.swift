// The tables, the JSON object and the plots of `bench matmul`.
import NeuralNet
import Plot
import System
import Text

package struct MatmulReport: BenchReport {
  package let options: MatmulOptions
  /// The four ways at `options.size`: element, column, block, whole.
  package let four: [MatmulMeasurement]
  /// max |C − C_exact| / max |C| of the whole product, at some places.
  package let exactDifference: Double
  /// The four ways at each of `options.sizes`.
  package let sizes: [[MatmulMeasurement]]
  /// `options.size`, in blocks of each width, and last the whole.
  package let blocks: [MatmulMeasurement]

  package var name: String { "matmul" }

  package var text: String {
    let n = options.size
    var text =
      "C = A·B, \(n) × \(n), \(kernelLine(threads: options.threads)), medians of \(options.samples)\n\n"
    var rows = [["way", "calls", "GFLOP/s", "min–max", "of whole", "difference"]]
    let whole = four[3].rate.median
    for row in four {
      rows.append(
        ["\(row.way.label) (\(row.way.routine))", "\(calls(row))"] + row.rate.cells
          + ["\(fixed(100 * row.rate.median / whole, 1)) %", scientific(row.difference)])
    }
    text += alignedTable(rows)
    text += "whole against a plain loop in double precision: \(scientific(exactDifference))\n"
    if !sizes.isEmpty {
      text += "\nGFLOP/s by size\n"
      text += alignedTable(
        [["size", "element ", "column ", "block ", "whole "]] + sizes.map(Self.sizeRow))
      let partial = sizes.joined().contains { $0.fraction < 1 }
      if partial { text += "* measured on a part of the product: all of it takes too long\n" }
    }
    if !blocks.isEmpty {
      text += "\nGFLOP/s by columns in a call, \(n) × \(n)\n"
      text += alignedTable(
        [["columns", "GFLOP/s", "min–max", "of whole"]]
          + blocks.map {
            [$0.way == .whole ? "whole" : "\(Self.width($0.way))"] + $0.rate.cells + [
              "\(fixed(100 * $0.rate.median / blocks.last!.rate.median, 1)) %"
            ]
          })
    }
    return text
  }

  private func calls(_ row: MatmulMeasurement) -> Int {
    switch row.way {
    case .element: row.size * row.size
    case .column: row.size
    case .block(let columns): (row.size + columns - 1) / columns
    case .whole: 1
    }
  }

  private static func sizeRow(_ rows: [MatmulMeasurement]) -> [String] {
    ["\(rows[0].size)"] + rows.map { readable($0.rate.median) + ($0.fraction < 1 ? "*" : " ") }
  }

  private static func width(_ way: MatrixProduct.Way) -> Int {
    if case .block(let columns) = way { columns } else { 1 }
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["kernel"] = BLAS.kernelName
    line["threads"] = options.threads
    line["size"] = options.size
    line["differenceFromDouble"] = exactDifference
    line["ways"] = four.map(Self.json)
    line["sizes"] = sizes.joined().map(Self.json)
    line["blocks"] = blocks.map(Self.json)
    return line
  }

  private static func json(_ row: MatmulMeasurement) -> JSONLine {
    var line = JSONLine()
    line["size"] = row.size
    switch row.way {
    case .element: line["way"] = "element"
    case .column: line["way"] = "column"
    case .block(let columns):
      line["way"] = "block"
      line["columns"] = columns
    case .whole: line["way"] = "whole"
    }
    line["gflops"] = row.rate.json
    line["fraction"] = row.fraction
    line["difference"] = row.difference
    return line
  }

  package var plots: [(name: String, plot: Plot)] {
    var plots: [(name: String, plot: Plot)] = []
    if !sizes.isEmpty {
      let names = ["element by element", "column by column", "blocks of \(options.block) columns", "whole"]
      let plot = Plot(
        title: "Matrix product by size, in four ways", xLabel: "rows and columns", yLabel: "GFLOP/s",
        xScale: .logarithmic, yScale: .logarithmic,
        series: names.indices.map { way in Self.series(names[way], sizes.map { $0[way] }) { $0.size } })
      plots.append(("matmul-sizes", plot))
    }
    if !blocks.isEmpty {
      let lines = [four[0], four[1], blocks.last!].map { row in
        ReferenceLine(.horizontal(row.rate.median), label: row.way.label)
      }
      let plot = Plot(
        title: "Matrix product of \(options.size) × \(options.size), by columns in a call",
        xLabel: "columns in one call: the minibatch", yLabel: "GFLOP/s", xScale: .logarithmic,
        yScale: .logarithmic,
        series: [Self.series("sgemm on blocks of columns", blocks.dropLast()) { Self.width($0.way) }],
        referenceLines: lines)
      plots.append(("matmul-blocks", plot))
    }
    return plots
  }

  private static func series(
    _ name: String, _ rows: [MatmulMeasurement], x: (MatmulMeasurement) -> Int
  ) -> Series {
    Series(
      name: name, points: rows.map { (x: Double(x($0)), y: $0.rate.median) },
      errorBars: rows.map { (low: $0.rate.least, high: $0.rate.greatest) })
  }
}

/// `3e-07`: a small number by its size alone.
func scientific(_ value: Double) -> String {
  guard value.isFinite, value > 0 else { return fixed(value, 0) }
  var exponent = 0
  var mantissa = value
  while mantissa < 0.95 {
    mantissa *= 10
    exponent -= 1
  }
  while mantissa >= 9.5 {
    mantissa /= 10
    exponent += 1
  }
  return "\(fixed(mantissa, 0))e\(exponent)"
}
