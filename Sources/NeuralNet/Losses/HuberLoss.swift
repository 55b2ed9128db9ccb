/// ½d² where |d| = |ŷ − y| ≤ δ, and δ(|d| − ½δ) beyond: outliers pull no harder than δ (Huber 1964); of several targets the sum over them.
public struct HuberLoss: ValueLoss, Equatable {
  public static let names = ["huber"]
  public static let form = "huber:delta=1"

  /// δ
  public let delta: Double

  /// - Precondition: `delta` is above 0.
  public init(delta: Double = 1) {
    precondition(delta > 0, "Huber's delta is above 0")
    self.delta = delta
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    delta = try reader.number("delta", .positive) ?? 1
    try reader.end()
  }

  public var takesSeveralTargets: Bool { true }

  public var description: String { "huber:delta=\(delta)" }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double {
    let y = values(targets)
    let delta = Float(delta)
    var sum = 0.0
    for row in 0..<rows * columns {
      let error = output[row] - y[row]
      let size = abs(error)
      // A NaN is not above δ, and goes on as one.
      if size > delta {
        sum += Double(delta) * (Double(size) - 0.5 * Double(delta))
        output[row] = scale * (error > 0 ? delta : -delta)
      } else {
        sum += 0.5 * Double(error) * Double(error)
        output[row] = scale * error
      }
    }
    return sum
  }
}
