// What goes past the layers of a residual block.

/// The input as it is; where a block makes smaller pictures of more channels, every so manieth number, and zeros in the
/// new channels: no parameters (He et al. 2016, shortcut A).
struct Shortcut: Sendable {
  /// Numbers of one example.
  let inputs, outputs: Int
  /// nil: input and output have one shape.
  private let pictures: (input: PictureSize, output: PictureSize, step: Int)?

  /// - Returns: nil where the input cannot be added to such an output.
  init?(from input: Shape, to output: Shape) {
    (inputs, outputs) = (input.count, output.count)
    guard input != output else {
      pictures = nil
      return
    }
    if input.sizes.count != 3 || output.sizes.count != 3 {
      // Other sizes for the same numbers.
      guard input.count == output.count else { return nil }
      pictures = nil
      return
    }
    let (from, to) = (PictureSize(checked: input), PictureSize(checked: output))
    let step = (from.height + to.height - 1) / to.height
    guard from.channels <= to.channels, (from.height - 1) / step + 1 == to.height,
      (from.width - 1) / step + 1 == to.width
    else { return nil }
    pictures = (from, to, step)
  }

  /// How far its numbers lie apart in the input, if it is a smaller picture of more channels.
  var step: Int? { pictures?.step }
  /// Channels that the input does not have.
  var newChannels: Int { pictures.map { $0.output.channels - $0.input.channels } ?? 0 }

  /// y += shortcut(x), shapes (rows, outputs) and (rows, inputs).
  func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, rows: Int) {
    each(rows) { y[$1] += x[$0] }
  }

  /// dx += the gradient at the shortcut's input, dy that at its output.
  func addGradient(_ dy: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>, rows: Int) {
    each(rows) { dx[$0] += dy[$1] }
  }

  /// All pairs of a number of the input and the one of the output to which it is added.
  @inline(__always)
  private func each(_ rows: Int, _ body: (_ input: Int, _ output: Int) -> Void) {
    guard let (from, to, step) = pictures else {
      for i in 0..<rows * inputs { body(i, i) }
      return
    }
    for row in 0..<rows {
      for channel in 0..<from.channels {
        for y in 0..<to.height {
          let input = row * inputs + (channel * from.height + y * step) * from.width
          let output = row * outputs + (channel * to.height + y) * to.width
          for x in 0..<to.width { body(input + x * step, output + x) }
        }
      }
    }
  }
}
