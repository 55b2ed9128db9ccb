// How numbers are spread: counts in buckets of one width, from the smallest to the largest.

/// Of numbers that are finite; others are left out.
package struct Histogram {
  package private(set) var count = 0
  package private(set) var minimum = 0.0
  package private(set) var maximum = 0.0
  package private(set) var sum = 0.0
  package private(set) var sumOfSquares = 0.0
  /// The upper end of each bucket, and how many numbers are in it.
  package private(set) var limits: [Double] = []
  package private(set) var counts: [Int] = []

  /// TensorBoard shows 30.
  private static let bucketCount = 30

  package init(_ values: UnsafeBufferPointer<Float>) {
    for value in values where value.isFinite {
      let value = Double(value)
      minimum = count == 0 ? value : min(minimum, value)
      maximum = count == 0 ? value : max(maximum, value)
      count += 1
      sum += value
      sumOfSquares += value * value
    }
    guard count > 0 else { return }
    let buckets = maximum > minimum ? Self.bucketCount : 1
    let width = (maximum - minimum) / Double(buckets)
    limits = (1...buckets).map { $0 == buckets ? maximum : minimum + Double($0) * width }
    counts = [Int](repeating: 0, count: buckets)
    let factor = buckets > 1 ? Double(buckets) / (maximum - minimum) : 0
    let least = minimum
    counts.withUnsafeMutableBufferPointer { counts in
      for value in values where value.isFinite {
        counts[min(Int((Double(value) - least) * factor), buckets - 1)] += 1
      }
    }
  }

  package init(_ values: [Double]) {
    self = values.map { Float($0) }.withUnsafeBufferPointer { Histogram($0) }
  }
}
