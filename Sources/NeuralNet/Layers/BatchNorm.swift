// Batch normalisation (Ioffe & Szegedy 2015): over what it averages, and what it keeps. What it computes stands in
// BatchNormPass.swift.

/// y = γ·(x − μ)/√(σ² + ε) + β for each channel of [channels, height, width], or each of some numbers; as PyTorch's
/// `nn.BatchNorm2d` and `nn.BatchNorm1d`. In training μ and σ² are the mean and the variance of the rows that it averages
/// over; in inference those that training has kept, `running_mean` and `running_var`.
public struct BatchNorm: Layer, Equatable {
  /// What μ and σ² are taken over. Words as `--batch-norm` has them.
  public enum Span: String, Sendable, CaseIterable {
    /// A shard's rows, or a micro-batch's where that is less: 'ghost' batch normalisation (Hoffer, Hubara & Soudry 2017).
    case shard
    /// The whole global batch, forward and backward, in the order of the reduction's tree.
    case global
  }

  public static let names = ["batchnorm"]
  public static let form = "batchnorm:momentum=0.1,epsilon=1e-5"

  /// nil: a shard, if nobody says otherwise.
  public let span: Span?
  /// How much of a step's statistics goes into the running ones, from 0 to 1.
  public let momentum: Double
  /// ε
  public let epsilon: Double

  private static let defaultMomentum = 0.1
  private static let defaultEpsilon = 1e-5

  /// - Precondition: `momentum` is from 0 to 1, `epsilon` above 0.
  public init(over span: Span? = nil, momentum: Double = 0.1, epsilon: Double = 1e-5) {
    precondition(0...1 ~= momentum && epsilon > 0, "a batch norm's momentum is from 0 to 1, its ε above 0")
    self.span = span
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public init(_ word: Word) throws(WordError) {
    var reader = try WordReader(word)
    var said: [Span] = []
    for span in Span.allCases where reader.flag(span.rawValue) { said.append(span) }
    guard said.count < 2 else {
      throw WordError(word.text, "it averages over a shard or over the global batch: leave one of them out")
    }
    span = said.first
    momentum = try reader.number("momentum", .share) ?? Self.defaultMomentum
    epsilon = try reader.number("epsilon", .positive) ?? Self.defaultEpsilon
    try reader.end()
  }

  public var description: String {
    var settings = span.map { [$0.rawValue] } ?? []
    if momentum != Self.defaultMomentum { settings.append("momentum=\(momentum)") }
    if epsilon != Self.defaultEpsilon { settings.append("epsilon=\(epsilon)") }
    return settings.isEmpty ? "batchnorm" : "batchnorm:" + settings.joined(separator: ",")
  }

  /// What a shard's rows are decides what they are averaged with.
  public var needsOrder: Bool { true }
  public var needsGlobalBatch: Bool { span == .global }
  public var comparesRows: Bool { true }

  /// One number alone has no variance.
  public func leastRows(of input: Shape) -> LeastRows {
    guard input.count == input.sizes[0] else { return LeastRows() }
    return span == .global ? LeastRows(batch: 2) : LeastRows(piece: 2)
  }

  public func output(of input: Shape) -> Shape { input }

  public func tensors(of input: Shape) -> [TensorRequest] {
    let shape = [input.sizes[0]]
    return [
      TensorRequest("weight", shape: shape, role: .scale),
      TensorRequest("bias", shape: shape, role: .shift),
      TensorRequest("running_mean", shape: shape, role: .statistic(momentum: momentum, initial: 0)),
      TensorRequest("running_var", shape: shape, role: .statistic(momentum: momentum, initial: 1)),
    ]
  }

  public func prepared(_ place: LayerPlace) -> any LayerPass { BatchNormPass(self, place) }
}
