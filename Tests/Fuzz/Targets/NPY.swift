// NumPy arrays: alone as a table, and as either one of a pair of inputs and targets.
import DataFormats

func readNPY(_ input: FuzzInput) throws {
  let path = input.file("array.npy", signature: signature)
  switch input.way(of: 4) {
  case 0: try load(path) { _ in }
  case 1:
    let targets = try input.fixedFile("targets.npy", npy("|u1", "(3,)", [0, 2, 1]))
    try load(path + "," + targets) { _ in }
  case 2:
    let inputs = try input.fixedFile("inputs.npy", npy("|u1", "(3, 2)", [1, 2, 3, 4, 5, 6]))
    try load(inputs + "," + path) { $0.task = .classification }
  default: try predict(path, featureCount: 2)
  }
}

private let signature = [0x93] + Array("NUMPY".utf8)

/// A file of `numpy.save`, version 1.
private func npy(_ type: String, _ shape: String, _ data: [UInt8]) -> [UInt8] {
  let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
  return signature + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + data
}
