// Saved models: read, and used on a small table.
import DataFormats
import MPI
import Runs

func readSafeTensors(_ input: FuzzInput) throws {
  let path = input.file("model.safetensors")
  if let metadata = SafeTensors.metadata(of: path) { try? MetadataDigests.check(metadata, path: path) }
  for tensor in try SafeTensors.read(from: path).tensors {
    guard tensor.shape.reduce(1, *) == tensor.values.count else {
      throw Finding("\(tensor.name) has \(tensor.values.count) values, not those of \(tensor.shape)")
    }
  }
  let data = try input.fixedFile("new.csv", Array("a,b,y\n1,2,0\n3,4,1\n-5,6,1\n".utf8))
  let predictor = try Predictor(model: path)
  var rows = -1
  try predictor.predict(data) { rows += $0.utf8.count { $0 == 0x0A } }
  let (_, count) = try predictor.evaluate(data, over: SingleProcessCommunicator())
  guard rows == 3, count == 3 else { throw Finding("\(rows) predictions, \(count) evaluated, not 3") }
}
