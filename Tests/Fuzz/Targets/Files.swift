// Files that are told by what they hold: compressed, foreign, or an image.
import DataFormats

/// A file of any kind, alone, as one of a pair, or as new examples.
func readFile(_ input: FuzzInput) throws {
  let path = input.file("data")
  switch input.way(of: 4) {
  case 0: try load(path) { _ in }
  case 1: try load(path + "," + path) { _ in }
  case 2: try load(path) { ($0.validation, $0.task) = ("test", .classification) }
  default: try predict(path, featureCount: 2)
  }
}

/// PNG and JPEG in a folder of two classes, or as a new image.
func readPicture(_ input: FuzzInput) throws {
  switch input.way(of: 3) {
  case 0:
    try load(input.pictureFolder()) { $0.imageSize = ImageSize("3x2") }
  case 1: try load(input.pictureFolder()) { _ in }
  default: try predict(input.file("image"), featureCount: 12)
  }
}
