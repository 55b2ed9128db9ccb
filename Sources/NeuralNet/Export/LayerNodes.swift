// The layers and losses of the catalogue as operations of a graph.

extension Dense: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    let outputs = parameters[1].count
    let weight = graph.constant(parameters[0], shape: [outputs, shape.count])
    let bias = graph.constant(parameters[1], shape: [outputs])
    return graph.add("Gemm", [input, weight, bias], ["transB": .int(1)])
  }
}

extension Activation: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    switch self {
    case .relu: return graph.add("Relu", [input])
    case .sigmoid: return graph.add("Sigmoid", [input])
    case .tanh: return graph.add("Tanh", [input])
    case .gelu:
      // x · (1 + erf(x / √2)) / 2: Gelu itself is younger than the opset.
      let scaled = graph.add("Mul", [input, graph.constant([Float(0.5).squareRoot()], shape: [])])
      let sum = graph.add("Add", [graph.add("Erf", [scaled]), graph.constant([Float(1)], shape: [])])
      let half = graph.add("Mul", [input, graph.constant([Float(0.5)], shape: [])])
      return graph.add("Mul", [half, sum])
    }
  }
}

extension BatchNorm: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    let channels = shape.sizes[0]
    let tensors = parameters.map { graph.constant($0, shape: [channels]) }
    func normalised(_ x: String) -> String {
      graph.add("BatchNormalization", [x] + tensors, ["epsilon": .float(Float(epsilon))])
    }
    guard shape.count > channels else { return normalised(input) }
    // Channels have an axis of their own there.
    return graph.shaped(
      normalised(graph.shaped(input, [channels, shape.count / channels])), [shape.count])
  }
}

extension LayerNorm: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    let tensors = parameters.map { graph.constant($0, shape: [shape.count]) }
    return graph.add(
      "LayerNormalization", [input] + tensors, ["axis": .int(-1), "epsilon": .float(Float(epsilon))])
  }
}

extension Dropout: GraphLayer {
  /// Nothing: it is there in training alone.
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    input
  }
}

extension Residual: GraphLayer {
  public func addNodes(
    to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]
  ) throws(ExportError) -> String {
    guard let block = try? Sequential(layers, input: shape) else {
      preconditionFailure("a model checks its shapes before anything else is asked")
    }
    let inner = try block.addNodes(to: &graph, input: input, parameters: parameters.flatMap { $0 })
    guard let shortcut = Shortcut(from: shape, to: block.outputShape) else {
      preconditionFailure("a model checks its shapes before anything else is asked")
    }
    return graph.add("Add", [shortcut.addNodes(to: &graph, input: input, shape: shape), inner])
  }
}

extension CrossEntropy: GraphLoss {
  public func addProbabilities(to graph: inout Graph, output: String) -> String {
    graph.add("Softmax", [output], ["axis": .int(1)], output: "probabilities")
  }
}

extension BinaryCrossEntropy: GraphLoss {
  public func addProbabilities(to graph: inout Graph, output: String) -> String {
    let p = graph.add("Sigmoid", [output])
    let other = graph.add("Sub", [graph.constant([Float(1)], shape: []), p])
    return graph.add("Concat", [other, p], ["axis": .int(1)], output: "probabilities")
  }
}
