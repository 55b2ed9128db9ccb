// Pictures a little otherwise in every epoch: `--augment`.
import RandomNumbers

/// What is done to a picture before it is trained on: a random crop, a mirror image, a square cut out of it. Each is a
/// function of (seed, epoch, position), so that a picture looks the same whoever loads it, and in whatever pass.
public struct Augmentation: Sendable, Equatable, CustomStringConvertible {
  /// Pixels of zeros around a picture of which a crop of its size is taken; 0: none.
  public var padding = 0
  /// Whether half of the pictures are their mirror images, left and right exchanged.
  public var flips = false
  /// The side of a square of zeros, whose middle is any pixel (DeVries & Taylor 2017); 0: none.
  public var cutout = 0

  package static let forms = "crop:N, flip, cutout:N, with commas, as in crop:4,flip,cutout:8"
  private static let pixels = 1...4096

  /// Nothing is done.
  public init() {}

  /// As `forms` has it; nil where `text` is none of them.
  public init?(_ text: String) {
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false)
      let number = words.count == 2 ? Int(words[1]).flatMap { Self.pixels.contains($0) ? $0 : nil } : nil
      switch (words[0], number, words.count) {
      case ("flip", nil, 1) where !flips: flips = true
      case ("crop", let number?, 2) where padding == 0: padding = number
      case ("cutout", let number?, 2) where cutout == 0: cutout = number
      default: return nil
      }
    }
  }

  public var description: String {
    [padding > 0 ? "crop:\(padding)" : nil, flips ? "flip" : nil, cutout > 0 ? "cutout:\(cutout)" : nil]
      .compactMap { $0 }.joined(separator: ",")
  }

  /// The widest of its words in pixels, and the word.
  package var widest: (word: String, pixels: Int) {
    cutout > padding ? ("cutout:\(cutout)", cutout) : ("crop:\(padding)", padding)
  }
}

/// One epoch's augmentation of pictures of one size.
package struct Augmenter {
  private let augmentation: Augmentation
  private let (channels, height, width): (Int, Int, Int)
  /// Draw i is of the picture at position i of the epoch.
  private let (crops, cutouts): (Philox, Philox)

  /// - Parameter sizes: channels, height, width.
  package init(_ augmentation: Augmentation, sizes: [Int], seed: UInt64, epoch: Int) {
    self.augmentation = augmentation
    (channels, height, width) = (sizes[0], sizes[1], sizes[2])
    crops = Philox(seed: seed, purpose: .augmentation, epoch: epoch)
    cutouts = Philox(seed: seed, purpose: .augmentation, epoch: epoch, stream: 1)
  }

  /// The picture at `position`; both of shape (channels, height, width).
  package func augment(
    _ source: UnsafePointer<Float>, position: Int, into picture: UnsafeMutablePointer<Float>
  ) {
    let words = crops.words(UInt64(position))
    let padding = augmentation.padding
    let down = Self.draw(words[0], below: 2 * padding + 1) - padding
    let right = Self.draw(words[1], below: 2 * padding + 1) - padding
    let isMirrored = augmentation.flips && words[2] >> 31 == 1
    // The columns of the crop that are in the picture.
    let first = min(max(0, -right), width)
    let end = max(first, min(width, width - right))
    for row in 0..<channels * height {
      let target = picture + row * width
      let y = row % height + down
      guard y >= 0, y < height, end > first else {
        target.update(repeating: 0, count: width)
        continue
      }
      let start = source + (row / height * height + y) * width + right
      target.update(repeating: 0, count: first)
      (target + first).update(from: start + first, count: end - first)
      (target + end).update(repeating: 0, count: width - end)
      guard isMirrored else { continue }
      for x in 0..<width / 2 { (target[x], target[width - 1 - x]) = (target[width - 1 - x], target[x]) }
    }
    if augmentation.cutout > 0 { cut(picture, cutouts.words(UInt64(position))) }
  }

  /// Zeros in a square around a random pixel, as far as it is in the picture.
  private func cut(_ picture: UnsafeMutablePointer<Float>, _ words: SIMD4<UInt32>) {
    let side = augmentation.cutout
    let top = Self.draw(words[0], below: height) - side / 2
    let left = Self.draw(words[1], below: width) - side / 2
    let (rows, columns) = (max(0, top)..<min(height, top + side), max(0, left)..<min(width, left + side))
    for channel in 0..<channels {
      for y in rows {
        (picture + (channel * height + y) * width + columns.lowerBound).update(
          repeating: 0, count: columns.count)
      }
    }
  }

  /// Uniform on 0 ..< bound, of 32 random bits.
  private static func draw(_ bits: UInt32, below bound: Int) -> Int {
    Int((UInt64(bits) * UInt64(bound)) >> 32)
  }
}
