// Benches: their numbers as tables, their plots as pictures.
import Plot
import Text

extension RunReport {
  func section(_ bench: BenchRecord) -> HTMLPage.Section {
    var blocks = bench.plots.map { HTMLPage.Block.picture(svg: $0.svg, title: printable($0.name)) }
    guard case .object(let members) = bench.numbers else {
      return HTMLPage.Section(heading: "bench \(printable(bench.name))", blocks: blocks)
    }
    let single = members.filter { !Self.isTable($0.value) && !$0.value.isNull && $0.name != "bench" }
    if !single.isEmpty {
      blocks.append(
        .table(header: [], rows: single.map { [Self.words($0.name), Self.cell($0.value)] }))
    }
    for (name, value) in members where Self.isTable(value) {
      blocks.append(.paragraph(Self.words(name)))
      blocks.append(Self.table(value))
    }
    return HTMLPage.Section(heading: "bench \(printable(bench.name))", blocks: blocks)
  }

  private static func isTable(_ value: JSONTree) -> Bool {
    guard let rows = value.array, !rows.isEmpty else { return false }
    return rows.allSatisfy { if case .object = $0 { true } else { false } }
  }

  private static func table(_ value: JSONTree) -> HTMLPage.Block {
    let rows = value.array ?? []
    var names: [String] = []
    for row in rows.prefix(1000) {
      guard case .object(let members) = row else { continue }
      for (name, _) in members where !names.contains(name) && names.count < 32 { names.append(name) }
    }
    return .table(
      header: names.map(words), rows: rows.prefix(1000).map { row in names.map { row[$0].map(cell) ?? "–" } })
  }

  /// A measurement is its median, and from where to where it lies.
  private static func cell(_ value: JSONTree) -> String {
    guard let median = value["median"]?.number else {
      return value.number.map { shortNumber($0) } ?? value.words
    }
    let low = value["p10"]?.number ?? value["minimum"]?.number
    let high = value["p90"]?.number ?? value["maximum"]?.number
    guard let low, let high else { return shortNumber(median) }
    return "\(shortNumber(median)) (\(shortNumber(low, 3)) to \(shortNumber(high, 3)))"
  }

  /// `stepSeconds` as `step seconds`, `GBs` as it is.
  private static func words(_ name: String) -> String {
    var text = ""
    for character in printable(name) {
      if character.isUppercase, text.last?.isLowercase == true { text += " " }
      text.append(text.isEmpty || text.last == " " ? Character(character.lowercased()) : character)
    }
    return text
  }
}
