// model.safetensors: the parameters, and all that a program needs to use them on raw new data.
import DataFormats
import NeuralNet
import System
import Text

/// A trained model with its preprocessing, as saved.
package struct ModelFile: Sendable {
  package var specification: ModelSpecification
  package var model: Sequential
  package var loss: any Loss
  package var preprocessing: Preprocessing
  /// nil for a model of numbers.
  package var classCount: Int?
  /// Shape (model.parameterCount), laid out by `model.tensors`.
  package var parameters: [Float]
  /// Of the run that made it, by their flags.
  package var settings: [String: String]

  /// What models call this program.
  static let producer = "distsgd \(version)"

  /// Writes the parameters under the names of PyTorch's `nn.Sequential`, and the rest as metadata.
  /// - Parameters:
  ///   - provenance: more metadata, which tell how the model was made.
  ///   - batches: that it has seen in training.
  package static func write(
    to path: String, specification: ModelSpecification, model: Sequential, loss: any Loss,
    preprocessing: Preprocessing, provenance: [String: String], batches: Int64 = 0,
    parameters: UnsafePointer<Float>
  ) throws {
    var words = metadata(specification, model, loss, preprocessing).merging(provenance) { own, _ in own }
    words[MetadataDigests.key] = MetadataDigests.text(of: words)
    try SafeTensors.write(
      model.tensors.map { tensor in
        SafeTensors.View(
          name: tensor.name, shape: tensor.shape,
          values: UnsafeBufferPointer(start: parameters + tensor.offset, count: tensor.count))
      }, counts: counts(of: model, batches: batches), metadata: words, to: path)
  }

  /// The batches that PyTorch counts beside each running mean: `1.num_batches_tracked`.
  private static func counts(of model: Sequential, batches: Int64) -> [SafeTensors.Count] {
    model.tensors.filter { !$0.role.isTrained && $0.name.hasSuffix("running_mean") }.map { tensor in
      SafeTensors.Count(
        name: tensor.name.dropLast("running_mean".count) + "num_batches_tracked", value: batches)
    }
  }

  /// All but the parameters.
  static func metadata(
    _ specification: ModelSpecification, _ model: Sequential, _ loss: any Loss, _ preprocessing: Preprocessing
  ) -> [String: String] {
    var metadata = [
      "format": "pt", "producer": producer, "model": specification.description,
      "layers": model.text, "loss": loss.description,
      "inputs": "\(model.inputCount)", "inputShape": jsonText(model.inputShape.sizes),
      "outputs": "\(model.outputCount)",
    ]
    metadata["activation"] = specification.activation?.rawValue
    return metadata.merging(preprocessing.metadata) { own, _ in own }
  }

  /// Reads what `write` has written.
  /// - Throws: `DistsgdError` (`noInput`, `badData`).
  package init(reading path: String) throws {
    let file = try SafeTensors.read(from: path)
    let entries = MetadataReader(entries: file.metadata, path: path)
    settings = file.metadata.filter { $0.key.hasPrefix("--") }
    let activation = file.metadata["activation"].flatMap(Activation.init(rawValue:))
    // Files of earlier versions have a name alone.
    let text = file.metadata["layers"] == nil ? "model" : "layers"
    specification = try entries.parsed(text) { try? ModelSpecification($0, activation: activation) }
    loss = try entries.parsed("loss") { try? Catalog.loss($0) }
    preprocessing = try entries.preprocessing()
    let inputs = try entries.count("inputs", in: 1...1_000_000_000)
    let outputs = try entries.count("outputs", in: 1...1_000_000)
    let zeros = [Float](repeating: 0, count: outputs)
    let classes = loss.targets == .classes ? zeros.withUnsafeBufferPointer(loss.probabilities).count : nil
    guard (try? loss.outputCount(classes: classes, targets: max(1, preprocessing.targets.count))) == outputs
    else {
      throw DistsgdError(
        .badData, "'\(path)' claims \(outputs) outputs: a model with the loss '\(loss)' has another number")
    }
    classCount = classes
    let shape = file.metadata["inputShape"] == nil ? [inputs] : try entries.parsed("inputShape", parseShape)
    guard shape.reduce(1, *) == inputs else {
      throw DistsgdError(.badData, "'\(path)': its input shape \(shape) is not one of \(inputs) numbers")
    }
    do {
      model = try specification.model(input: Shape(shape), outputs: outputs)
    } catch {
      throw DistsgdError(
        .badData, "'\(path)': its layers '\(printable(specification.description))' do not fit: \(error)")
    }
    parameters = try Self.arena(of: model, from: file, path: path)
  }

  /// The parameters of `model` from a file that may hold more or less than these.
  /// - Parameters:
  ///   - name: a tensor's in the file, where it is not the model's.
  ///   - acceptsNonFinite: for going on with a run as it is.
  ///   - fillsStatistics: whether statistics that the file does not have begin as in a new model.
  /// - Throws: `DistsgdError` (`badData`) that names the tensor which is missing, of another shape, or not of numbers.
  package static func arena(
    of model: Sequential, from file: SafeTensors, path: String, name: (ParameterTensor) -> String = \.name,
    acceptsNonFinite: Bool = false, fillsStatistics: Bool = false
  ) throws -> [Float] {
    let named = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
    var parameters: [Float] = []
    for tensor in model.tensors {
      guard let stored = named[name(tensor)] else {
        if fillsStatistics, case .statistic(_, let initial) = tensor.role {
          parameters += [Float](repeating: initial, count: tensor.count)
          continue
        }
        throw DistsgdError(
          .badData,
          "'\(path)' has no tensor '\(name(tensor))' of shape \(tensor.shape), which the model needs: it has \(found(in: file)); name them as PyTorch's nn.Sequential of the same layers does, or say another --model"
        )
      }
      guard stored.shape == tensor.shape else {
        throw DistsgdError(
          .badData,
          "'\(path)': tensor '\(tensor.name)' has shape [\(listed(stored.shape.map(String.init)))], but the model needs \(tensor.shape)"
        )
      }
      if !acceptsNonFinite, let index = stored.values.firstIndex(where: { !$0.isFinite }) {
        throw DistsgdError(
          .badData,
          "'\(path)': value \(index) (counted from 0) of tensor '\(tensor.name)' is \(stored.values[index]): the training that wrote it diverged, or the file is damaged; name another file"
        )
      }
      parameters += stored.values
    }
    return parameters
  }
}

