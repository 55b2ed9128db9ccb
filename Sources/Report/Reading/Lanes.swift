// Sums over two numbers that have no known end (ranks, steps, epochs), in a table of bounded size.

/// Sums in rows and columns. Where a number is too large for the table, neighbours become one: rows or columns then stand
/// for two numbers, four, … .
package struct Lanes: Sendable {
  package struct Sum: Sendable, Equatable {
    package var first = 0.0
    package var second = 0.0
    package var count = 0.0

    fileprivate static func += (sum: inout Sum, other: Sum) {
      sum.first += other.first
      sum.second += other.second
      sum.count += other.count
    }
  }

  private let rowLimit: Int
  private let columnLimit: Int
  /// How many numbers a row or a column stands for.
  package private(set) var rowStride = 1
  package private(set) var columnStride = 1
  package private(set) var sums: [[Sum]] = []
  /// The largest number of a row and of a column.
  package private(set) var lastRow = -1
  package private(set) var lastColumn = -1

  init(rows: Int, columns: Int) {
    rowLimit = rows
    columnLimit = columns
  }

  /// Numbers from 0 up to this are taken: beyond it, none of ours lies.
  static let numbers = 0...(1 << 50)

  package var columnCount: Int { lastColumn < 0 ? 0 : lastColumn / columnStride + 1 }

  /// The first and last number that a row or column stands for.
  package func rowNumbers(_ row: Int) -> ClosedRange<Int> {
    row * rowStride...min(row * rowStride + rowStride - 1, max(lastRow, row * rowStride))
  }

  package func columnNumbers(_ column: Int) -> ClosedRange<Int> {
    column
      * columnStride...min(column * columnStride + columnStride - 1, max(lastColumn, column * columnStride))
  }

  /// - Precondition: `row` and `column` are in `numbers`.
  mutating func add(_ first: Double, _ second: Double = 0, count: Double = 1, row: Int, column: Int) {
    precondition(Self.numbers.contains(row) && Self.numbers.contains(column), "numbers from 0 up")
    while row / rowStride >= rowLimit { joinRows() }
    while column / columnStride >= columnLimit { joinColumns() }
    lastRow = max(lastRow, row)
    lastColumn = max(lastColumn, column)
    let (y, x) = (row / rowStride, column / columnStride)
    while sums.count <= y { sums.append([]) }
    while sums[y].count <= x { sums[y].append(Sum()) }
    sums[y][x] += Sum(first: first, second: second, count: count)
  }

  /// Makes columns stand for at least `count` numbers.
  mutating func widenColumns(to count: Int) {
    while columnStride < min(count, Self.numbers.upperBound) { joinColumns() }
  }

  mutating func widenRows(to count: Int) {
    while rowStride < min(count, Self.numbers.upperBound) { joinRows() }
  }

  /// The sums of a cell; zero where nothing was added.
  package subscript(row: Int, column: Int) -> Sum {
    sums.indices.contains(row) && sums[row].indices.contains(column) ? sums[row][column] : Sum()
  }

  private mutating func joinRows() {
    rowStride *= 2
    sums = stride(from: 0, to: sums.count, by: 2).map { row in
      var joined = sums[row]
      guard row + 1 < sums.count else { return joined }
      for (column, sum) in sums[row + 1].enumerated() {
        if column < joined.count { joined[column] += sum } else { joined.append(sum) }
      }
      return joined
    }
  }

  private mutating func joinColumns() {
    columnStride *= 2
    sums = sums.map { row in
      stride(from: 0, to: row.count, by: 2).map { column in
        var joined = row[column]
        if column + 1 < row.count { joined += row[column + 1] }
        return joined
      }
    }
  }
}
