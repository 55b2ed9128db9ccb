// What happens in a layer while a network runs: a pass over some rows, forward and backward.
import System

/// The rows of one forward and backward pass: neighbouring shards of a batch, piece by piece. Each piece must get
/// the bits that it would have alone.
public struct Pass {
  /// What the pass is for.
  public enum Mode: Sendable, Equatable {
    /// No gradient follows; layers such as dropout do nothing.
    case inference
    /// Row i is position `position` + i of an epoch's order, where the model needs an order.
    case training(epoch: Int, position: Int)
  }

  /// Shape (pieces + 1): the row at which each piece starts, and the end of the last.
  public let pieces: UnsafeBufferPointer<Int>
  /// Training or inference.
  public let mode: Mode
  /// The arena, laid out by `Sequential.tensors`.
  public let parameters: UnsafePointer<Float>
  /// Examples of the global batch that the rows are a part of.
  public let batchRows: Int
  // Not owned: a pass lives no longer than the call that makes it. A nil's references would be counted all the same, so
  // whether there is somebody is asked first.
  @usableFromInline unowned(unsafe) let globalSum: (any GlobalBatchSum)?
  /// Who wants to know how far the pass is.
  @usableFromInline unowned(unsafe) let observer: (any PassObserver)?
  @usableFromInline let isObserved: Bool
  /// Whether somebody wants to know of gradients as soon as they are there.
  @usableFromInline let tellsOfGradients: Bool

  /// A pass over all pieces; for who runs a `Network` or tests a layer.
  /// - Parameters:
  ///   - batchRows: nil: the pieces are all there is.
  ///   - observer: who is told how far the forward pass is.
  ///   - isLast: whether it is told of the backward pass too, which leaves the gradients as they are to be.
  @inlinable @inline(__always)
  public init(
    pieces: UnsafeBufferPointer<Int>, mode: Mode, parameters: UnsafePointer<Float>, batchRows: Int? = nil,
    globalSum: (any GlobalBatchSum)? = nil, observer: (any PassObserver)? = nil, isLast: Bool = false
  ) {
    self.pieces = pieces
    self.mode = mode
    self.parameters = parameters
    self.batchRows = batchRows ?? pieces[pieces.count - 1]
    self.globalSum = globalSum
    self.observer = observer
    isObserved = observer != nil
    tellsOfGradients = isLast && observer != nil
  }

  /// Whether a layer's parameters are there, in the forward pass.
  @inline(__always)
  func hasArrived(_ parameters: Range<Int>) -> Bool {
    guard isObserved, let observer else { return true }
    return observer.hasArrived(upTo: parameters.upperBound)
  }

  /// A layer is about to read its parameters, in the forward pass.
  @inline(__always)
  func willRead(_ parameters: Range<Int>) {
    if isObserved, let observer, !parameters.isEmpty { observer.willRead(upTo: parameters.upperBound) }
  }

  /// The gradients of a layer's parameters are there.
  @inline(__always)
  func didSum(_ parameters: Range<Int>) {
    if tellsOfGradients, let observer, !parameters.isEmpty { observer.didSum(downTo: parameters.lowerBound) }
  }

  /// The backward pass reads them no more.
  @inline(__always)
  func didRead(_ parameters: Range<Int>) {
    if tellsOfGradients, let observer, !parameters.isEmpty { observer.didRead(downTo: parameters.lowerBound) }
  }

  /// Of all pieces.
  public var rows: Int { pieces[pieces.count - 1] }
  /// Pieces.
  public var pieceCount: Int { pieces.count - 1 }

  /// The rows of a piece.
  public func rows(ofPiece piece: Int) -> Range<Int> { pieces[piece]..<pieces[piece + 1] }

