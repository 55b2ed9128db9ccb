// Layers on pictures as operations of a graph: its values are rows of numbers, and are given the sizes that an operation
// takes.

extension Graph {
  /// Each example of these sizes.
  mutating func shaped(_ input: String, _ sizes: [Int]) -> String {
    add("Reshape", [input, constant([-1] + sizes, shape: [sizes.count + 1])])
  }
}

extension Convolution: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    let picture = PictureSize(checked: shape)
    let directions = kind == .line ? 1 : 2
    let x = graph.shaped(input, picture.shape.sizes)
    let weights = zip(parameters, tensors(of: shape)).map { graph.constant($0, shape: $1.shape) }
    let y = graph.add(
      "Conv", [x] + weights,
      [
        "group": .int(groups(of: picture)), "strides": .ints([Int](repeating: stride, count: directions)),
        "pads": .ints([Int](repeating: padding, count: 2 * directions)),
      ])
    return graph.shaped(y, [outputSize(on: picture).shape.count])
  }
}

extension Pooling: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    let picture = PictureSize(checked: shape)
    // A sequence is a picture of one row: its windows have a height, too.
    let x = graph.shaped(input, [picture.channels, picture.height, picture.width])
    guard kind != .meanOfAll else {
      return graph.shaped(graph.add("GlobalAveragePool", [x]), [picture.channels])
    }
    let window = window(on: picture)
    let y = graph.add(
      kind == .mean ? "AveragePool" : "MaxPool", [x],
      [
        "kernel_shape": .ints([window.height, window.width]),
        "strides": .ints([stride, stride]),
      ])
    return graph.shaped(y, [outputSize(on: picture).shape.count])
  }
}

extension Flatten: GraphLayer {
  public func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    input
  }
}

extension Shortcut {
  /// - Returns: the name of what is added to the block's output, rows of numbers.
  func addNodes(to graph: inout Graph, input: String, shape: Shape) -> String {
    guard let step else { return input }
    let picture = graph.shaped(input, shape.sizes)
    let end = Int(Int32.max)
    let part = graph.add(
      "Slice",
      [
        picture, graph.constant([0, 0], shape: [2]), graph.constant([end, end], shape: [2]),
        graph.constant([2, 3], shape: [2]), graph.constant([step, step], shape: [2]),
      ])
    // Numbers in front of each direction, then behind each.
    let padded = graph.add("Pad", [part, graph.constant([0, 0, 0, 0, 0, newChannels, 0, 0], shape: [8])])
    return graph.shaped(padded, [outputs])
  }
}
