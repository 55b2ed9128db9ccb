// Progress on stderr: a bar where it is a terminal, a plain line at each evaluation where it is not.
import DataFormats
import Glibc
import System
import Text

final class Progress {
  private var bar = ProgressBar()
  private var totalSteps = 0
  private var lastDrawn = 0.0
  private var left = TimeLeft()
  /// The means of the losses between two drawings, the newest last.
  private var losses: [Double] = []
  private var sum = (losses: 0.0, count: 0)
  /// As many as the bar has room for.
  private static let lossesShown = 16

  func begin(totalSteps: Int) {
    self.totalSteps = totalSteps
  }

  /// Draws the bar, at most ten times a second.
  func step(_ step: Int, examples: Int, loss: Double, seconds: Double) {
    let isJSON = ConsoleStyle.isJSON
    guard bar.isShown || isJSON else { return }
    sum = (sum.losses + loss, sum.count + 1)
    let now = monotonicSeconds()
    guard now - lastDrawn > (isJSON ? 1 : 0.1) else { return }
    lastDrawn = now
    losses.append(sum.losses / Double(sum.count))
    sum = (0, 0)
    if losses.count > Self.lossesShown { losses.removeFirst() }
    let done = min(1, Double(step) / Double(max(totalSteps, 1)))
    left.add(done: done, at: now)
    let rate = seconds > 0 ? Double(examples) / seconds : 0
    if isJSON {
      var line = ConsoleStyle.progress
      line["step"] = step
      line["steps"] = totalSteps
      line["loss"] = loss
      line["examplesPerSecond"] = rate
      line["secondsLeft"] = left.seconds
      standardProgress(line.description + "\n")
    } else {
      var parts = ["loss \(readableLoss(losses.last ?? loss, 4))"]
      if let left = left.seconds { parts.append("\(readableDuration(left)) left") }
      parts += [sparkline(heights), "\(fixed(rate, 0)) examples/s"]
      bar.draw(done: done, parts: parts)
    }
  }

  /// Losses that differ by much are shown by their logarithms: else the first would leave the others flat.
  private var heights: [Double] {
    guard let least = losses.min(), let greatest = losses.max(), least > 0, greatest > 20 * least else {
      return losses
    }
    return losses.map { log($0) }
  }

  /// A line of its own.
  func note(_ text: String) {
    bar.clear()
    standardNote(text)
  }

  func end() { bar.clear() }
}
