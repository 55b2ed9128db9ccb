// Images at another size, by a filter that is exact in integers, so that no machine rounds otherwise.

/// How the pixels of one side become those of another: for every new pixel where its old ones begin, and their weights.
struct ResizingTaps {
  /// Shape (new), and one more: the end.
  private(set) var starts: [Int] = []
  /// The first old pixel of every new one.
  private(set) var first: [Int] = []
  private(set) var weights: [Int] = []
  /// What the weights of every new pixel add up to.
  let total: Int

  /// A smaller side takes the mean over the part of the old side that a new pixel covers; a larger one goes in a
  /// straight line from the centre of one old pixel to the next.
  init(from old: Int, to new: Int) {
    if new <= old {
      // In units of 1/new of an old pixel, old pixel i covers [i·new, (i+1)·new), new pixel j [j·old, (j+1)·old).
      total = old
      for j in 0..<new {
        starts.append(weights.count)
        let (from, to) = (j * old, (j + 1) * old)
        first.append(from / new)
        for i in from / new...(to - 1) / new {
          weights.append(min(to, (i + 1) * new) - max(from, i * new))
        }
      }
    } else {
      // The centre of new pixel j lies at ((2j + 1)·old − new) / (2·new), counted from the centre of old pixel 0.
      total = 2 * new
      for j in 0..<new {
        starts.append(weights.count)
        let place = min(max((2 * j + 1) * old - new, 0), (old - 1) * 2 * new)
        let (left, part) = place.quotientAndRemainder(dividingBy: 2 * new)
        first.append(left)
        weights.append(2 * new - part)
        if part > 0 { weights.append(part) }
      }
    }
    starts.append(weights.count)
  }
}

extension Picture {
  /// The image at another size, squeezed where the sides have another proportion: every byte is the exact weighted
  /// mean, rounded to the nearest (halves up).
  package func resized(to size: ImageSize) -> Picture {
    guard size.width != width || size.height != height else { return self }
    let across = ResizingTaps(from: width, to: size.width)
    let down = ResizingTaps(from: height, to: size.height)
    let rowSize = size.width * channels
    // Rows of the old height at the new width: sums of at most 255 · total.
    var rows = [Int](repeating: 0, count: height * rowSize)
    var result = [UInt8](repeating: 0, count: size.height * rowSize)
    rows.withUnsafeMutableBufferPointer { rows in
      pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<height {
          for x in 0..<size.width {
            let begin = across.starts[x]
            let count = across.starts[x + 1] - begin
            let source = (y * width + across.first[x]) * channels
            for channel in 0..<channels {
              var sum = 0
              for tap in 0..<count {
                sum += across.weights[begin + tap] * Int(pixels[source + tap * channels + channel])
              }
              rows[y * rowSize + x * channels + channel] = sum
            }
          }
        }
      }
      let total = across.total * down.total
      result.withUnsafeMutableBufferPointer { result in
        for y in 0..<size.height {
          let begin = down.starts[y]
          let count = down.starts[y + 1] - begin
          for i in 0..<rowSize {
            var sum = total / 2
            for tap in 0..<count {
              sum += down.weights[begin + tap] * rows[(down.first[y] + tap) * rowSize + i]
            }
            result[y * rowSize + i] = UInt8(sum / total)
          }
        }
      }
    }
    return Picture(width: size.width, height: size.height, channels: channels, pixels: result)
  }
}
