// A model made ready to run: every buffer of a forward and backward pass allocated once.

/// Runs a `Sequential` on at most `maximumRows` examples at a time. Parameters and gradients belong to the
/// caller, who passes their arenas to every call.
public final class Network {
  /// The layers and their places in the arena.
  public let model: Sequential
  /// Examples of a pass at most.
  public let maximumRows: Int
  private let chain: Chain
  /// Shape (maximumRows, outputs), where the last layer needs its output again; what the caller turns into the
  /// gradient is then this copy.
  private let outputCopy: UnsafeMutablePointer<Float>?
  /// What the last `forward` has returned.
  private var output: UnsafeMutablePointer<Float>?
  private let sum: PairwiseSum
  /// Shape (pieces of a pass at most)
  private let targets: UnsafeMutableBufferPointer<GradientSum.Target>
  /// Shape (2): the bounds of a pass over one piece.
  private let onePiece: UnsafeMutableBufferPointer<Int>

  /// Allocates all buffers.
  /// - Parameters:
  ///   - passes: passes over several pieces that will occur: for each, the row at which each piece starts, and the
  ///     end of the last.
  ///   - waitingPasses: all passes in front of which parameters may still be on their way (`PassObserver`), in the same form.
  ///   - seed: of the run, for layers that draw numbers.
  ///   - format: of the gradients of several pieces and their sums; what a single piece leaves is not rounded.
  public init(
    _ model: Sequential, maximumRows: Int, passes: Set<[Int]> = [], waitingPasses: Set<[Int]> = [],
    seed: UInt64 = 0, arithmetic: Arithmetic = .blas, format: GradientFormat = .fp32
  ) {
    self.model = model
    self.maximumRows = maximumRows
    chain = Chain(
      model, offset: 0, number: 0, maximumRows: maximumRows, passes: passes,
      waitingPasses: waitingPasses, seed: seed, arithmetic: arithmetic,
      products: arithmetic.makeProducts())
    outputCopy = chain.keepsLastOutput ? .allocate(capacity: max(1, maximumRows * model.outputCount)) : nil
    let maximumPieces = passes.map { $0.count - 1 }.max() ?? 1
    sum = PairwiseSum(maximumLeaves: maximumPieces, capacity: chain.partialSumLength, format: format)
    targets = .allocate(capacity: max(1, maximumPieces))
    onePiece = .allocate(capacity: 2)
    onePiece.initialize(repeating: 0)
  }

  deinit {
    outputCopy?.deallocate()
    sum.deallocate()
    targets.deallocate()
    onePiece.deallocate()
  }

  /// The model's output for `input` of shape (rows, inputs); shape (rows, outputs), valid until the next call.
  /// The caller may turn it into the gradient of the loss, for `backward`.
  @inline(__always)
  public func forward(_ input: UnsafePointer<Float>, _ pass: borrowing Pass) -> UnsafeMutablePointer<Float> {
    let rows = pass.rows
    precondition(rows <= maximumRows)
    var result = chain.forward(input, pass)
    if let outputCopy {
      outputCopy.update(from: result, count: rows * model.outputCount)
      result = outputCopy
    }
    output = result
    return result
  }

  /// Gradients of the parameters, from the gradient at the output that the caller has left in `forward`'s
  /// result: the pairwise sum of those of the pieces.
  /// - Parameters:
  ///   - input: as in `forward`.
  ///   - pass: as in `forward`.
  ///   - arena: in the layout of the parameters; it is overwritten, or added to if `accumulate`, which goes
  ///     with one piece only.
  @inline(__always)
  public func backward(
    _ input: UnsafePointer<Float>, _ pass: borrowing Pass, into arena: UnsafeMutablePointer<Float>,
    accumulate: Bool = false
  ) {
    targets[0] = GradientSum.Target(pieces: pass.pieces, arena: arena)
    backward(input, pass, targetCount: 1, accumulate: accumulate)
  }

  /// The same, where groups of neighbouring pieces have a sum each.
  /// - Parameter groups: how many pieces, and the arena of their sum.
  public func backward(
    _ input: UnsafePointer<Float>, _ pass: borrowing Pass,
    into groups: [(pieces: Int, arena: UnsafeMutablePointer<Float>)]
  ) {
    var first = 0
    for (index, group) in groups.enumerated() {
      targets[index] = GradientSum.Target(
        pieces: UnsafeBufferPointer(rebasing: pass.pieces[first...first + group.pieces]), arena: group.arena)
      first += group.pieces
    }
    backward(input, pass, targetCount: groups.count, accumulate: false)
  }

  @inline(__always)
  private func backward(
    _ input: UnsafePointer<Float>, _ pass: borrowing Pass, targetCount: Int, accumulate: Bool
  ) {
    guard let output else { preconditionFailure("backward follows forward") }
    chain.backward(
      output, input: input, pass,
      gradient: GradientSum(
        targets: UnsafeBufferPointer(rebasing: targets[..<targetCount]), accumulates: accumulate, sum: sum),
      into: nil)
  }

  /// `forward` for one piece: all `rows`.
  @inline(__always)
  public func forward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int, mode: Pass.Mode = .inference
  ) -> UnsafeMutablePointer<Float> {
    onePiece[1] = rows
    return forward(
      input, Pass(pieces: UnsafeBufferPointer(onePiece), mode: mode, parameters: parameters))
  }

  /// `backward` for one piece: all `rows`.
  @inline(__always)
  public func backward(
    parameters: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int, mode: Pass.Mode = .inference,
    into arena: UnsafeMutablePointer<Float>, accumulate: Bool = false
  ) {
    onePiece[1] = rows
    backward(
      input, Pass(pieces: UnsafeBufferPointer(onePiece), mode: mode, parameters: parameters), into: arena,
      accumulate: accumulate)
  }
}