/// The tensors of a file, for a message.
private func found(in file: SafeTensors) -> String {
  if file.tensors.isEmpty { return "no tensors" }
  return listed(
    file.tensors.map { "\($0.name) [\($0.shape.map(String.init).joined(separator: ", "))]" }, limit: 8)
}

extension ModelFile {
  /// The parameters of `model` from a file of another program, where all names may have something before them: PyTorch's
  /// DistributedDataParallel has `module.`, others `model.` or `net.`.
  /// - Throws: as `arena`.
  package static func foreignArena(of model: Sequential, from file: SafeTensors, path: String) throws
    -> [Float]
  {
    let names = Set(file.tensors.map(\.name))
    let wanted = model.tensors.filter(\.role.isTrained).map(\.name)
    let prefixes = names.filter { $0.hasSuffix("." + (wanted.first ?? "")) }
      .map { String($0.dropLast(wanted[0].count)) }.sorted()
    let prefix =
      names.isSuperset(of: wanted)
      ? ""
      : prefixes.first { prefix in
        wanted.allSatisfy { names.contains(prefix + $0) }
      }
    return try arena(
      of: model, from: file, path: path, name: { (prefix ?? "") + $0.name }, fillsStatistics: true)
  }
}

/// The sizes of an example, a few and none too large.
private func parseShape(_ text: String) -> [Int]? {
  guard let numbers = parseArray(text, { try $0.number() }), 1...8 ~= numbers.count,
    numbers.allSatisfy({ 1...1_000_000_000 ~= $0 && $0 == $0.rounded() }),
    numbers.reduce(1, *) <= 1_000_000_000
  else { return nil }
  return numbers.map { Int($0) }
}
