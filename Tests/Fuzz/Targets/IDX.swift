// Images and labels in IDX files, plain or compressed by gzip.

func readIDX(_ input: FuzzInput) throws {
  switch input.way(of: 3) {
  case 0:
    let labels = try input.fixedFile("fixed-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1])
    try load(input.file("images-idx3-ubyte") + "," + labels) { _ in }
  case 1:
    let images = try input.fixedFile(
      "fixed-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6])
    try load(images + "," + input.file("labels-idx1-ubyte")) { _ in }
  default: try predict(input.file("images-idx3-ubyte"), featureCount: 4)
  }
}