  /// A sum over all shards of the global batch, of all ranks, in the order of the reduction's tree: its bits do not
  /// depend on the number of ranks. Every rank calls it the same number of times in a pass.
  /// - Parameters:
  ///   - leaves: shape (pieceCount, total.count), what each piece adds; overwritten.
  ///   - total: the sum.
  public func sumOverGlobalBatch(
    _ leaves: UnsafeMutableBufferPointer<Float>, into total: UnsafeMutableBufferPointer<Float>
  ) {
    if let globalSum { return globalSum.sum(leaves, into: total) }
    // Alone: the pieces are all there is.
    guard pieceCount > 0, let sums = leaves.baseAddress else { return total.update(repeating: 0) }
    addPairwise(sums, count: pieceCount, length: total.count)
    _ = total.update(fromContentsOf: leaves[..<total.count])
  }
}

/// Who adds up over the ranks of a job what their passes contribute; a network knows nothing of ranks.
public protocol GlobalBatchSum: AnyObject {
  /// As `Pass.sumOverGlobalBatch`.
  func sum(_ leaves: UnsafeMutableBufferPointer<Float>, into total: UnsafeMutableBufferPointer<Float>)
}

/// A layer at work. It belongs to one network and so to one thread. Rows lie one after the other in every buffer.
public protocol LayerPass: AnyObject {
  /// Writes y, shape (rows, outputs), from x, shape (rows, inputs). A row's result must not depend on rows of other
  /// pieces; what could (a BLAS product's order of additions depends on its size) goes piece by piece.
  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass)

  /// Adds the gradients of the layer's parameters to `gradient`, and writes ∂loss/∂x.
  /// - Parameters:
  ///   - dy: ∂loss/∂y, shape (rows, outputs).
  ///   - x: of the last `forward`.
  ///   - y: of the last `forward`.
  ///   - dx: shape (rows, inputs); nil where nobody wants it. It overlaps with none of the others.
  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum)
}

/// A pass that knows how many floats it adds up over pieces at a time; others may add up all their tensors at once.
protocol PieceSumming {
  var partialSumLength: Int { get }
}

/// Where a pass leaves the gradients of the parameters: sums over its pieces in the order of a balanced binary tree.
public struct GradientSum {
  /// Some of the pass's pieces, and the arena that takes their sum.
  struct Target {
    let pieces: UnsafeBufferPointer<Int>
    let arena: UnsafeMutablePointer<Float>
  }

  let targets: UnsafeBufferPointer<Target>
  /// Whether the sum is added to what is there; with one piece only.
  let accumulates: Bool
  let sum: PairwiseSum

  /// Adds the gradient of a tensor, piece by piece.
  /// - Parameters:
  ///   - range: the tensor's place in the arena.
  ///   - leaf: adds the gradient from `rows` to `target`, which holds zeros or what earlier rows of the same piece
  ///     have left.
  public func add(
    _ range: Range<Int>,
    leaf: (_ rows: Range<Int>, _ target: UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    for target in targets {
      sum.run(
        leaves: target.pieces.count - 1, into: target.arena + range.lowerBound, count: range.count,
        addsInPlace: false
      ) { piece, memory, _ in
        if !accumulates { memory.update(repeating: 0, count: range.count) }
        leaf(
          target.pieces[piece]..<target.pieces[piece + 1],
          UnsafeMutableBufferPointer(start: memory, count: range.count))
      }
    }
  }

  /// The gradient of a tensor, where a layer has summed up each piece itself.
  /// - Parameters:
  ///   - range: the tensor's place in the arena.
  ///   - sums: that of the pass's first piece; each next one lies `stride` floats further. What the arena holds is
  ///     already in it.
  func store(_ range: Range<Int>, of pass: borrowing Pass, from sums: UnsafePointer<Float>, stride: Int) {
    for target in targets {
      guard let all = pass.pieces.baseAddress, let own = target.pieces.baseAddress else { continue }
      let first = own - all
      sum.run(
        leaves: target.pieces.count - 1, into: target.arena + range.lowerBound, count: range.count,
        addsInPlace: false
      ) { piece, memory, _ in
        memory.update(from: sums + (first + piece) * stride, count: range.count)
      }
    }
  }
}
