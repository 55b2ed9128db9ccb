import ArgumentParser
import DistributedSGD
import MPI
import Runs
import System
import Text

struct Export: JobCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a saved model for another program.",
    discussion: """
      onnx: one file for onnxruntime and others, with all that is done to raw columns in it. \
      pytorch: a model.py, which makes an nn.Sequential and loads the model's file into it.
      """)

  enum Format: String, ExpressibleByArgument { case onnx, pytorch }
  enum Inputs: String, ExpressibleByArgument { case float, double }

  @Argument(help: ArgumentHelp("The model.safetensors of a run.", valueName: "model"))
  var model: String

  @Option(help: ArgumentHelp("onnx or pytorch.", valueName: "onnx|pytorch"))
  var format = Format.onnx

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("(default: model.onnx or model.py beside the model)", valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("What onnx takes numbers as: float or double.", valueName: "float|double"))
  var inputs = Inputs.float

  func run(on communicator: any Communicator) throws {
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      let file = try ModelFile(reading: model)
      let path = output ?? parentFolder(model).withSlash + (format == .onnx ? "model.onnx" : "model.py")
      switch format {
      case .onnx:
        try replace(path, with: ONNXExport(file, takesDoubles: inputs == .double).bytes())
      case .pytorch:
        try replace(path, with: Array(PyTorchExport(file, path: model).text(at: path).utf8))
      }
      standardOutput("wrote \(visible(path))")
    }
  }

  private func replace(_ path: String, with bytes: [UInt8]) throws {
    var output = try ReplacementFile(replacing: path)
    try bytes.withUnsafeBytes { try output.write($0) }
    try output.commit()
  }
}

extension String {
  fileprivate var withSlash: String { isEmpty || hasSuffix("/") ? self : self + "/" }
}
