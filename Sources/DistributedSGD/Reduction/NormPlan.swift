// Where sums of squares over the arena are cut, so that their bits do not depend on who computes which of them.
import NeuralNet

/// The arena's blocks, cut where a tensor ends: every *piece* lies in one rank's part and in one tensor. A norm is the
/// square root of the pieces' sums, which are added in a balanced binary tree.
package struct NormPlan: Sendable {
  /// In the order of the arena; statistics have none.
  package let pieces: [Range<Int>]
  /// Shape (trained tensors + 1): the first piece of each.
  package let starts: [Int]

  /// - Parameter tensors: none: all of the arena is one.
  package init(tensors: [ParameterTensor], parameterCount: Int) {
    let ranges =
      tensors.isEmpty
      ? [0..<parameterCount] : tensors.filter { $0.role.isTrained && $0.count > 0 }.map(\.range)
    let block = ArenaLayout.block
    var pieces: [Range<Int>] = []
    var starts = [0]
    for range in ranges where !range.isEmpty {
      for index in range.lowerBound / block...(range.upperBound - 1) / block {
        pieces.append(range.clamped(to: index * block..<(index + 1) * block))
      }
      starts.append(pieces.count)
    }
    self.pieces = pieces
    self.starts = starts
  }

  /// The pieces in `range`, which cuts no block.
  package func pieces(in range: Range<Int>) -> Range<Int> {
    let first = pieces.firstIndex { $0.upperBound > range.lowerBound } ?? pieces.count
    let end = pieces.firstIndex { $0.lowerBound >= range.upperBound } ?? pieces.count
    return min(first, end)..<end
  }
}
