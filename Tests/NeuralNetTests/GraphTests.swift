// Models as graphs of operations: what a layer of one's own must say to be exported, and what is told when it does not.
import NeuralNet
import Testing

/// A layer that no other program has.
private struct Mirror: Layer, PlainlyNamed {
  static let names = ["mirror"]
  func output(of input: Shape) -> Shape { input }
  func prepared(_ place: LayerPlace) -> any LayerPass { preconditionFailure("it is never run") }
}

/// The same, with a form elsewhere.
private struct KnownMirror: GraphLayer, PyTorchLayer, PlainlyNamed {
  static let names = ["known-mirror"]
  func output(of input: Shape) -> Shape { input }
  func prepared(_ place: LayerPlace) -> any LayerPass { preconditionFailure("it is never run") }
  func addNodes(to graph: inout Graph, input: String, shape: Shape, parameters: [[Float]]) -> String {
    graph.add("Neg", [input])
  }
  func module(of shape: Shape) -> String { "Mirror()" }
  var definition: String { "class Mirror(nn.Module): ..." }
}

@Suite struct GraphTests {
  @Test(arguments: [[Mirror()], [Dense(3), Residual([Dense(3), Mirror()])]] as [[any Layer]])
  func aLayerWithoutAFormIsNamed(_ layers: [any Layer]) throws {
    let model = try Sequential(layers, input: Shape(3))
    var graph = Graph()
    let parameters = [Float](repeating: 0, count: model.parameterCount)
    var told: [String] = []
    do { _ = try model.addNodes(to: &graph, input: "x", parameters: parameters) } catch {
      told.append("\(error)")
    }
    do { _ = try model.modules() } catch { told.append("\(error)") }
    #expect(told.count == 2 && told.allSatisfy { $0.contains("'mirror'") }, "\(told)")
  }

  @Test func aLayerOfOnesOwn() throws {
    let model = try Sequential([KnownMirror(), Dense(2), KnownMirror()], input: Shape(3))
    var graph = Graph()
    let output = try model.addNodes(to: &graph, input: "x", parameters: [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(output == "Neg_2")
    graph.addInput("x", .float, shape: [nil, 3])
    graph.addOutput(output, .float, shape: [nil, 2])
    let bytes = try graph.onnx(producer: ("test", "1"), name: "g", metadata: [("key", "value")])
    let text = String(decoding: bytes, as: UTF8.self)
    for word in ["Neg_0", "Gemm_1", "examples", "ai.onnx.ml", "transB", "key"] {
      #expect(text.contains(word))
    }
    // ir_version 8, then the producer.
    #expect(bytes.prefix(8) == [0x08, 8, 0x12, 4, 0x74, 0x65, 0x73, 0x74])
    let (modules, definitions) = try model.modules()
    #expect(modules == ["Mirror()", "nn.Linear(3, 2)", "Mirror()"] && definitions.count == 1)
  }
}
