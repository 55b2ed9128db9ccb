// What a layer is, as a value without numbers: its word, its shapes, the tensors that it asks for.

/// A tensor that a layer wants in the arena of parameters.
public struct TensorRequest: Sendable, Equatable {
  /// What a tensor is for, which tells how it is drawn and how a step changes it.
  public enum Role: Sendable, Hashable {
    /// Each output is a sum over `fanIn` of them.
    case weight(fanIn: Int)
    /// Added to a sum over `fanIn` weights.
    case bias(fanIn: Int)
    /// A factor; begins as 1.
    case scale
    /// Added to what a factor has scaled; begins as 0.
    case shift
    /// Not learned but measured, in the arena and in files like a parameter: an average of what passes have seen, begins
    /// as `initial`. In the place of a gradient its layer leaves what a shard contributes to the batch's value, weighted
    /// so that the sum over all shards is that value; then w ← (1 − momentum)·w + momentum·value. No optimizer, decay or
    /// norm looks at it.
    case statistic(momentum: Double, initial: Float)

    /// Whether the optimizer moves it.
    public var isTrained: Bool { if case .statistic = self { false } else { true } }
  }

  /// Within the layer, as PyTorch's module has it: `weight`, `bias`.
  public let name: String
  /// Row-major.
  public let shape: [Int]
  /// How it begins.
  public let role: Role

  /// - Parameter name: another one for each tensor of the layer.
  public init(_ name: String, shape: [Int], role: Role) {
    self.name = name
    self.shape = shape
    self.role = role
  }
}

/// A layer as one writes it down. Its word is what `--model` and model files say of it.
public protocol Layer: Named {
  /// The shape of one example behind the layer.
  /// - Throws: `ShapeError` where it cannot take such an input.
  func output(of input: Shape) throws(ShapeError) -> Shape
  /// What it learns, in the order in which it lies in the arena.
  func tensors(of input: Shape) -> [TensorRequest]
  /// The layer with its buffers, for one network. Called once, before the first pass.
  func prepared(_ place: LayerPlace) -> any LayerPass

  /// Whether each row must be that of its position in the epoch, as for masks that are a function of it. Otherwise
  /// a batch may be read as a set.
  var needsOrder: Bool { get }
  /// Whether its passes ask for sums over the global batch (`Pass.sumOverGlobalBatch`). All shards of a rank are then
  /// in memory at once.
  var needsGlobalBatch: Bool { get }
  /// Examples that a training pass needs at least, in each piece and in a global batch: layers that look at how rows
  /// differ learn nothing of one.
  func leastRows(of input: Shape) -> LeastRows
  /// Whether what it makes of a row depends on the other rows of its piece: then no piece is cut unless a user says so.
  var comparesRows: Bool { get }
  /// Multiplications and additions of one example's forward pass, in products alone.
  func forwardOperations(of input: Shape) -> Int
  /// The layer where the data tell how many outputs the last one has; for layers that can do without the number.
  func completed(outputs: Int) -> Self
}

extension Layer {
  public func tensors(of input: Shape) -> [TensorRequest] { [] }
  public var needsOrder: Bool { false }
  public var needsGlobalBatch: Bool { false }
  public var comparesRows: Bool { false }
  public func leastRows(of input: Shape) -> LeastRows { LeastRows() }
  public func forwardOperations(of input: Shape) -> Int { 0 }
  public func completed(outputs: Int) -> Self { self }
}

/// How many examples a layer must see to learn something.
public struct LeastRows: Sendable, Equatable {
  /// Of a shard, or of a micro-batch where it is less.
  public var piece: Int
  /// Of the global batch.
  public var batch: Int

  /// One is enough if nothing is said.
  public init(piece: Int = 1, batch: Int = 1) {
    self.piece = piece
    self.batch = batch
  }

  /// What suits both.
  func and(_ other: LeastRows) -> LeastRows {
    LeastRows(piece: max(piece, other.piece), batch: max(batch, other.batch))
  }
}

/// What a layer may know when it allocates.
public struct LayerPlace {
  /// Another number for every layer of a model: for random numbers of its own.
  public let number: Int
  /// Of one example in front of the layer.
  public let input: Shape
  /// The first float of each of its tensors in the arena.
  public let offsets: [Int]
  /// Rows of a pass at most.
  public let maximumRows: Int
  /// Of the run.
  public let seed: UInt64
  /// Passes over several pieces that will occur (`Network.init`).
  public let passes: Set<[Int]>
  /// Who computes products and functions.
  public let arithmetic: Arithmetic
  /// Passes that may have to wait for parameters (`PassObserver`).
  let waitingPasses: Set<[Int]>
  /// Those of the arithmetic, the same ones for all layers of a network, which keeps them.
  public let products: any MatrixProducts
}

/// A layer that is made of layers, the words in its parentheses: `residual(dense:64 relu dense:64)`.
public protocol CompositeLayer: Layer {
  /// - Parameter layers: those in the parentheses, one or more, as the catalogue has made them.
  init(_ word: Word, layers: [any Layer]) throws(WordError)
}

extension CompositeLayer {
  public init(_ word: Word) throws(WordError) {
    throw WordError(word.text, "its layers are missing, as in \(Self.form)")
  }
}
