// The kernels of normalisation: the bits of plain loops in the order that their header states, and close to the exact.
import CKernels
import TestSupport
import Testing

private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
private func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }

/// The sum of some numbers as of a plane: 32 sums take turns; behind the last 32, sixteen, eight, and one for the rest.
private func turns(_ values: [Float]) -> Float {
  var sums = [Float](repeating: 0, count: 32)
  var eight = [Float](repeating: 0, count: 8)
  var rest: Float = 0
  let whole = values.count / 32 * 32
  for i in 0..<whole { sums[i % 32] += values[i] }
  var i = whole
  if i + 16 <= values.count {
    for lane in 0..<16 { sums[lane] += values[i + lane] }
    i += 16
  }
  if i + 8 <= values.count {
    for lane in 0..<8 { eight[lane] += values[i + lane] }
    i += 8
  }
  for value in values[i...] { rest += value }
  let sixteen = (0..<16).map { sums[$0] + sums[$0 + 16] }
  let e = (0..<8).map { (sixteen[$0] + sixteen[$0 + 8]) + eight[$0] }
  return (((e[0] + e[4]) + (e[2] + e[6])) + ((e[1] + e[5]) + (e[3] + e[7]))) + rest
}

@Suite struct NormalisationKernelTests {
  /// Rows, channels, and numbers of a channel in a row.
  static let shapes: [[Int]] = [
    [1, 1, 1], [5, 3, 1], [16, 30, 1], [33, 8, 1], [3, 5, 7], [2, 4, 49], [4, 3, 16], [1, 2, 1000],
    [7, 2, 31], [3, 2, 40], [2, 3, 55], [6, 1, 2],
  ]

  private struct Case {
    let rows, channels, size: Int
    let x, dy, means, factors, shifts: [Float]

    init(_ shape: [Int], offset: Float = 0) {
      (rows, channels, size) = (shape[0], shape[1], shape[2])
      let count = shape.reduce(1, *)
      x = uniformNumbers(count, from: 0, seed: 5).map { $0 + offset }
      dy = uniformNumbers(count, from: 10_000, seed: 5)
      means = uniformNumbers(shape[1], from: 20_000, seed: 5)
      factors = uniformNumbers(shape[1], from: 30_000, seed: 5)
      shifts = uniformNumbers(shape[1], from: 40_000, seed: 5)
    }

    /// Of a channel: its numbers in each row.
    func planes(_ values: [Float], _ channel: Int) -> [[Float]] {
      (0..<rows).map { row in
        let start = (row * channels + channel) * size
        return Array(values[start..<start + size])
      }
    }

    func moments() -> (means: [Double], squares: [Double]) {
      var means = [Double](repeating: .nan, count: channels)
      var squares = means
      ckernels_channel_moments(&means, &squares, x, rows, channels, size)
      return (means, squares)
    }
  }

  @Test(arguments: shapes) func moments(_ shape: [Int]) {
    let test = Case(shape)
    let (means, squares) = test.moments()
    for channel in 0..<test.channels {
      let planes = test.planes(test.x, channel)
      var (mean, square) = (0.0, 0.0)
      if test.size == 1 {
        mean = planes.reduce(0.0) { $0 + Double($1[0]) } / Double(test.rows)
        square = planes.reduce(0.0) { $0 + (Double($1[0]) - mean) * (Double($1[0]) - mean) }
      } else {
        for (row, plane) in planes.enumerated() {
          let count = Double(test.size)
          let center = Float(row == 0 ? Double(turns(plane)) / count : mean)
          let distances = plane.map { $0 - center }
          let sum = Double(turns(distances))
          let own = Double(center) + sum / count
          let spread = max(0, Double(turns(distances.map { $0 * $0 })) - sum * (sum / count))
          guard row > 0 else {
            (mean, square) = (own, spread)
            continue
          }
          let (before, distance) = (Double(row), own - mean)
          mean += distance * (1 / (before + 1))
          square += spread + distance * distance * (Double(test.size) * before / (before + 1))
        }
      }
      #expect(bits([means[channel], squares[channel]]) == bits([mean, square]), "channel \(channel)")
    }
  }

