/// How much rows count in measures. Counts of rows are whole numbers of units, so that they may be added in any order: a
/// unit is 1 without weights, and else so small a power of two that all weights together are up to 2⁶¹ of them.
public struct MeasureWeights {
  /// Shape (rows); nil: all are 1.
  private let values: UnsafePointer<Float>?
  /// Units in a weight of 1.
  private let scale: Double
  /// Σ w
  public let total: Double

  /// Of all rows.
  /// - Parameters:
  ///   - values: shape (count), 0 or more each; nil: all are 1.
  ///   - count: rows.
  public init(_ values: UnsafePointer<Float>?, count: Int) {
    self.values = values
    guard let values else {
      (scale, total) = (1, Double(count))
      return
    }
    total = (0..<count).reduce(0) { $0 + Double(values[$1]) }
    scale = total > 0 ? Double(sign: .plus, exponent: 60 - Int(total.exponent), significand: 1) : 1
  }

  private init(_ values: UnsafePointer<Float>?, _ scale: Double, _ total: Double) {
    (self.values, self.scale, self.total) = (values, scale, total)
  }

  /// Without the first rows; `total` stays that of all.
  public func dropFirst(_ rows: Int) -> MeasureWeights {
    MeasureWeights(values.map { $0 + rows }, scale, total)
  }

  /// Whether all rows count the same.
  public var isEven: Bool { values == nil }

  /// Of a row.
  public subscript(row: Int) -> Double { values.map { Double($0[row]) } ?? 1 }

  /// A row's weight in units.
  public func units(_ row: Int) -> Int { values.map { Int((Double($0[row]) * scale).rounded()) } ?? 1 }

  /// What so many units weigh.
  public func weight(_ units: Int) -> Double { Double(units) / scale }
}
