// The names by which a user asks for a model: linear, softmax, mlp:256,128.

/// A kind of model, before the data say how many inputs and outputs it has.
public struct ModelSpecification: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// One dense layer with one output.
    case linear
    /// One dense layer with an output for every class.
    case softmax
    /// Dense layers of these widths, an activation behind each, and a dense layer for the output.
    case mlp(hidden: [Int], Activation)
  }

  public let kind: Kind

  public init(_ kind: Kind) { self.kind = kind }

  public static let names = ["linear", "softmax", "mlp:256,128"]

  /// `linear`, `softmax`, `mlp:WIDTH,…`; nil when `text` is none of them.
  public init?(_ text: String, activation: Activation = .relu) {
    switch text {
    case "linear": kind = .linear
    case "softmax": kind = .softmax
    default:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == "mlp" else { return nil }
      let widths = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      guard widths.allSatisfy({ (1...1_000_000).contains($0) }) else { return nil }
      kind = .mlp(hidden: widths, activation)
    }
  }

  public var description: String {
    switch kind {
    case .linear: "linear"
    case .softmax: "softmax"
    case .mlp(let hidden, _): "mlp:" + hidden.map(String.init).joined(separator: ",")
    }
  }

  public var activation: Activation? {
    if case .mlp(_, let activation) = kind { activation } else { nil }
  }

  /// Dense layers.
  public var layerCount: Int {
    if case .mlp(let hidden, _) = kind { hidden.count + 1 } else { 1 }
  }

  public func model(inputs: Int, outputs: Int) -> Sequential {
    guard case .mlp(let hidden, let activation) = kind else {
      return Sequential(inputs: inputs, Dense(outputs))
    }
    return Sequential(inputs: inputs, hidden.map { Dense($0, activation) } + [Dense(outputs)])
  }

  /// The chapter's N(0, 0.01²) for one layer, PyTorch's default for several.
  public var initialization: Initialization {
    if case .mlp = kind { .uniform } else { .normal }
  }
}