  /// Numbers whose deviation is a thousandth of their mean lose no digit of it.
  @Test(arguments: shapes) func momentsAreAccurate(_ shape: [Int]) {
    let test = Case(shape, offset: 300)
    let (means, squares) = test.moments()
    for channel in 0..<test.channels {
      let values = test.planes(test.x, channel).flatMap { $0 }.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      #expect(abs(means[channel] - mean) < 1e-9 * mean)
      #expect(abs(squares[channel] - square) <= 1e-6 * square + 1e-18)
    }
  }

  @Test(arguments: shapes) func channels(_ shape: [Int]) {
    let test = Case(shape)
    var y = [Float](repeating: .nan, count: test.x.count)
    var dx = y
    ckernels_normalise_channels(
      &y, test.x, test.means, test.factors, test.shifts, test.rows, test.channels, test.size)
    ckernels_channel_input_gradients(
      &dx, test.dy, test.x, test.means, test.factors, test.shifts, test.means, test.rows, test.channels,
      test.size)
    var sums = [Double](repeating: .nan, count: test.channels)
    var products = sums
    ckernels_channel_gradients(
      &sums, &products, test.dy, test.x, test.means, test.rows, test.channels, test.size)
    for i in test.x.indices {
      let c = i / test.size % test.channels
      let distance = test.x[i] - test.means[c]
      let (expected, gradient) = (
        distance * test.factors[c] + test.shifts[c],
        test.dy[i] * test.factors[c] - (distance * test.shifts[c] + test.means[c])
      )
      #expect(bits([y[i], dx[i]]) == bits([expected, gradient]))
    }
    for c in 0..<test.channels {
      var (sum, product) = (0.0, 0.0)
      for (dy, x) in zip(test.planes(test.dy, c), test.planes(test.x, c)) {
        let terms = zip(dy, x).map { $0 * ($1 - test.means[c]) }
        sum += Double(test.size == 1 ? dy[0] : turns(dy))
        product += Double(test.size == 1 ? terms[0] : turns(terms))
      }
      #expect(bits([sums[c], products[c]]) == bits([sum, product]))
    }
  }

  @Test(arguments: [1, 7, 16, 31, 40, 100]) func rows(_ columns: Int) {
    let rows = 5
    let (x, dy) = (
      uniformNumbers(rows * columns, from: 0, seed: 6), uniformNumbers(rows * columns, from: 1_000, seed: 6)
    )
    let (means, factors) = (
      uniformNumbers(rows, from: 2_000, seed: 6), uniformNumbers(rows, from: 3_000, seed: 6)
    )
    let (weight, bias) = (
      uniformNumbers(columns, from: 4_000, seed: 6), uniformNumbers(columns, from: 5_000, seed: 6)
    )
    var y = [Float](repeating: .nan, count: rows * columns)
    var dx = y
    ckernels_normalise_rows(&y, x, means, factors, weight, bias, rows, columns)
    ckernels_row_input_gradients(&dx, dy, x, means, factors, weight, rows, columns)
    // What is there stays in the sums.
    var (dw, db) = (weight, bias)
    ckernels_add_row_gradients(&dw, &db, dy, x, means, factors, rows, columns)
    var (expectedW, expectedB) = (weight, bias)
    for i in 0..<rows {
      let range = i * columns..<(i + 1) * columns
      let (own, gradient) = (Array(x[range]), Array(dy[range]))
      let weighted = zip(gradient, weight).map { $0 * $1 }
      let constant = turns(weighted) / Float(columns)
      let products = (0..<columns).map { gradient[$0] * weight[$0] * (own[$0] - means[i]) }
      let slope = turns(products) / Float(columns) * (factors[i] * factors[i])
      for j in 0..<columns {
        let distance = own[j] - means[i]
        let expected = [
          distance * factors[i] * weight[j] + bias[j],
          factors[i] * (gradient[j] * weight[j] - (distance * slope + constant)),
        ]
        #expect(bits([y[range][range.lowerBound + j], dx[range.lowerBound + j]]) == bits(expected))
        expectedW[j] += gradient[j] * (distance * factors[i])
        expectedB[j] += gradient[j]
      }
    }
    #expect(bits(dw) == bits(expectedW) && bits(db) == bits(expectedB))
  }
}
