// What training does to its examples, as ArgumentParser sees it.
import ArgumentParser
import DistributedSGD
import Runs
import Text

struct InputArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Train on pictures a little otherwise in every epoch: crop:N (a random crop of the picture with N pixels of zeros around it), flip (left and right, half of them), cutout:N (a square of zeros).",
      valueName: "word,…"), transform: parseAugmentation)
  var augment: Augmentation?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Share so much of a label among all classes, as PyTorch's label_smoothing.", valueName: "ε"),
    transform: parseNumber)
  var labelSmoothing: Double?

  @Option(
    help: ArgumentHelp(
      "How much an example of each class counts: balanced, weights in the classes' order, or name=weight.",
      valueName: "balanced|w,…"), transform: parseClassWeights)
  var classWeights: ClassWeights?

  @Flag(help: "Draw examples so that all classes come equally often.")
  var balance = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Train on mixtures of two examples, whose shares are from Beta(α, α).", valueName: "α"),
    transform: parseNumber)
  var mixup: Double?

  func apply(to options: inout TrainingOptions) {
    options.augmentation = augment
    options.labelSmoothing = labelSmoothing
    options.classWeights = classWeights
    options.balancesClasses = balance
    options.mixup = mixup
  }
}

private func parseAugmentation(_ text: String) throws -> Augmentation {
  guard let augmentation = Augmentation(text) else {
    throw ValidationError(
      "'\(printable(text, limit: 200))' is none of them: give each at most once, N from 1 to 4096, as in crop:4,flip,cutout:8"
    )
  }
  return augmentation
}

private func parseClassWeights(_ text: String) throws -> ClassWeights {
  guard let weights = ClassWeights(text) else {
    throw ValidationError(
      "'\(printable(text, limit: 200))' is none: give balanced, a number from 0 up for each class as in 1,2.5,1, or names as in cat=2,dog=0.5"
    )
  }
  return weights
}
