// NumPy's archives, which are zip files.

func readNPZ(_ input: FuzzInput) throws {
  let path = input.file("arrays.npz", signature: Array("PK\u{3}\u{4}".utf8))
  switch input.way(of: 3) {
  case 0: try load(path) { _ in }
  case 1: try load(path) { ($0.task, $0.validation) = (.classification, "0.5") }
  default: try predict(path, featureCount: 2)
  }
}
