// `synthetic:N,D`: data from a random linear model, of any size, for trying things out (d2l.ai, section 3.3).
import RandomNumbers
import System

/// N rows of D standard normal features with targets x · w + b + 0.01 · noise; w, b and noise are standard
/// normal too.
///
/// Every number is a function of (seed, its own place), so row i is the same in a set of any N.
///
/// - Throws: `usage` when the rows do not fit this machine's memory.
func syntheticExamples(rows: Int, columns: Int, seed: UInt64) throws(DistsgdError) -> RawExamples {
  let name = "synthetic:\(rows),\(columns)"
  // Inputs in single and targets in double precision.
  try requireMemory(bytes: Double(rows) * (4 * Double(columns) + 8), for: name)
  let inputs = Philox(seed: seed, purpose: .syntheticData, epoch: 0)
  let weights = Philox(seed: seed, purpose: .syntheticData, epoch: 1)
  let noise = Philox(seed: seed, purpose: .syntheticData, epoch: 2)
  let w = (0..<columns).map { weights.normal(UInt64($0) + 1) }
  let b = weights.normal(0)
  var targets = [Double](repeating: 0, count: rows)
  let features = [Float](unsafeUninitializedCapacity: rows * columns) { buffer, initialized in
    for row in 0..<rows {
      var y = b + 0.01 * noise.normal(UInt64(row))
      for column in 0..<columns {
        let index = row * columns + column
        let x = Float(inputs.normal(UInt64(index)))
        buffer.initializeElement(at: index, to: x)
        y += Double(x) * w[column]
      }
      targets[row] = y
    }
    initialized = rows * columns
  }
  return RawExamples(
    source: name, kind: .arrays, count: rows, featureCount: columns, features: .floats(features),
    targets: targets)
}
