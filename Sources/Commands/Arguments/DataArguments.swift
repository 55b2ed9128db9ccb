// What is trained on, as ArgumentParser sees it.
import ArgumentParser
import DataFormats
import Runs

extension CacheFileChoice: ExpressibleByArgument {}
extension DataOrigin: ExpressibleByArgument {}

/// Which ranks of a job read the data.
struct DataOriginArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Who reads the data of a job of several servers: each, the first rank of each server; rank0, rank 0 alone, which sends them to the others.",
      valueName: "each|rank0"))
  var dataFrom = DataOrigin.each
}

struct DataArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "airfoil-like, airfoil, fashion-mnist, synthetic:N,D, a file (a table, .npy, .npz, IDX; compressed or not), a folder with a folder of PNG or JPEG files for every class, or - for standard input.",
      valueName: "name|path"))
  var data = "airfoil-like"

  @OptionGroup var columns: ColumnArguments

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take the first N examples. (default: all; 1500 of airfoil, as the chapter)", valueName: "n"))
  var examples: Int?

  @Option(
    help: ArgumentHelp(
      "Evaluate on held-out data: a fraction, a file, or 'test', the named set's own test split.",
      valueName: "fraction|path|test"))
  var validation: String?

  @Option(
    help: ArgumentHelp(
      "Resize PNG and JPEG images to height times width, or to a square.", valueName: "HxW|n"),
    transform: parseImageSize)
  var imageSize: ImageSize?

  @Option(
    help: ArgumentHelp(
      "Whether a table's numbers lie in a file of $TMPDIR: auto, where memory is too small for them; yes or no.",
      valueName: "auto|yes|no"))
  var cacheFile = CacheFileChoice.auto

  @OptionGroup var origin: DataOriginArguments

  @Flag(
    inversion: .prefixedNo, exclusivity: .chooseLast,
    help: "Give every column mean 0 and deviation 1. (default: on for tables)")
  var standardize: Bool?

  func apply(to options: inout TrainingOptions) {
    options.data.data = data
    columns.apply(to: &options.data)
    options.data.examples = examples
    options.data.validation = validation
    options.data.imageSize = imageSize
    options.data.cacheFile = cacheFile
    options.data.origin = origin.dataFrom
    options.data.standardize = standardize
  }
}

private func parseImageSize(_ text: String) throws -> ImageSize {
  guard let size = ImageSize(text) else {
    throw ValidationError(
      "'\(text)' is no size of images: give HxW or one number, from 1 to 16384, as in 32 or 48x64")
  }
  return size
}
