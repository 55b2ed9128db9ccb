// Progress on stderr: a bar where it is a terminal, a plain line at each evaluation where it is not.
import DataFormats
import Glibc
import System
import Text

final class Progress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var totalSteps = 0
  private var globalBatch = 0
  private var lastDrawn = 0.0
  private var isBarShown = false

  func begin(totalSteps: Int, globalBatch: Int) {
    self.totalSteps = totalSteps
    self.globalBatch = globalBatch
  }

  /// Draws the bar, at most ten times a second.
  func step(_ step: Int, examples: Int, loss: Double, seconds: Double) {
    guard isTerminal else { return }
    let now = monotonicSeconds()
    guard now - lastDrawn > 0.1 else { return }
    lastDrawn = now
    let fraction = min(1, Double(step) / Double(max(totalSteps, 1)))
    let filled = Int(fraction * 24)
    let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: 24 - filled)
    let rate = seconds > 0 ? Double(examples) / seconds : 0
    let left = fraction > 0 ? seconds / fraction * (1 - fraction) : 0
    standardProgress(
      "\r\u{1B}[K\(bar) \(padded(fixed(100 * fraction, 0), 3)) %  loss \(fixed(loss, 4))  \(fixed(rate, 0)) examples/s  \(fixed(left, 0)) s left"
    )
    isBarShown = true
  }

  /// A line of its own.
  func note(_ text: String) {
    clear()
    standardProgress(visible(text) + "\n")
  }

  func end() { clear() }

  private func clear() {
    if isBarShown { standardProgress("\r\u{1B}[K") }
    isBarShown = false
  }
}
