// Layers on pictures as a user writes them: their words, shapes and tensors, and what is refused.
import NeuralNet
import Testing

@Suite struct PictureWordTests {
  @Test(
    arguments: [
      ("conv:6,5,padding=2", Shape(1, 28, 28), Shape(6, 28, 28), ["weight": [6, 1, 5, 5], "bias": [6]]),
      ("conv:16,3,stride=2,unbiased", Shape(3, 9, 8), Shape(16, 4, 3), ["weight": [16, 3, 3, 3]]),
      (
        "depthwise:3,stride=2,padding=1", Shape(5, 7, 4), Shape(5, 4, 2),
        ["weight": [5, 1, 3, 3], "bias": [5]]
      ),
      ("conv1d:4,3,padding=2", Shape(2, 10), Shape(4, 12), ["weight": [4, 2, 3], "bias": [4]]),
      ("conv1d:4,3", Shape(10), Shape(4, 8), ["weight": [4, 1, 3], "bias": [4]]),
      ("maxpool:2", Shape(3, 5, 4), Shape(3, 2, 2), [:]),
      ("avgpool:3,stride=1", Shape(3, 5, 4), Shape(3, 3, 2), [:]),
      ("maxpool:2", Shape(3, 7), Shape(3, 3), [:]), ("globalavgpool", Shape(3, 5, 4), Shape(3), [:]),
      ("flatten", Shape(3, 5, 4), Shape(60), [:]),
    ] as [(String, Shape, Shape, [String: [Int]])])
  func shapes(_ text: String, _ input: Shape, _ output: Shape, _ tensors: [String: [Int]]) throws {
    let layer = try Catalog.layer(Word(parsing: text))
    #expect(layer.description == text)
    #expect(try layer.output(of: input) == output)
    let own = layer.tensors(of: input)
    #expect(Dictionary(uniqueKeysWithValues: own.map { ($0.name, $0.shape) }) == tensors)
  }

  @Test(arguments: [
    ("conv", "'conv': its channels and its kernel are missing, as in conv:16,3,padding=1"),
    ("conv:6", "'conv:6': its kernel's size is missing, as in conv:16,3,padding=1"),
    ("conv:6,0", "'conv:6,0': the kernel's size is '0' and must be a whole number from 1 to 1024"),
    ("conv:6,3,5", "'conv:6,3,5': 'conv' does not know what to do with '5'"),
    ("conv:6,3,pad=1", "'conv:6,3,pad=1': 'conv' does not know what to do with 'pad'"),
    (
      "conv:6,3,padding=3",
      "'conv:6,3,padding=3': padding is 3 and must be less than the kernel's 3: the rest would be zeros"
    ),
    ("depthwise:6,3", "'depthwise:6,3': 'depthwise' does not know what to do with '3'"),
    ("maxpool", "'maxpool': its window's size is missing, as in maxpool:2"),
    ("globalavgpool:2", "'globalavgpool:2': 'globalavgpool' does not know what to do with '2'"),
    (
      "resnet:21",
      "'resnet:21': a 'resnet' for small pictures has 6n + 2 layers: resnet:20, 32, 44, 56 or 110"
    ),
    ("lenet:5", "'lenet:5': 'lenet' does not know what to do with '5'"),
  ])
  func mistakes(_ text: String, _ message: String) {
    #expect(throws: WordError.self) {
      do { _ = try ModelSpecification(text) } catch {
        #expect("\(error)" == message)
        throw error
      }
    }
  }

  @Test(arguments: [
    (
      "conv:6,3 dense", Shape(5),
      "'conv:6,3' takes channels × height × width, and gets 5: write conv1d for rows of numbers"
    ),
    (
      "conv1d:6,3 dense", Shape(1, 5, 5),
      "'conv1d:6,3' takes channels × length, and gets 1 × 5 × 5: write conv for pictures"
    ),
    (
      "conv:6,6 dense", Shape(1, 5, 7),
      "'conv:6,6' does not fit into the 5 × 7 in front of it: take a smaller one, or more padding"
    ),
    (
      "maxpool:6 dense", Shape(1, 7, 5),
      "'maxpool:6' does not fit into the 7 × 5 in front of it: take a smaller one"
    ),
    (
      "conv1d:2,9 dense", Shape(8),
      "'conv1d:2,9' does not fit into the 8 numbers in front of it: take a smaller one, or more padding"
    ),
    (
      "flatten conv:2,2 dense", Shape(1, 3, 3),
      "'conv:2,2' takes channels × height × width, and gets 9: write conv1d for rows of numbers"
    ),
  ])
  func misfits(_ text: String, _ shape: Shape, _ message: String) throws {
    let specification = try ModelSpecification(text)
    #expect(throws: ShapeError(message)) { try specification.model(input: shape, outputs: 3) }
  }

  /// Their layers, in PyTorch's names.
  @Test func namedNets() throws {
    let lenet = try ModelSpecification("lenet")
    let written = try ModelSpecification(
      "conv:6,5,padding=2 sigmoid avgpool:2 conv:16,5 sigmoid avgpool:2 flatten dense:120 sigmoid dense:84 sigmoid dense"
    )
    let models = try [lenet, written].map { try $0.model(input: Shape(1, 28, 28), outputs: 10) }
    #expect(models[0].text == models[1].text && models[0].parameterCount == 61_706)
    #expect(models[0].tensors.map(\.name).prefix(4) == ["0.weight", "0.bias", "3.weight", "3.bias"])
    #expect(try ModelSpecification("lenet", activation: .relu).activation == .relu)
    #expect(lenet.activation == .sigmoid)

    // He et al. 2016, table 6: 0.27 million for CIFAR-10's three channels.
    let resnet = try ModelSpecification("resnet:20").model(input: Shape(3, 32, 32), outputs: 10)
    let trained = resnet.tensors.filter { !$0.name.contains("running") }
    #expect(trained.reduce(0) { $0 + $1.count } == 269_722)
    #expect(resnet.layers.count == 3 + 2 * 9 + 3 && resnet.outputShape == Shape(10))
  }
}
