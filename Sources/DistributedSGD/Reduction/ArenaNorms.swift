// Norms of gradients and parameters, of the whole arena or of a tensor, with the same bits on any number of ranks.
import CKernels
import MPI
import NeuralNet

/// Sums of squares of the arena's pieces, each computed by the rank that owns it, and added by every rank that asks.
final class ArenaNorms {
  /// What the squares are of.
  enum Column: Int {
    /// The gradient of the mean loss, and the sums over the first and the other shards that it is made of (`TreeNode`).
    case gradient
    case leftHalf
    case rightHalf
    /// Of a tensorwise optimizer: w, and where it is to go.
    case parameters
    case direction
  }

  /// Shape (pieces)
  private let pieces: UnsafeMutableBufferPointer<Range<Int>>
  private let starts: UnsafeMutableBufferPointer<Int>
  /// Those that are others'.
  private let foreign: [Range<Int>]
  /// Shape (columns, pieces): seen by all ranks of the server, or this rank's alone.
  private let sums: UnsafeMutablePointer<Double>
  private let ownsSums: Bool
  private let communicator: any Communicator

  /// Columns that an optimizer needs.
  static func columns(of optimizer: any Optimizer) -> Int { optimizer is any TensorwiseOptimizer ? 5 : 3 }

  /// - Parameters:
  ///   - ranges: what this rank updates, in the arena's order.
  ///   - shared: memory for the sums, where the ranks share one arena.
  init(
    _ plan: NormPlan, ranges: [Range<Int>], columns: Int, shared: UnsafeMutableRawPointer?,
    communicator: any Communicator
  ) {
    pieces = .allocate(capacity: plan.pieces.count)
    _ = pieces.initialize(from: plan.pieces)
    starts = .allocate(capacity: plan.starts.count)
    _ = starts.initialize(from: plan.starts)
    let own = ranges.map(plan.pieces).filter { !$0.isEmpty }
    foreign = zip([0] + own.map(\.upperBound), own.map(\.lowerBound) + [plan.pieces.count]).map { $0..<$1 }
    ownsSums = shared == nil
    sums =
      shared?.assumingMemoryBound(to: Double.self) ?? .allocate(capacity: max(1, columns * plan.pieces.count))
    if ownsSums { sums.initialize(repeating: 0, count: columns * plan.pieces.count) }
    self.communicator = communicator
  }

  deinit {
    pieces.deallocate()
    starts.deallocate()
    if ownsSums { sums.deallocate() }
  }

  /// Adds up the squares of the pieces in a part of this rank's range.
  /// - Parameters:
  ///   - values: shape (count), from `offset` of the arena on.
  ///   - piece: the first one there; the first one behind afterwards.
  @inline(__always)
  func measure(
    _ column: Column, _ values: UnsafePointer<Float>, offset: Int, count: Int, from piece: inout Int
  ) {
    let column = sums + column.rawValue * pieces.count
    while piece < pieces.count, pieces[piece].lowerBound < offset + count {
      column[piece] = ckernels_sum_of_squares(
        values + (pieces[piece].lowerBound - offset), pieces[piece].count)
      piece += 1
    }
  }

  /// Brings the sums of some columns to all ranks, where these share no memory. Collective.
  func exchange(_ columns: ClosedRange<Int>) throws(MPIError) {
    for column in columns {
      // Each has one rank's number and zeros, whose sum is exact.
      for piece in foreign.joined() { sums[column * pieces.count + piece] = 0 }
    }
    try communicator.allReduce(
      UnsafeMutableBufferPointer(
        start: sums + columns.lowerBound * pieces.count, count: columns.count * pieces.count), .sum)
  }

  /// Of the whole arena without its statistics.
  func norm(_ column: Column) -> Double { squaredNorm(column).squareRoot() }
  func squaredNorm(_ column: Column) -> Double { squares(column, 0..<pieces.count) }

  /// Of one of the trained tensors.
  func norm(_ column: Column, tensor: Int) -> Double {
    squares(column, starts[tensor]..<starts[tensor + 1]).squareRoot()
  }

  private func squares(_ column: Column, _ range: Range<Int>) -> Double {
    pairwiseSum(sums + column.rawValue * pieces.count + range.lowerBound, count: range.count)
  }
}

/// A balanced binary tree: the left half is the largest power of two below `count`.
private func pairwiseSum(_ values: UnsafePointer<Double>, count: Int) -> Double {
  guard count > 1 else { return count == 1 ? values[0] : 0 }
  let half = 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
  return pairwiseSum(values, count: half) + pairwiseSum(values + half, count: count - half)
}
