// Adds in the order of a balanced binary tree, one leaf after the other, with few partial sums at a time.
import CKernels

/// Leaves the sum of some arrays that lie one after the other in the first of them, and overwrites the others: in the
/// order of a balanced binary tree whose missing last leaves are skipped.
/// - Parameter length: of each array.
package func addPairwise(_ arrays: UnsafeMutablePointer<Float>, count: Int, length: Int) {
  var width = 1
  while width < count {
    for i in stride(from: 0, to: count - width, by: 2 * width) {
      ckernels_add(arrays + i * length, arrays + (i + width) * length, length)
    }
    width *= 2
  }
}

/// The same for single numbers, which are overwritten.
@inline(__always)
package func pairwiseSum(_ numbers: UnsafeMutablePointer<Float>, count: Int) -> Float {
  var width = 1
  while width < count {
    var i = 0
    while i + width < count {
      numbers[i] += numbers[i + width]
      i += 2 * width
    }
    width *= 2
  }
  return numbers[0]
}

/// The sum of some arrays of floats, two and two, then the pairs two and two, and so on: the order of a
/// balanced binary tree whose missing last leaves are skipped.
///
/// The partial sums are the digits of a binary counter of the leaves seen so far, so there are at most
/// log₂(leaves) + 1 of them.
///
/// Several leaves and their sums are rounded to `format`; a single one is left as it is, for more may be added to it.
struct PairwiseSum {
  let format: GradientFormat
  private let capacity: Int
  /// Shape (levels, capacity)
  private let partialSums: UnsafeMutablePointer<Float>

  /// For up to `maximumLeaves` arrays of up to `capacity` floats.
  init(maximumLeaves: Int, capacity: Int, format: GradientFormat = .fp32) {
    self.format = format
    var levels = 0
    while 1 << levels < maximumLeaves { levels += 1 }
    self.capacity = capacity
    partialSums = .allocate(capacity: max(1, levels * capacity))
  }

  func deallocate() { partialSums.deallocate() }

  /// Leaves the sum in `result`.
  /// - Parameters:
  ///   - addsInPlace: whether a leaf may be added by `leaf` itself, which then takes `true`: for products
  ///     that can add to what is there, and round it once as an addition would.
  ///   - leaf: writes leaf i, an array of `count` floats, or adds it to what is there.
  @inline(__always)
  func run(
    leaves: Int, into result: UnsafeMutablePointer<Float>, count: Int, addsInPlace: Bool,
    leaf: (_ i: Int, _ target: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    precondition(count <= capacity || leaves == 1)
    var height = 0
    func sum(_ index: Int) -> UnsafeMutablePointer<Float> {
      index == 0 ? result : partialSums + (index - 1) * capacity
    }
    func merge() {
      height -= 1
      format.add(sum(height - 1), sum(height), count)
    }
    let isRounded = format.isHalf && leaves > 1
    for i in 0..<leaves {
      // The trailing ones of i are the complete subtrees that this leaf completes in turn.
      var complete = i
      if addsInPlace, !isRounded, i % 2 == 1 {
        leaf(i, sum(height - 1), true)
        complete >>= 1
      } else {
        leaf(i, sum(height), false)
        if isRounded { format.round(sum(height), count) }
        height += 1
      }
      while complete % 2 == 1 {
        merge()
        complete >>= 1
      }
    }
    while height > 1 { merge() }
  }
}
