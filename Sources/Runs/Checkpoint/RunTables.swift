// The tables of a run beside timings.csv: their names, and what a checkpoint calls their lengths.

enum RunTables {
  static let all: [(name: String, word: String)] = [
    ("waits.csv", "waitsBytes"), ("heatmap.csv", "heatmapBytes"), ("ranks.csv", "ranksBytes"),
  ]
}
