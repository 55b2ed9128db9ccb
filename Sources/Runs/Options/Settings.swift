// The settings of a run as flags and their words: what a checkpoint keeps, and what a resumed run may change.
import DataFormats
import MPI
import System
import Text

extension TrainingOptions {
  /// Every setting that was made, by its flag; a flag without a value has the word `true` or `false`.
  package var settings: [String: String] {
    var words: [String: String] = [
      "--data": data.data, "--activation": activation.rawValue, "--global-batch": "\(globalBatch)",
      "--last-batch": lastBatch.rawValue, "--seed": "\(seed)", "--sampling": sampling.rawValue,
      "--duplicate": "\(copies)", "--optimizer": optimizer.description, "--schedule": schedule.description,
      "--log-every": "\(logEvery)", "--threads": "\(threads)", "--keep": "\(checkpointsKept)",
      "--check-every": "\(checkEvery)", "--timeout": "\(timeout)",
    ]
    words["--arithmetic"] = arithmetic == .blas ? nil : arithmetic.rawValue
    words["--data-from"] = data.origin == .each ? nil : data.origin.rawValue
    words["--target"] = data.target
    words["--features"] = data.features.map(ColumnList.text)
    words["--exclude"] = data.exclude.map(ColumnList.text)
    words["--id"] = data.identifier
    words["--weight"] = data.weight
    words["--task"] = data.task?.rawValue
    words["--header"] = data.header == .auto ? nil : data.header.rawValue
    words["--missing"] = data.missing == .error ? nil : data.missing.rawValue
    words["--missing-value"] = data.missingValues.isEmpty ? nil : ColumnList.text(data.missingValues)
    words["--dates"] = data.takesDates ? "parts" : nil
    words["--examples"] = data.examples.map(String.init)
    words["--validation"] = data.validation
    words["--image-size"] = data.imageSize?.description
    words["--standardize"] = data.standardize.map(String.init)
    words["--model"] = model?.description
    words["--batch-norm"] = batchNorm?.rawValue
    words["--loss"] = loss?.description
    words["--initialize"] = initialize
    words["--shards"] = shards.map(String.init)
    words["--micro-batch"] = microBatch.map(String.init)
    words["--epochs"] = epochs.map(String.init)
    words["--steps"] = steps.map(String.init)
    words["--learning-rate"] = learningRate.map { "\($0)" }
    switch clipping {
    case .norm(let limit): words["--clip-norm"] = "\(limit)"
    case .value(let limit): words["--clip-value"] = "\(limit)"
    case nil: break
    }
    words["--no-decay-for"] =
      noDecayFor.isEmpty ? nil : noDecayFor.map(\.rawValue).sorted().joined(separator: ",")
    words["--warmup"] = warmUp?.description
    words["--scale-learning-rate"] = batchScaling?.rawValue
    words["--base-batch"] = baseBatch.map(String.init)
    words["--augment"] = augmentation?.description
    words["--label-smoothing"] = labelSmoothing.map { "\($0)" }
    words["--class-weights"] = classWeights?.description
    words["--balance"] = balancesClasses ? "true" : nil
    words["--mixup"] = mixup.map { "\($0)" }
    words["--early-stopping"] = earlyStopping.map(String.init)
    words["--keep-best"] = keepsBest ? "true" : nil
    words["--ema"] = averageDecay.map { "\($0)" }
    words["--swa"] = averagesEpochs ? "true" : nil
    words["--swa-from"] = averagesFrom.map(String.init)
    words["--evaluate-every"] = evaluateEvery.map(String.init)
    words["--log-hashes"] = logsHashes ? "true" : nil
    words["--tensorboard"] = writesEvents ? "true" : nil
    words["--bucket-size"] = bucketSize?.description
    words["--messages"] = messages?.rawValue
    words["--wire"] = wire == .fp32 ? nil : wire.rawValue
    words["--checkpoint-every"] = checkpointEvery?.description
    return words
  }
}

extension TrainingOptions {
  /// The settings that all ranks must have in common, as one text. Data may have another path on another server.
  var commonSettings: String {
    var common = settings
    common["--data"] = nil
    return Settings.arguments(common).joined(separator: "\0")
  }

  /// Of all that the ranks must have in common.
  var settingsHash: UInt64 { Array(commonSettings.utf8).withUnsafeBytes { xxh64($0) } }
}

package enum Settings {
  /// What a resumed run may have otherwise: how long it is, what it tells, and where the same data are.
  private static let changeable: Set = [
    "--data", "--data-from", "--epochs", "--steps", "--evaluate-every", "--log-every", "--log-hashes",
    "--checkpoint-every", "--keep", "--check-every", "--timeout", "--tensorboard", "--bucket-size",
    "--messages",
  ]

  /// Whether a setting decides none of a run's numbers.
  static func isChangeable(_ flag: String) -> Bool { changeable.contains(flag) }

  /// The command line that makes these settings.
  package static func arguments(_ settings: [String: String]) -> [String] {
    settings.sorted { $0.key < $1.key }.map { flag, word in
      switch (flag, word) {
      case ("--log-hashes", _), ("--balance", _), ("--keep-best", _), ("--swa", _), ("--standardize", "true"),
        ("--tensorboard", _):
        flag
      case ("--standardize", _): "--no-standardize"
      default: "\(flag)=\(word)"
      }
    }
  }

  /// - Throws: `DistsgdError` (`usage`) that names the first setting which would change the run's result.
  package static func check(_ new: [String: String], against old: [String: String], run: String) throws {
    for flag in Set(new.keys).union(old.keys).subtracting(changeable).sorted() where new[flag] != old[flag] {
      throw DistsgdError(
        .usage,
        "\(printable(flag)) \(new[flag] ?? "unset"): the run in '\(run)' has \(old[flag].map { printable($0, limit: 200) } ?? "its default"), and another would change its result; leave it out, or start a new run"
      )
    }
  }
}
