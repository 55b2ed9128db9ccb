// What classes are taken for.
import Plot
import Text

extension RunReport {
  var confusion: HTMLPage.Section? {
    var blocks: [HTMLPage.Block] = []
    var isClassifying = false
    for run in runs {
      if run.bestKnown("accuracy") != nil { isClassifying = true }
      if let map = Self.confusion(run, isNamed: runs.count > 1) {
        blocks.append(
          .figure(
            map,
            caption:
              "A row for each true class, a column for each predicted one; counts of examples. Shades are shares of the true class, so what lies off the diagonal is what is taken for something else."
          ))
      }
    }
    if blocks.isEmpty, isClassifying {
      blocks = [
        .paragraph(
          "The runs do not tell of their classes: they have no validation set, more than 50 classes, or no end yet. This prints the matrix of a model on any data:"
        ),
        .preformatted("distsgd evaluate --model RUN/model.safetensors --data DATA"),
      ]
    }
    return blocks.isEmpty ? nil : HTMLPage.Section(heading: "Confusion matrix", blocks: blocks)
  }

  private static func confusion(_ run: RunRecord, isNamed: Bool) -> HeatMap? {
    guard let rows = run.atEnd("confusion")?.array, (2...100).contains(rows.count) else { return nil }
    let counts = rows.map { $0.array?.map { max($0.number ?? 0, 0) } ?? [] }
    guard counts.allSatisfy({ $0.count == counts.count }) else { return nil }
    let classes = run.atEnd("classes")?.array?.map { printable($0.string ?? $0.words, limit: 24) } ?? []
    let names = counts.indices.map { classes.indices.contains($0) ? classes[$0] : "\($0)" }
    let cells = counts.indices.map { row in
      let total = counts[row].reduce(0, +)
      return counts.indices.map { column in
        let count = counts[row][column]
        return HeatMap.Cell(
          total > 0 ? count / total : nil, text: shortNumber(count),
          told:
            "\(names[row]) taken for \(names[column]): \(shortNumber(count)) of \(shortNumber(total)), \(percent(count / total))"
        )
      }
    }
    return HeatMap(
      title: "Classes of the validation set" + (isNamed ? ": \(run.name)" : ""), xLabel: "predicted class",
      yLabel: "true class",
      legend: "share of the true class", rows: names, columns: names, cells: cells, scale: .logarithmic,
      labelsEveryColumn: true,
      format: { percent($0) })
  }
}
