// The files that pages are made of, from anybody: every one becomes a page of text and figures, or an error of one line.
import Report
import System

func readReport(_ input: FuzzInput) throws {
  for name in ["metrics.jsonl", "curves.csv", "numbers.json"] { try makePage(input.file(name)) }
  // Beside a run's metrics.
  let run = #"{"event":"run","ranks":2}"# + "\n" + #"{"event":"step","step":1,"loss":1}"# + "\n"
  let path = try input.fixedFile("run.jsonl", Array(run.utf8))
  for name in ["timings.csv", "heatmap.csv", "waits.csv", "ranks.csv"] {
    _ = input.file(name)
    defer { input.remove(name) }
    try makePage(path)
  }
}

private func makePage(_ path: String) throws {
  let html: String
  do {
    html = RunReport(try Sources([path])).html
  } catch let error as DistsgdError {
    guard error.code == .badData else { throw error }
    return try requireLine(error.description)
  }
  for wrong in ["<script", "nan\"", "inf\"", "NaN\"", "<img src=\"h"] where html.contains(wrong) {
    throw Finding("the page has \(wrong)")
  }
}
