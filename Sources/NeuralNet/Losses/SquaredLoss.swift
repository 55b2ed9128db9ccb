import CKernels

/// ½(ŷ − y)², as in the chapter.
public struct SquaredLoss: ValueLoss, PlainlyNamed, Equatable {
  public static let names = ["squared"]

  public init() {}

  public var meaning: String { "½ MSE" }

  public func gradient(
    _ output: UnsafeMutablePointer<Float>, _ targets: TargetBuffer, rows: Int, columns: Int, scale: Float
  ) -> Double { ckernels_squared_loss(output, values(targets), scale, rows) }
}

extension Loss where Self == SquaredLoss {
  /// `loss: .squared`
  public static var squared: SquaredLoss { SquaredLoss() }
}
