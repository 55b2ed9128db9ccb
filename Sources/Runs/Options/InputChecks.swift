// What is wrong with the options of examples on their way in, and of the model at the end, before any data are read.
import DistributedSGD
import System

extension TrainingOptions {
  /// - Throws: `DistsgdError` (`usage`).
  func checkInputs() throws(DistsgdError) {
    try DecimalRange.labelSmoothing.check(labelSmoothing)
    try DecimalRange.mixup.check(mixup)
    guard !balancesClasses || sampling == .shuffle else {
      throw DistsgdError(
        .usage,
        "--sampling \(sampling.rawValue): --balance has an order of its own; leave one of them out")
    }
  }

  /// - Throws: `DistsgdError` (`usage`).
  func checkModelAtEnd() throws(DistsgdError) {
    try NumberRange.earlyStopping.check(earlyStopping)
    try DecimalRange.averageDecay.check(averageDecay)
    try NumberRange.averagesFrom.check(averagesFrom)
    if let averageDecay, averagesEpochs {
      throw DistsgdError(
        .usage, "--ema \(averageDecay): a run has one average, and there is --swa; leave one of them out")
    }
    guard let averagesFrom else { return }
    guard averagesEpochs else {
      throw DistsgdError(
        .usage, "--swa-from \(averagesFrom): nothing is averaged; add --swa, or leave it out")
    }
    guard averagesFrom <= epochLimit else {
      throw DistsgdError(
        .usage,
        "--swa-from \(averagesFrom): the run has \(epochLimit) epoch\(epochLimit == 1 ? "" : "s"), and none would be averaged; use at most \(epochLimit)"
      )
    }
  }

  /// Refuses what looks at a validation loss where there is none.
  /// - Throws: `DistsgdError` (`usage`).
  func requireValidation(_ isThere: Bool) throws(DistsgdError) {
    guard !isThere, earlyStopping != nil || keepsBest else { return }
    let flag = earlyStopping.map { "--early-stopping \($0)" } ?? "--keep-best"
    throw DistsgdError(
      .usage, "\(flag): there are no validation data to look at; hold some out by --validation 0.2")
  }
}
