// Rows of text under each other.

/// Rows as columns of equal width, the first column to the left, the others to the right.
package func alignedTable(_ rows: [[String]]) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
  }
  return rows.map { row in
    row.enumerated().map { column, text in
      column == 0 ? padded(text, widths[0], left: true) : padded(text, widths[column])
    }.joined(separator: "  ")
  }.joined(separator: "\n") + "\n"
}
