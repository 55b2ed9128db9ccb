// What a run tells at its end of the model that it ends with, and whether it has ended early.
import Text

/// What a run tells at its end of the model that it ends with.
struct ModelWords {
  let options: TrainingOptions
  let state: RunState
  /// The step of the model.
  let step: Int
  /// A class by its number.
  let className: (Int) -> String

  /// Lines for people.
  var lines: [String] {
    var lines: [String] = []
    if options.stopsEarly(state), let best = state.best {
      lines.append(
        "stopped early after step \(state.step): no validation loss below \(readableLoss(best.loss)), that of step \(best.step), in \(best.since) evaluation\(best.since == 1 ? "" : "s")"
      )
    }
    if state.averagedCount > 0 {
      lines.append(
        options.averageDecay.map { "model:  the average over the steps, of which each keeps \($0)" }
          ?? "model:  the mean of the ends of \(state.averagedCount) epoch\(state.averagedCount == 1 ? "" : "s")"
      )
    }
    if options.keepsBest, let best = state.best {
      lines.append(
        "model:  of step \(best.step), whose validation loss \(readableLoss(best.loss)) is the best")
    }
    return lines
  }
}

extension TrainingOptions {
  /// Whether a run has waited long enough for a better model.
  func stopsEarly(_ state: RunState) -> Bool {
    earlyStopping.map { (state.best?.since ?? 0) >= $0 } ?? false
  }
}
