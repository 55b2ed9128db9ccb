// A graph of operations as ONNX knows them: what a layer says of itself so that other programs can compute it.

/// Operations on tensors, in the order in which they are made. Values are known by names; an operation's result has a
/// name of its own. The operators are those of ONNX's opset 17 (and `ai.onnx.ml` 3):
/// <https://onnx.ai/onnx/operators>.
public struct Graph: Sendable {
  /// What an operation is told beside its inputs.
  public enum Attribute: Sendable {
    /// One number.
    case float(Float)
    /// One whole number.
    case int(Int)
    /// Several.
    case ints([Int])
    /// Several texts.
    case strings([String])
  }

  /// The type of a tensor's elements, with ONNX's number.
  public enum Element: Int, Sendable {
    /// Single precision.
    case float = 1
    /// 64 bits.
    case int64 = 7
    /// UTF-8.
    case string = 8
    /// Double precision.
    case double = 11
  }

  struct Node: Sendable {
    let type, domain: String
    let inputs: [String]
    let output: String
    let attributes: [(name: String, value: Attribute)]
  }

  struct Constant: Sendable {
    let name: String
    let element: Element
    let shape: [Int]
    /// Little-endian numbers.
    var bytes: [UInt8] = []
    var texts: [String] = []
  }

  struct Value: Sendable {
    let name: String
    let element: Element
    /// nil: as many as there are examples.
    let shape: [Int?]
  }

  private(set) var nodes: [Node] = []
  private(set) var constants: [Constant] = []
  private(set) var inputs: [Value] = []
  private(set) var outputs: [Value] = []

  /// Nothing is computed yet.
  public init() {}

  /// Adds an operation with one result.
  /// - Parameters:
  ///   - domain: of the operator; empty for ONNX's own.
  ///   - output: the result's name; a new one if nothing is said.
  /// - Returns: the result's name.
  public mutating func add(
    _ type: String, _ inputs: [String], _ attributes: KeyValuePairs<String, Attribute> = [:],
    domain: String = "", output: String? = nil
  ) -> String {
    let output = output ?? "\(type)_\(nodes.count)"
    nodes.append(
      Node(
        type: type, domain: domain, inputs: inputs, output: output,
        attributes: attributes.map { ($0.key, $0.value) }))
    return output
  }

  /// A tensor that is known beforehand; row-major.
  /// - Returns: its name.
  public mutating func constant(_ values: [Float], shape: [Int]) -> String {
    add(.float, shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  /// The same, in double precision.
  public mutating func constant(_ values: [Double], shape: [Int]) -> String {
    add(.double, shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  /// The same, of whole numbers.
  public mutating func constant(_ values: [Int], shape: [Int]) -> String {
    add(.int64, shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  /// The same, of texts.
  public mutating func constant(_ values: [String], shape: [Int]) -> String {
    add(.string, shape, texts: values)
  }

  private mutating func add(
    _ element: Element, _ shape: [Int], bytes: [UInt8] = [], texts: [String] = []
  ) -> String {
    let name = "constant_\(constants.count)"
    constants.append(Constant(name: name, element: element, shape: shape, bytes: bytes, texts: texts))
    return name
  }

  /// What goes in.
  /// - Parameter shape: nil is the number of examples.
  public mutating func addInput(_ name: String, _ element: Element, shape: [Int?]) {
    inputs.append(Value(name: name, element: element, shape: shape))
  }

  /// What comes out: the result of that name.
  public mutating func addOutput(_ name: String, _ element: Element, shape: [Int?]) {
    outputs.append(Value(name: name, element: element, shape: shape))
  }
}

/// A layer that can be computed elsewhere. For one of your own: `extension Mine: GraphLayer { … }`.
public protocol GraphLayer: Layer {
  /// Adds the operations of a pass in inference.
  /// - Parameters:
  ///   - input: the name of its input, shape (examples, shape.count), row-major.
  ///   - shape: of one example.
  ///   - parameters: the values of its tensors, in the order of `tensors(of:)`.
  /// - Returns: the name of its output, shape (examples, numbers of its output).
  /// - Throws: `ExportError` where a layer within it cannot be exported.
  func addNodes(
    to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]
  ) throws(ExportError) -> String
}

/// A loss of classes whose probabilities can be computed elsewhere.
public protocol GraphLoss: Loss {
  /// - Parameter output: the name of the model's output, shape (examples, columns).
  /// - Returns: the name of the probabilities, shape (examples, classes).
  func addProbabilities(to graph: inout Graph, output: String) -> String
}

/// What has no form in another program.
public struct ExportError: Error, Sendable, CustomStringConvertible {
  public let description: String

  /// - Parameter description: what it is, and what would help.
  public init(_ description: String) { self.description = description }
}

extension Sequential {
  /// Adds the layers of a model one after the other.
  /// - Parameter parameters: shape (parameterCount), laid out by `tensors`.
  /// - Returns: the name of the output, shape (examples, outputCount).
  /// - Throws: `ExportError` that names the layer which has no form in a graph.
  public func addNodes(
    to graph: inout Graph, input: String, parameters: [Float]
  ) throws(ExportError) -> String {
    var value = input
    var tensors = tensors.makeIterator()
    for (layer, shape) in zip(layers, inputShapes) {
      guard let layer = layer as? any GraphLayer else {
        throw ExportError(
          "the layer '\(layer)' has no form in ONNX: a program that has it can give it one (GraphLayer)")
      }
      let own = layer.tensors(of: shape).map { _ in Array(parameters[tensors.next()!.range]) }
      value = try layer.addNodes(to: &graph, input: value, shape: shape, parameters: own)
    }
    return value
  }
}
