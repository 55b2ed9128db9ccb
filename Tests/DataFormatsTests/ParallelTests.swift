import DataFormats
import MPI
import TestSupport
import Testing

/// Files large enough to be read in parts by several threads give what one thread would.
@Suite struct ParallelTests {
  private let folder = TemporaryFolder()
  private let rows = 120_000

  /// About 4 MB: 100,000 + i, i / 2, −i; some blank lines; line ends of two kinds.
  private func table(_ change: (Int, inout String) -> Void = { _, _ in }) -> String {
    var text = ""
    for i in 0..<rows {
      var line = "\(100_000 + i).0,\(Double(i) / 2),-\(i).000000"
      change(i, &line)
      text += line + (i % 3 == 0 ? "\r\n" : "\n") + (i % 1000 == 7 ? "\n  \n" : "")
    }
    return text
  }

  private func check(_ data: LoadedData) {
    #expect(data.training.count == rows && data.training.featureCount == 2)
    let numbers = (0..<rows).map { Float($0) }
    let inputs: [Float] = numbers.flatMap { number -> [Float] in [100_000 + number, number / 2] }
    let targets: [Float] = numbers.map { number -> Float in -number }
    #expect(data.training.floats == inputs)
    #expect(data.training.values == targets)
  }

  @Test func tablesInParts() throws {
    check(try loadData(options(folder.put(table(), to: "t.csv")) { $0.standardize = false }))
  }

  /// Quoted fields hold line ends: such a table is read in one piece.
  @Test func tablesWithQuotes() throws {
    let text = "note,a,b,c\n" + table { i, line in line = (i == 60_000 ? "\"x\ny\"," : "n,") + line }
    check(
      try loadData(
        options(folder.put(text, to: "t.csv")) {
          $0.standardize = false
          $0.features = ["a", "b"]
        }))
  }

  /// The first error is told with its line in the file, wherever it stands and whatever comes after.
  @Test(arguments: [5, 59_000, 119_999])
  func errorsKeepTheirLine(row: Int) {
    // Two blank lines follow each of the rows 7, 1007, 2007, …
    let line = row + 1 + 2 * ((row + 992) / 1000)
    let word = table { i, line in if i == row || i == 119_999 { line = "1,x,2" } }
    expectError(.badData, ["'x' is not a number", "row \(line),"], folder.put(word, to: "t.csv"))
    let ragged = table { i, line in if i == row || i == 119_999 { line += ",4" } }
    expectError(.badData, ["4 fields", "row \(line):"], folder.put(ragged, to: "t.csv"))
  }

  @Test func standardizedInParts() throws {
    let data = try loadData(options(folder.put(table(), to: "t.csv")))
    let p = data.preprocessing
    let (mean, deviation) = (p.featureMeans[0], p.featureDeviations[0])
    for i in [0, 1, 59_999, 60_000, rows - 1] {
      let expected = Float((100_000 + Double(i) - mean) / deviation)
      #expect(data.training.floats[2 * i] == expected)
    }
  }

  @Test func arraysInParts() throws {
    let values = (0..<600_000).map { Float($0) }
    let path = folder.put(npy("<f4", [200_000, 3], littleEndian(values)), to: "x.npy")
    let data = try loadData(options(path) { $0.standardize = false })
    let inputs: [Float] = (0..<200_000).flatMap { row -> [Float] in [values[3 * row], values[3 * row + 1]] }
    let targets: [Float] = (0..<200_000).map { row -> Float in values[3 * row + 2] }
    #expect(data.training.floats == inputs)
    #expect(data.training.values == targets)
  }
}
