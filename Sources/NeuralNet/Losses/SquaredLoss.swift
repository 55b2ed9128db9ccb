import CKernels

/// ½(ŷ − y)², as in the chapter; of several targets the sum over them.
public struct SquaredLoss: ValueLoss, PlainlyNamed, Equatable {
  public static let names = ["squared"]

  public init() {}

  public var meaning: String { "½ MSE" }
  public var takesSeveralTargets: Bool { true }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double { ckernels_squared_loss(output, values(targets), scale, rows * columns) }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, pieces: UnsafeBufferPointer<Int>,
    columns: Int,
    scale: Float, into losses: UnsafeMutablePointer<Float>
  ) {
    guard let bounds = pieces.baseAddress else { return }
    if columns > 1 {
      for piece in 0..<pieces.count - 1 {
        let first = bounds[piece] * columns
        let sum = ckernels_squared_loss(
          output + first, values(targets) + first, scale, bounds[piece + 1] * columns - first)
        losses[piece] = Float(sum) * scale
      }
      return
    }
    ckernels_squared_losses(losses, output, values(targets), scale, bounds, pieces.count - 1)
  }
}

extension Loss where Self == SquaredLoss {
  /// `loss: .squared`
  public static var squared: SquaredLoss { SquaredLoss() }
}
