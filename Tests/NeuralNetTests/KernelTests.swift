// The kernels in C: the bits of plain loops in the same order, in every size where another part of a kernel takes over.
import CKernels
import NeuralNet
import RandomNumbers
import TestSupport
import Testing

private let numbers = Philox(seed: 11, purpose: .syntheticData)

private func random(_ count: Int, from index: Int) -> [Float] {
  uniformNumbers(count, from: index, seed: 11)
}

private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

@Suite struct KernelTests {
  @Test(arguments: 1...8) func productsOfShortRows(_ columns: Int) {
    let w = random(columns, from: 0)
    for rows in [0, 1, 2, 7, 8, 9, 10, 16, 23, 100] {
      let x = random(rows * columns, from: 1000)
      var y = [Float](repeating: .nan, count: rows)
      ckernels_multiply_short_rows(&y, x, w, rows, columns)
      let expected = (0..<rows).map { row in
        (1..<columns).reduce(x[row * columns] * w[0]) { $0 + x[row * columns + $1] * w[$1] }
      }
      #expect(bits(y) == bits(expected), "\(rows) rows")
    }
  }

  @Test(arguments: 1...8, [false, true]) func gradientsOfShortRows(_ columns: Int, _ accumulate: Bool) {
    for rows in [0, 1, 2, 3, 4, 7, 8, 9, 100, 101] {
      let x = random(rows * columns, from: 0)
      let dy = random(rows, from: 10_000)
      let before = random(columns + 1, from: 20_000)
      var sums = accumulate ? before : before.map { _ in Float.nan }
      ckernels_short_rows_gradient(&sums, x, dy, [0, rows], 1, columns, accumulate)
      let expected = (0...columns).map { j -> Float in
        var turns: [Float] = [0, 0]
        for row in 0..<rows { turns[row % 2] += j < columns ? x[row * columns + j] * dy[row] : dy[row] }
        return accumulate ? before[j] + (turns[0] + turns[1]) : turns[0] + turns[1]
      }
      #expect(bits(sums) == bits(expected), "\(rows) rows")
    }
  }

  /// The bits of the pieces' own, added up as a tree.
  @Test(arguments: 1...8) func gradientsOfPieces(_ columns: Int) {
    for bounds in [
      [0, 2, 4, 5, 6, 7, 8, 9, 10], [0, 1, 2], [0, 3, 6, 8], [0, 13, 26, 38, 50, 62], [4, 9, 9, 11],
    ] {
      let rows = bounds.last!
      let x = random(rows * columns, from: 0)
      let dy = random(rows, from: 10_000)
      var leaves = [Float]()
      for piece in 0..<bounds.count - 1 {
        let (start, end) = (bounds[piece], bounds[piece + 1])
        var leaf = [Float](repeating: .nan, count: columns + 1)
        ckernels_short_rows_gradient(
          &leaf, Array(x[(start * columns)..<(end * columns)]), Array(dy[start..<end]), [0, end - start], 1,
          columns, false)
        leaves += leaf
      }
      addPairwise(&leaves, count: bounds.count - 1, length: columns + 1)
      var sums = [Float](repeating: .nan, count: columns + 1)
      ckernels_short_rows_gradient(&sums, x, dy, bounds, bounds.count - 1, columns, false)
      #expect(bits(sums) == bits(Array(leaves[...columns])), "\(bounds)")

      let (output, targets) = (random(rows, from: 0), random(rows, from: 1000))
      var (gradient, expected) = (output, output)
      var losses = [Float](repeating: .nan, count: bounds.count - 1)
      ckernels_squared_losses(&losses, &gradient, targets, 0.3, bounds, bounds.count - 1)
      for (piece, (start, end)) in zip(bounds, bounds.dropFirst()).enumerated() {
        var part = Array(output[start..<end])
        let sum = ckernels_squared_loss(&part, Array(targets[start..<end]), 0.3, end - start)
        expected.replaceSubrange(start..<end, with: part)
        #expect(losses[piece] == Float(sum) * 0.3)
      }
      #expect(bits(gradient) == bits(expected))
    }
  }

