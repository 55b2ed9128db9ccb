// A bar on a terminal, of one line that is drawn again and again, as wide as the terminal has room for.
import Glibc
import Text

package struct ProgressBar {
  /// Whether standard error is a terminal.
  package let isShown = isatty(STDERR_FILENO) == 1 && !ConsoleStyle.isJSON
  private var isDrawn = false

  package init() {}

  /// - Parameters:
  ///   - done: 0 … 1.
  ///   - parts: what stands beside the bar, the most important first: where there is no room, the last are left out.
  package mutating func draw(done: Double, parts: [String]) {
    guard isShown else { return }
    var size = winsize()
    let columns =
      ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    standardProgress("\r\u{1B}[K" + Self.line(done: done, parts: parts, columns: columns - 1))
    isDrawn = true
  }

  /// Takes the bar away.
  package mutating func clear() {
    if isDrawn { standardProgress("\r\u{1B}[K") }
    isDrawn = false
  }

  package static func line(done: Double, parts: [String], columns: Int) -> String {
    let done = min(1, max(0, done))
    let percent = "\(padded(fixed((100 * done).rounded(.down), 0), 3)) %"
    var text = percent
    // The bar keeps some room.
    for part in parts where text.count + 2 + part.count + 9 <= columns { text += "  " + part }
    let width = min(24, columns - text.count - 1)
    guard width >= 4 else { return String(text.prefix(max(0, columns))) }
    let filled = Int(done * Double(width))
    return String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled) + " " + text
  }
}
