// `airfoil-like`: a built-in data set on which least squares has exactly the loss surface of NASA's airfoil set.
import RandomNumbers
import System

/// The columns of the airfoil self-noise set (UCI machine learning repository, number 291).
package let airfoilColumns = ["frequency", "angle", "chord", "velocity", "thickness", "sound_pressure"]

/// Means of the six columns over the real set's first 1,500 rows, standardised over all 1,503.
let airfoilMeans: [Double] = [
  -0.0014047929101988939,
  -0.0029808860442912797,
  0.000747479080679715,
  0.001446689667067548,
  -0.006345545011489464,
  0.005556150171647614,
]

/// Second moments E[x xᵀ] of the same rows, shape (6, 6).
let airfoilSecondMoments: [[Double]] = [
  [
    1.0008347328676066, -0.2754038290154855, -0.0031429334935943938,
    0.1349473080792121, -0.2350246561186683, -0.3875030393054906,
  ],
  [
    -0.2754038290154855, 0.9975571591954422, -0.5047638110837881,
    0.06103329276738339, 0.7454428989397678, -0.14813861914950802,
  ],
  [
    -0.0031429334935943938, -0.5047638110837881, 1.0017206375119942,
    0.0032535168937600657, -0.2189125347003535, -0.23871038840006467,
  ],
  [
    0.1349473080792121, 0.06103329276738339, 0.0032535168937600657,
    1.0009535445035738, 0.0006080559900943084, 0.12133399384249825,
  ],
  [
    -0.2350246561186683, 0.7454428989397678, -0.2189125347003535,
    0.0006080559900943084, 0.9818670292535705, -0.2956664447867554,
  ],
  [
    -0.3875030393054906, -0.14813861914950802, -0.23871038840006467,
    0.12133399384249825, -0.2956664447867554, 0.9865179438540734,
  ],
]

/// 1,500 rows of five features and the target, in standard units.
///
/// Normal draws from a fixed seed are centred, whitened by the Cholesky factor of their own covariance, coloured
/// by that of the real one, and shifted to the real means, all in double precision. What is left is rounding to
/// Float, some 1e-9 in a moment. A squared loss of a linear model sees nothing of the data but these moments.
func airfoilLikeExamples(columns request: ColumnRequest) throws(DistsgdError) -> RawExamples {
  let rows = 1500
  let columns = airfoilColumns.count
  let random = Philox(seed: 1_500, purpose: .syntheticData, epoch: 3)
  var z = (0..<rows * columns).map { random.normal(UInt64($0)) }
  var mean = [Double](repeating: 0, count: columns)
  for i in z.indices { mean[i % columns] += z[i] / Double(rows) }
  for i in z.indices { z[i] -= mean[i % columns] }

  var drawn = [[Double]](repeating: [Double](repeating: 0, count: columns), count: columns)
  var wanted = airfoilSecondMoments
  for j in 0..<columns {
    for k in 0..<columns {
      for row in 0..<rows { drawn[j][k] += z[row * columns + j] * z[row * columns + k] / Double(rows) }
      wanted[j][k] -= airfoilMeans[j] * airfoilMeans[k]
    }
  }
  let whitening = cholesky(drawn)
  let colouring = cholesky(wanted)
  var matrix = [Float](repeating: 0, count: rows * columns)
  for row in 0..<rows {
    // u = L⁻¹ z by forward substitution, then x = mean + M u.
    var u = [Double](repeating: 0, count: columns)
    for j in 0..<columns {
      var sum = z[row * columns + j]
      for k in 0..<j { sum -= whitening[j][k] * u[k] }
      u[j] = sum / whitening[j][j]
    }
    for j in 0..<columns {
      var x = airfoilMeans[j]
      for k in 0...j { x += colouring[j][k] * u[k] }
      matrix[row * columns + j] = Float(x)
    }
  }
  let choice = try request.resolve(airfoilColumns, isNamed: true, source: "airfoil-like")
  return tableColumns(of: matrix, names: airfoilColumns, choice: choice, source: "airfoil-like") {
    .floats($0)
  }
}

/// The lower triangular L with L Lᵀ = matrix, for a symmetric positive definite matrix.
private func cholesky(_ matrix: [[Double]]) -> [[Double]] {
  let size = matrix.count
  var lower = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
  for i in 0..<size {
    for j in 0...i {
      var sum = matrix[i][j]
      for k in 0..<j { sum -= lower[i][k] * lower[j][k] }
      lower[i][j] = i == j ? sum.squareRoot() : sum / lower[j][j]
    }
  }
  return lower
}
