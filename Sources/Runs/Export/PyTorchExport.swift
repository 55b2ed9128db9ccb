// A saved model as a file of Python that makes PyTorch's nn.Sequential of it, with its preprocessing.
import DataFormats
import NeuralNet
import System
import Text

/// The text of a model.py.
package struct PyTorchExport {
  private let file: ModelFile
  private let path: String

  /// - Parameter path: of the model's file, which the Python loads.
  package init(_ file: ModelFile, path: String) {
    self.file = file
    self.path = path
  }

  /// - Parameter place: of the Python file. A model beside it is found there wherever both are; another one where it is.
  /// - Throws: `DistsgdError` (`usage`) that names the layer or loss which PyTorch does not have.
  package func text(at place: String) throws -> String {
    do {
      let (modules, definitions) = try file.model.modules()
      let source =
        parentFolder(place) == parentFolder(path)
        ? "Path(__file__).with_name(\(jsonText(baseName(path))))" : jsonText(path)
      return
        ([head] + definitions.map { $0 + "\n\n" } + [
          """
          net = nn.Sequential(
              \(modules.joined(separator: ",\n    ")),
          )
          net.load_state_dict(load_file(\(source)))
          net.eval()

          """, preprocessing, try predictions,
        ]).joined(separator: "\n")
    } catch {
      throw DistsgdError(.usage, "--format pytorch: \(error)")
    }
  }

  private var columns: [InputColumn] { file.preprocessing.columns }

  private var head: String {
    let result =
      file.classCount == nil
      ? "the predictions in the target's own units"
      : "the most probable class of each, and the probabilities of all"
    let names = file.preprocessing.featureNames
    let order = names.isEmpty ? "" : "\n# A row has the columns \(jsonText(names)), in this order."
    return """
      # A model that distsgd has trained: predict(rows) takes rows of raw columns and gives
      # \(result).\(order)
      from pathlib import Path

      import torch
      from safetensors.torch import load_file
      from torch import nn


      """
  }

  private var preprocessing: String {
    file.preprocessing.isNumeric ? numericInputs : mixedInputs
  }

  private var numericInputs: String {
    let fills = columns.map { if case .number(let fill) = $0.missing { fill } else { Double.nan } }
    let replacing =
      fills.contains { !$0.isNaN } ? "\n    x = torch.where(x.isnan(), \(tensor(fills)), x)" : ""
    return """

      def inputs(rows):
          x = torch.as_tensor(rows, dtype=torch.float64).flatten(1)\(replacing)
          return ((x - \(tensor(file.preprocessing.featureMeans))) / \(tensor(file.preprocessing.featureDeviations))).float()


      """
  }

  private var mixedInputs: String {
    let lines = columns.map { column in
      let encoding =
        switch column.encoding {
        case .number(let mean, let deviation): "(\(mean), \(deviation))"
        case .category(let values): jsonText(values)
        }
      let missing =
        switch column.missing {
        case nil: "None"
        case .number(let value): "\(value)"
        case .category(let value): jsonText(value)
        }
      return "    (\(jsonText(column.name)), \(encoding), \(missing)),\n"
    }
    return """
      # Of each column its name, a number's mean and deviation or a category's texts, and what a missing value becomes.
      columns = [
      \(lines.joined())]


      def inputs(rows):
          result = []
          for row in rows:
              x = []
              for value, (_, encoding, missing) in zip(row, columns, strict=True):
                  if value is None or value != value or value == "":
                      value = missing
                  if isinstance(encoding, list):
                      x += [float(value == text) for text in encoding]
                  else:
                      x.append((float(value) - encoding[0]) / encoding[1])
              result.append(x)
          return torch.tensor(result, dtype=torch.float64).float()


      """
  }

  /// The rows as the modules take them.
  private var input: String {
    file.model.pictureShape.map { sizes in
      "inputs(rows).reshape(-1, \(sizes.map(String.init).joined(separator: ", ")))"
    } ?? "inputs(rows)"
  }

  private var predictions: String {
    get throws(ExportError) {
      guard let count = file.classCount else {
        let targets = file.preprocessing.targets
        return """
          @torch.no_grad()
          def predict(rows):
              return net(\(input)).double() * \(tensor(targets.map(\.deviation))) + \(tensor(targets.map(\.mean)))

          """
      }
      guard let loss = file.loss as? any PyTorchLoss else {
        throw ExportError(
          "the probabilities of the loss '\(file.loss)' are none of PyTorch's: a program that has it can say which they are (PyTorchLoss)"
        )
      }
      return """
        classes = \(jsonText((0..<count).map(file.preprocessing.className)))


        @torch.no_grad()
        def predict(rows):
            y = net(\(input))
            p = \(loss.probabilitiesOfY)
            return [classes[k] for k in p.argmax(1)], p

        """
    }
  }

  /// Numbers as Python's text: one where all are the same.
  private func tensor(_ values: [Double]) -> String {
    if let first = values.first, values.allSatisfy({ $0 == first }) { return "\(first)" }
    return
      "torch.tensor([\(values.map { $0.isNaN ? "float('nan')" : "\($0)" }.joined(separator: ", "))], dtype=torch.float64)"
  }
}
