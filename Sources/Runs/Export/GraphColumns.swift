// From raw columns to a model's inputs, as operations of a graph: what predict does to a table, in another program.
import DataFormats
import NeuralNet

/// The inputs of an exported model.
struct GraphColumns {
  /// What numbers come in as.
  let numbers: Graph.Element

  /// Adds the inputs and all that becomes of them.
  /// - Parameter shape: of one example.
  /// - Returns: the name of the model's input, shape (examples, inputs).
  func add(_ preprocessing: Preprocessing, shape: Shape, to graph: inout Graph) -> String {
    if preprocessing.isNumeric { return addMatrix(preprocessing, shape, to: &graph) }
    var parts: [String] = []
    for (number, column) in preprocessing.columns.enumerated() {
      let name = column.name.isEmpty ? "column \(number + 1)" : column.name
      switch column.encoding {
      case .number:
        graph.addInput(name, numbers, shape: [nil, 1])
        parts.append(addNumbers([column], name, to: &graph))
      case .category(let values):
        graph.addInput(name, .string, shape: [nil, 1])
        parts.append(addCategory(values, column.missing, name, to: &graph))
      }
    }
    return parts.count == 1 ? parts[0] : graph.add("Concat", parts, ["axis": .int(1)])
  }

  /// All columns side by side, or the pixels of images.
  private func addMatrix(_ preprocessing: Preprocessing, _ shape: Shape, to graph: inout Graph) -> String {
    let isRow = shape.sizes.count == 1
    graph.addInput("inputs", numbers, shape: [nil] + shape.sizes)
    let rows = isRow ? "inputs" : graph.add("Flatten", ["inputs"], ["axis": .int(1)])
    return addNumbers(preprocessing.columns, rows, to: &graph)
  }

  /// (raw − mean) / deviation in double precision, a value that is missing (NaN) replaced before.
  private func addNumbers(_ columns: [InputColumn], _ raw: String, to graph: inout Graph) -> String {
    var means: [Double] = []
    var deviations: [Double] = []
    var fills: [Double] = []
    for column in columns {
      guard case .number(let mean, let deviation) = column.encoding else { continue }
      means.append(mean)
      deviations.append(deviation)
      if case .number(let fill) = column.missing { fills.append(fill) } else { fills.append(.nan) }
    }
    func row(_ values: [Double]) -> [Int] { [1, values.count] }
    var value = raw
    if numbers != .double { value = graph.add("Cast", [value], ["to": .int(Graph.Element.double.rawValue)]) }
    if fills.contains(where: { !$0.isNaN }) {
      let isMissing = graph.add("IsNaN", [value])
      value = graph.add("Where", [isMissing, graph.constant(fills, shape: row(fills)), value])
    }
    if means.contains(where: { $0 != 0 }) {
      value = graph.add("Sub", [value, graph.constant(means, shape: row(means))])
    }
    if deviations.contains(where: { $0 != 1 }) {
      value = graph.add("Div", [value, graph.constant(deviations, shape: row(deviations))])
    }
    return graph.add("Cast", [value], ["to": .int(Graph.Element.float.rawValue)])
  }

  /// 1 in the place of the text that the column has, 0 in the others'; a text that is none of them is all zeros.
  private func addCategory(
    _ values: [String], _ missing: InputColumn.Fill?, _ raw: String, to graph: inout Graph
  ) -> String {
    var (texts, places) = (values, Array(values.indices))
    if case .category(let fill) = missing, let place = values.firstIndex(of: fill) {
      for text in MissingWords.amongTexts where !values.contains(text) {
        texts.append(text)
        places.append(place)
      }
    }
    let place = graph.add(
      "LabelEncoder", [raw],
      ["keys_strings": .strings(texts), "values_int64s": .ints(places), "default_int64": .int(-1)],
      domain: "ai.onnx.ml")
    let oneHot = graph.add(
      "OneHotEncoder", [place], ["cats_int64s": .ints(Array(values.indices)), "zeros": .int(1)],
      domain: "ai.onnx.ml")
    return graph.add("Reshape", [oneHot, graph.constant([-1, values.count], shape: [2])])
  }
}
