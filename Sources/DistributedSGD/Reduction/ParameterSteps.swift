// What an update changes, rounded to what travels: whoever hears of it makes the same of the same parameters.
import NeuralNet

/// Steps of the parameters in 16 bits: w ← w + R(w' − w), with w' for what the optimizer makes of w. All copies of the parameters
/// stay floats, and the same: none is rounded itself.
final class ParameterSteps {
  let format: GradientFormat
  /// Of the steps since the last one of the same parameters; addressed as if the whole arena were there, if they travel.
  let bits: UnsafeMutablePointer<UInt16>
  private let travel: Bool
  /// Shape (blockLength)
  private let before: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - length: of the arena.
  ///   - travel: whether other servers hear of them.
  init(_ format: GradientFormat, length: Int, travel: Bool) {
    self.format = format
    self.travel = travel
    bits = .allocate(capacity: travel ? length : FoldProgram.blockLength)
    before = .allocate(capacity: FoldProgram.blockLength)
  }

  deinit {
    bits.deallocate()
    before.deallocate()
  }

  /// Has `change` change parameters, a block at a time.
  /// - Parameters:
  ///   - parameters: the arena.
  ///   - change: takes the first parameter that it is to change, and how many.
  func run(
    _ range: Range<Int>, of parameters: UnsafeMutablePointer<Float>,
    _ change: (_ offset: Int, _ count: Int) -> Void
  ) {
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: FoldProgram.blockLength) {
      let count = min(FoldProgram.blockLength, range.upperBound - offset)
      before.update(from: parameters + offset, count: count)
      change(offset, count)
      format.step(parameters + offset, before: before, bits + (travel ? offset : 0), count)
    }
  }
}
