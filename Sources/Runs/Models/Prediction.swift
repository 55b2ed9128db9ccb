// A saved model on new data: its predictions, and how good they are.
import DataFormats
import DistributedSGD
import MPI
import NeuralNet
import System
import Text

/// A saved model, ready to be applied.
package final class Predictor {
  package let file: ModelFile

  /// - Throws: `DistsgdError` (`noInput`, `badData`).
  package init(
    model path: String, arithmetic name: ArithmeticName = .blas, _ reading: NewDataOptions = NewDataOptions()
  ) throws {
    arithmetic = try name.chosen()
    // As in training: another number of threads may round differently.
    BLAS.setThreads(1)
    file = try ModelFile(reading: path)
    if arithmetic == .blas, file.model.usesBLAS { try requireBufferOfBLAS(threads: 1) }
    self.path = path
    var options = reading
    // The training has said what a missing value looks like, and what an example is called.
    options.missingValues += file.settings["--missing-value"].map(ColumnList.parse) ?? []
    if options.identifier == nil {
      (options.identifier, options.identifierIsOptional) = (file.settings["--id"], true)
    }
    options.imageSize = file.settings["--image-size"].flatMap { ImageSize($0) }
    self.reading = options
  }

  private let path: String
  private let reading: NewDataOptions
  private let arithmetic: Arithmetic

  private var isClassification: Bool { file.classCount != nil }

  /// Loss and measures on `data`, which must have targets. Collective.
  /// - Parameter origin: which ranks load.
  package func evaluate(
    _ data: String, from origin: DataOrigin = .each, over communicator: any Communicator
  ) throws -> (Evaluation, count: Int) {
    try requireStandardInput(for: data, origin, communicator)
    let examples = try communicator.agreeingOnErrors {
      communicator.reads(origin)
        ? try load(data).examples(
          preprocessing: file.preprocessing, classCount: file.classCount)
        : nil
    }
    let dataset = try Dataset(sharing: examples, from: origin, over: communicator)
    let evaluator = try Evaluator(
      model: file.model, loss: file.loss, dataset: dataset,
      task: MeasuredTask(
        file.loss, classCount: file.classCount, deviations: file.preprocessing.targets.map(\.deviation)),
      arithmetic: arithmetic, communicator: communicator)
    let result = try file.parameters.withUnsafeBufferPointer { try evaluator.evaluate($0.baseAddress!) }
    guard result.loss.isFinite else {
      throw AgreedError(notFinite("loss on \(printable(data, limit: 200))", "\(result.loss)"))
    }
    return (result, dataset.count)
  }

  /// The predictions for `data` as CSV, a row for every example, in pieces for `emit`: in the target's own
  /// units, or the class and every class's probability.
  /// - Parameter showsTargets: whether what would be right stands behind them; the data must have it then.
  package func predict(
    _ data: String, showsTargets: Bool = false, emit: (String) throws -> Void
  ) throws {
    let new = try load(data, readsTargets: showsTargets)
    let outputs = file.model.outputCount
    let names = file.preprocessing.classNames.map { $0.map { quoted(visible($0)) } }
    let right = try showsTargets ? trueTargets(of: new) : nil
    try emit(header(new, showsTargets: showsTargets))
    let examples = Examples(
      count: new.count, featureCount: new.featureCount, features: new.features,
      targets: .values([Float](repeating: 0, count: new.count)))
    let memory = SingleProcessCommunicator()
    defer { withExtendedLifetime(memory) {} }
    let dataset = try Dataset(sharing: examples, over: memory)
    let rows = min(file.model.rowsOfPictures ?? Evaluator.chunkRows, max(new.count, 1))
    let network = Network(file.model, maximumRows: rows, arithmetic: arithmetic)
    let batch = BatchBuffer(dataset, capacity: rows)
    for start in stride(from: 0, to: new.count, by: rows) {
      let range = start..<min(start + rows, new.count)
      batch.load(examples: range)
      let output = file.parameters.withUnsafeBufferPointer {
        network.forward(parameters: $0.baseAddress!, input: batch.features, rows: range.count)
      }
      var text = ""
      for row in 0..<range.count {
        let y = output + row * outputs
        if let identifiers = new.identifiers { text += quoted(visible(identifiers[start + row])) + "," }
        if let wrong = (0..<outputs).first(where: { !y[$0].isFinite }) {
          try emit(text)
          throw notFinite("prediction for example \(start + row + 1) of \(new.source)", "\(y[wrong])")
        }
        if isClassification {
          let p = file.loss.computed(by: arithmetic).probabilities(
            UnsafeBufferPointer(start: y, count: outputs))
          // The first of equals.
          let best = p.indices.max { p[$0] < p[$1] || (p[$0] == p[$1] && $0 > $1) } ?? 0
          text += names?[best] ?? "\(best)"
          for value in p { text += ",\(value)" }
        } else {
          for (place, target) in file.preprocessing.targets.enumerated() where place < outputs {
            let value = Float(Double(y[place]) * target.deviation + target.mean)
            guard value.isFinite else {
              try emit(text)
              throw notFinite("prediction for example \(start + row + 1) of \(new.source)", "\(value)")
            }
            text += place == 0 ? "\(value)" : ",\(value)"
          }
        }
        if let right { text += "," + right(start + row) }
        text += "\n"
      }
      try emit(text)
    }
  }

  /// Writes predictions, and what would be right behind them, to a file that is there when it is whole.
  package func writePredictions(_ data: String, to path: String) throws {
    var output = try ReplacementFile(replacing: path)
    try predict(data, showsTargets: true) { text in
      var text = text
      try text.withUTF8 { try output.write(UnsafeRawBufferPointer($0)) }
    }
    try output.commit()
  }

  /// What would be right for an example, as fields of CSV.
  private func trueTargets(of new: NewExamples) throws -> (Int) -> String {
    guard let targets = new.targets else {
      throw DistsgdError(
        .badData, "no targets, \(new.source): --predictions writes them beside the predictions")
    }
    if isClassification {
      let classes = try new.examples(preprocessing: file.preprocessing, classCount: file.classCount)
      guard case .labels(let labels, _) = classes.targets else { preconditionFailure("classes have labels") }
      return { [self] in quoted(visible(file.preprocessing.className(Int(labels[$0])))) }
    }
    let count = new.targetCount
    return { targets[$0 * count..<($0 + 1) * count].map { "\($0)" }.joined(separator: ",") }
  }

  /// Single precision does not hold what the model makes of these inputs.
  private func notFinite(_ what: String, _ value: String) -> DistsgdError {
    DistsgdError(
      .badData,
      "the \(what) is \(value): the weights of '\(path)' are too large for these inputs; train the model again, or look for inputs far from those it was trained on"
    )
  }

  private func load(_ data: String, readsTargets: Bool = true) throws -> NewExamples {
    var options = reading
    options.readsTargets = readsTargets
    let new = try loadForPrediction(
      data, preprocessing: file.preprocessing, featureCount: file.model.inputCount, options)
    for note in new.notes { standardError("distsgd: warning: \(note)") }
    return new
  }

  /// The columns' names: the identifier's, and the targets', or the class and the probability of each.
  private func header(_ new: NewExamples, showsTargets: Bool) -> String {
    let predicted =
      isClassification
      ? ["class"] : file.preprocessing.targets.map { $0.name.isEmpty ? "prediction" : $0.name }
    var columns = new.identifiers == nil ? [] : [new.identifierName.isEmpty ? "id" : new.identifierName]
    if isClassification {
      columns.append("class")
      columns += (0..<(file.classCount ?? 0)).map { number in
        file.preprocessing.classNames.map { "p_\($0[number])" } ?? "p\(number)"
      }
    } else {
      columns += predicted
    }
    if showsTargets { columns += predicted.map { "true_\($0)" } }
    return columns.map { quoted(visible($0)) }.joined(separator: ",") + "\n"
  }

  /// A CSV field (RFC 4180).
  private func quoted(_ name: String) -> String {
    guard name.contains(where: { ",\"\n\r".contains($0) }) else { return name }
    return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}
