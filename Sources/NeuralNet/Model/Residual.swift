// A residual block: what some layers make of their input is added to it (He et al. 2016).
import CKernels

/// y = x + f(x), f the layers in its parentheses. In PyTorch an `nn.Sequential` whose forward adds its input. Where f makes
/// smaller pictures of more channels, x goes through a `Shortcut`.
public struct Residual: CompositeLayer {
  public static let names = ["residual"]
  public static let form = "residual(dense:64 relu dense:64)"

  /// f, from the first to the last.
  public let layers: [any Layer]

  public init(_ layers: [any Layer]) { self.layers = layers }

  public init(_ word: Word, layers: [any Layer]) throws(WordError) {
    try WordReader(word).end(allowsWords: true)
    self.layers = layers
  }

  public var description: String { "residual(\(layers.map(\.description).joined(separator: " ")))" }
  public var needsOrder: Bool { layers.contains { $0.needsOrder } }
  public var needsGlobalBatch: Bool { layers.contains { $0.needsGlobalBatch } }
  public var comparesRows: Bool { layers.contains { $0.comparesRows } }

  /// Its layers as a model of their own, where `output(of:)` has found that they fit.
  private func block(_ input: Shape) -> Sequential {
    guard let block = try? Sequential(layers, input: input) else {
      preconditionFailure("a model checks its shapes before anything else is asked")
    }
    return block
  }

  public func output(of input: Shape) throws(ShapeError) -> Shape {
    let output = try Sequential(layers, input: input).outputShape
    guard Shortcut(from: input, to: output) != nil else {
      let sizes =
        output.sizes.count == 1 && input.sizes.count == 1
        ? "\(output) numbers of \(input)" : "\(output) of \(input)"
      throw ShapeError(
        "'\(self)': its layers make \(sizes), and cannot be added to them: keep the shape, or make pictures smaller by a stride and their channels more"
      )
    }
    return output.count == input.count ? input : output
  }

  public func tensors(of input: Shape) -> [TensorRequest] {
    block(input).tensors.map { TensorRequest($0.name, shape: $0.shape, role: $0.role) }
  }

  public func leastRows(of input: Shape) -> LeastRows { block(input).leastRows }

  public func forwardOperations(of input: Shape) -> Int { block(input).forwardOperations }

  public func prepared(_ place: LayerPlace) -> any LayerPass { ResidualPass(block(place.input), place) }
}

private final class ResidualPass: LayerPass, PieceSumming {
  private let chain: Chain
  private let shortcut: Shortcut
  /// Shape (maximumRows, width): the gradient at the chain's output, which the chain may overwrite.
  private let gradient: UnsafeMutableBufferPointer<Float>

  init(_ block: Sequential, _ place: LayerPlace) {
    guard let shortcut = Shortcut(from: place.input, to: block.outputShape) else {
      preconditionFailure("a model checks its shapes before anything else is asked")
    }
    self.shortcut = shortcut
    chain = Chain(
      block, offset: place.offsets.first ?? 0, number: place.number << 8, maximumRows: place.maximumRows,
      passes: place.passes, waitingPasses: place.waitingPasses, seed: place.seed,
      arithmetic: place.arithmetic, products: place.products)
    gradient = .allocate(capacity: max(1, place.maximumRows * block.outputShape.count))
  }

  deinit { gradient.deallocate() }

  var partialSumLength: Int { chain.partialSumLength }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard let start = x.baseAddress, let result = y.baseAddress else { return }
    let output = chain.forward(start, pass)
    if shortcut.step == nil { return ckernels_sum(result, start, output, x.count) }
    result.update(from: output, count: y.count)
    shortcut.add(start, to: result, rows: pass.rows)
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient sum: borrowing GradientSum
  ) {
    guard let start = x.baseAddress, let dyStart = dy.baseAddress else { return }
    let copy = gradient.baseAddress!
    copy.update(from: dyStart, count: dy.count)
    chain.backward(copy, input: start, pass, gradient: sum, into: dx?.baseAddress)
    guard let dx = dx?.baseAddress else { return }
    if shortcut.step == nil { return ckernels_add(dx, dyStart, dy.count) }
    shortcut.addGradient(dyStart, to: dx, rows: pass.rows)
  }
}
