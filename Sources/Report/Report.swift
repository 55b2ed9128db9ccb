// One page about runs, sweeps and benches: what happened, where the time went, and which run is better.
import Plot
import Text

/// A page made of what files say, and of nothing else.
package struct RunReport: Sendable {
  let sources: Sources
  var runs: [RunRecord] { sources.runs }

  package init(_ sources: Sources) { self.sources = sources }

  private var title: String {
    if runs.count > 3 { return "\(runs.count) runs" }
    let others = sources.trials.map(\.name) + sources.benches.map { "bench \($0.name)" }
    let names = runs.map(\.name) + others.map { printable($0) }
    return names.count > 5 ? "\(names.count) files" : names.joined(separator: ", ")
  }

  /// A self-contained HTML page.
  package var html: String {
    var sections: [HTMLPage.Section] = []
    if !runs.isEmpty {
      sections = [results, settings, topology, learning, noise, time, confusion].compactMap { $0 }
    }
    // The only one needs no name beside the page's.
    sections += sources.trials.map { section($0) } + sources.benches.map { section($0) }
    if sections.count == 1, sections[0].heading == title { sections[0].heading = "" }
    return HTMLPage(title: title, sections: sections).html
  }
}