  @Test(arguments: [0, 1, 3, 4, 5, 8, 31, 100]) func squaredLoss(_ count: Int) {
    let output = random(count, from: 0)
    let targets = random(count, from: 1000)
    var sums = [0.0, 0, 0, 0]
    for i in 0..<count {
      let error = output[i] - targets[i]
      sums[i < count / 4 * 4 ? i % 4 : 0] += Double(error * error)
    }
    var gradient = output
    #expect(ckernels_squared_loss(&gradient, targets, 0.3, count) == 0.5 * sums.reduce(0, +))
    #expect(bits(gradient) == bits(zip(output, targets).map { ($0 - $1) * 0.3 }))
  }

  @Test(arguments: 1...8) func gatheredShortRows(_ columns: Int) {
    let count = 50
    let source = random(count * columns + 8, from: 0)
    let targets = (0..<Int32(count)).map { $0 * 3 }
    for rows in [0, 1, 2, 33] {
      let indices = (0..<rows).map { $0 * 31 % count }
      var gathered = [Float](repeating: .nan, count: rows * columns + 8)
      var gatheredTargets = [Int32](repeating: -1, count: rows + 1)
      ckernels_gather_short_rows(&gathered, &gatheredTargets, source, targets, indices, rows, columns)
      let expected = indices.flatMap { source[$0 * columns..<($0 + 1) * columns] }
      #expect(bits(Array(gathered[..<(rows * columns)])) == bits(expected))
      #expect(gatheredTargets == indices.map { targets[$0] } + [-1])
    }
  }

  /// Rows from less than a line to more than a page; fewer, as many and more of them than are asked for at once.
  @Test(arguments: [1, 9, 100, 784, 1_500, 5_000]) func gatheredRows(_ columns: Int) {
    let count = 12
    let floats = random(count * columns, from: 0)
    let bytes = (0..<count * columns).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 8) }
    for rows in [0, 1, 2, 3, 15, 31, 32, 33, 70] {
      let indices = (0..<rows).map { $0 * 31 % count }
      let order = indices.flatMap { $0 * columns..<($0 + 1) * columns }
      var gathered = [Float](repeating: -1, count: rows * columns + 1)
      ckernels_gather_floats(&gathered, floats, indices, rows, columns)
      #expect(bits(gathered) == bits(order.map { floats[$0] } + [-1]))
      ckernels_gather_bytes(&gathered, bytes, indices, rows, columns, 0.3)
      #expect(bits(gathered) == bits(order.map { 0.3 * Float(bytes[$0]) } + [-1]))
    }
  }

  @Test(arguments: [1, 2, 5, 16]) func bias(_ columns: Int) {
    let rows = 19
    let before = random(rows * columns, from: 0)
    let bias = random(columns, from: 1000)
    var y = before
    ckernels_add_bias(&y, bias, rows, columns)
    #expect(bits(y) == bits(before.indices.map { before[$0] + bias[$0 % columns] }))
  }

  /// Computed and looked up, with few and many pairs beyond the limit.
  @Test(arguments: [1, 2, 3, 5, 10, 31, 63, 64, 65, 100, 1_000, 1_500, 4_097, 20_000], [4, 6, 10])
  func permutedNumbers(_ limit: Int, _ rounds: Int) {
    var side = 1
    while side * side < limit { side += 1 }
    var network = ckernels_network()
    network.limit = UInt64(limit)
    network.a = UInt32(side)
    network.b = UInt32((limit + side - 1) / side)
    network.rounds = UInt32(rounds)
    let keys = (0..<rounds).map { numbers.bits(UInt64($0)) }
    withUnsafeMutableBytes(of: &network.keys) { memory in
      for (i, key) in keys.enumerated() { memory.storeBytes(of: key, toByteOffset: 8 * i, as: UInt64.self) }
    }

    func sent(_ number: UInt64) -> UInt64 {
      let sides = [UInt64(network.a), UInt64(network.b)]
      var halves = [number % sides[0], number / sides[0]]
      for (round, key) in keys.enumerated() {
        var hash = (halves[1 - round % 2] ^ key) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
        let side = sides[round % 2]
        halves[round % 2] = (halves[round % 2] + ((hash >> 32) * side) >> 32) % side
      }
      let image = halves[0] + sides[0] * halves[1]
      return image < limit ? image : sent(image)
    }
    let expected = (0..<limit).map { Int(sent(UInt64($0))) }
    for first in Set([0, limit / 3, limit - 1]) {
      for count in Set([0, 1, min(40, limit - first), limit - first]) {
        var images = [Int](repeating: -1, count: count + 1)
        ckernels_permute(&images, first, count, &network)
        #expect(images == expected[first..<first + count] + [-1])
      }
    }
  }
}
