// A saved model as an ONNX file: raw columns go in, predictions in the target's own units or classes come out.
import DataFormats
import NeuralNet
import System
import Text

/// An export of a model, as bytes of a file.
package struct ONNXExport {
  private let file: ModelFile
  /// What numbers go in as.
  private let numbers: Graph.Element

  /// - Parameter takesDoubles: whether numbers go in in double precision, and not in single.
  package init(_ file: ModelFile, takesDoubles: Bool = false) {
    self.file = file
    numbers = takesDoubles ? .double : .float
  }

  /// - Throws: `DistsgdError` (`usage`) that names the layer or loss which has no form in ONNX.
  package func bytes() throws -> [UInt8] {
    do {
      var graph = Graph()
      let inputs = GraphColumns(numbers: numbers).add(
        file.preprocessing, shape: file.model.inputShape, to: &graph)
      let output = try file.model.addNodes(to: &graph, input: inputs, parameters: file.parameters)
      if let classes = file.classCount {
        try addClasses(classes, output, to: &graph)
      } else {
        addNumbers(output, to: &graph)
      }
      return try graph.onnx(producer: ("distsgd", version), name: "distsgd", metadata: metadata)
    } catch {
      throw DistsgdError(.usage, "--format onnx: \(error)")
    }
  }

  private var metadata: [(String, String)] {
    let preprocessing = file.preprocessing
    var words = [("model", file.model.text), ("loss", file.loss.description)]
    if !preprocessing.featureNames.isEmpty { words.append(("columns", jsonText(preprocessing.featureNames))) }
    words.append(("targets", jsonText(preprocessing.targets.map(\.name))))
    if let count = file.classCount {
      words.append(("classes", jsonText((0..<count).map(preprocessing.className))))
    }
    return words
  }

  /// `label` and `probabilities`.
  private func addClasses(_ count: Int, _ output: String, to graph: inout Graph) throws(ExportError) {
    guard let loss = file.loss as? any GraphLoss else {
      throw ExportError(
        "the probabilities of the loss '\(file.loss)' have no form in ONNX: a program that has it can give them one (GraphLoss)"
      )
    }
    let probabilities = loss.addProbabilities(to: &graph, output: output)
    let attributes: KeyValuePairs<String, Graph.Attribute> = ["axis": .int(1), "keepdims": .int(0)]
    if let names = file.preprocessing.classNames {
      let place = graph.add("ArgMax", [probabilities], attributes)
      let numbers = names.compactMap { name in Int(name).flatMap { "\($0)" == name ? $0 : nil } }
      let isNumbered = numbers.count == names.count
      let table =
        isNumbered
        ? graph.constant(numbers, shape: [names.count]) : graph.constant(names, shape: [names.count])
      _ = graph.add("Gather", [table, place], output: "label")
      graph.addOutput("label", isNumbered ? .int64 : .string, shape: [nil])
    } else {
      _ = graph.add("ArgMax", [probabilities], attributes, output: "label")
      graph.addOutput("label", .int64, shape: [nil])
    }
    graph.addOutput(probabilities, .float, shape: [nil, count])
  }

  /// `prediction`: output × deviation + mean.
  private func addNumbers(_ output: String, to graph: inout Graph) {
    let targets = file.preprocessing.targets
    let (deviations, means) = (targets.map(\.deviation), targets.map(\.mean))
    let wide = graph.add("Cast", [output], ["to": .int(Graph.Element.double.rawValue)])
    let scaled = graph.add("Mul", [wide, graph.constant(deviations, shape: [1, targets.count])])
    let moved = graph.add("Add", [scaled, graph.constant(means, shape: [1, targets.count])])
    _ = graph.add("Cast", [moved], ["to": .int(Graph.Element.float.rawValue)], output: "prediction")
    graph.addOutput("prediction", .float, shape: [nil, targets.count])
  }
}
