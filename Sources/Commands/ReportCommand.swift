import ArgumentParser
import Report
import System
import Text

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make one page of what runs have left: results, settings, curves, where the time went.",
    discussion: """
      Takes runs that have ended and runs that still go on, several laid over each other, and what sweep, chapter \
      and bench leave. The page is one HTML file that needs no network and runs no script.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run's folder or its metrics.jsonl, a folder of several runs, or what sweep, chapter or bench has left.",
      valueName: "run"))
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "The page. (default: report.html in the run's folder; of several runs, in the current one)",
      valueName: "file.html"))
  var output: String?

  @Flag(help: "Open the page in the browser.")
  var open = false

  func run() throws {
    let html = RunReport(try Sources(runs)).html
    let path = output ?? besideInput(runs, "report.html")
    try ReplacementFile.write(html, to: path)
    standardOutput("report: \(visible(path))")
    if open { show(path) }
  }

  /// A page that nobody can see is still written.
  private func show(_ path: String) {
    #if os(macOS)
      let program = "open"
    #else
      let program = "xdg-open"
    #endif
    guard !runChild(program, [path.hasPrefix("-") ? "./" + path : path]).isSuccess else { return }
    standardError(
      "distsgd: warning: --open: \(program) could not show '\(printable(path, limit: 200))'; open it in a browser"
    )
  }
}

/// Where what is made of some files goes when nobody says: into the folder of the one, or the current one.
func besideInput(_ paths: [String], _ name: String) -> String {
  guard paths.count == 1 else { return name }
  var path = paths[0]
  if pathKind(path) == .directory {
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path == "/" ? "/" + name : "\(path)/\(name)"
  }
  return path.contains("/") ? parentFolder(path) + name : name
}
