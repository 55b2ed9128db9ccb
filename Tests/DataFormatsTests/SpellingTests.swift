import DataFormats
import System
import TestSupport
import Testing

/// One table in the spellings in which tables lie about: all are read as the plain one.
@Suite struct SpellingTests {
  private let folder = TemporaryFolder()
  private static let rows: [[String]] = (0..<12).map { row in
    ["\(row * row).5", "-\(row).25", "\(7 * row % 5)", "\(100 - 3 * row).125"]
  }

  private static func table(
    _ header: String, _ mark: String = ",", _ row: (Int, String) -> String = { $1 }
  ) -> String {
    header + rows.enumerated().map { row($0, $1.joined(separator: mark)) + "\n" }.joined()
  }

  private func load(_ bytes: [UInt8], _ change: (inout DataOptions) -> Void = { _ in }) throws -> LoadedData {
    try loadData(
      options(folder.put(bytes, to: "t.csv")) {
        $0.standardize = false
        change(&$0)
      })
  }

  static let spellings: [(String, String)] = [
    ("comments", table("# made by lab\n# units: mm\na,b,c,y\n")),
    ("comments of percents, and tabs", table("% one\n%two\na\tb\tc\ty\n", "\t")),
    ("comments among rows", table("a,b,c,y\n") { $0 % 5 == 2 ? "# a note\n\($1)" : $1 }),
    ("numpy.savetxt", table("# a,b,c,y\n")),
    ("sep=", "sep=;\n" + table("a;b;c;y\n", ";")),
    ("bars", table("a|b|c|y\n", "|")),
    ("blanks", table("a b  c y\n", "   ")),
    (
      "a tab before the last of blanks",
      table("") { $1.split(separator: ",").dropLast().joined(separator: "  ") + "\t" + rows[$0][3] }
    ),
    ("a comma at every line's end", table("a,b,c,y,\n") { $1 + "," }),
    ("a comma at the rows' ends", table("a,b,c,y\n") { $1 + "," }),
    ("a comma at the header's end", table("a,b,c,y,\n")),
    ("decimal commas", table("a;b;c;y\n", ";") { $1.replacing(".", with: ",") }),
    ("decimal commas and tabs", table("a\tb\tc\ty\n", "\t") { $1.replacing(".", with: ",") }),
    ("a nameless index", table(",a,b,c,y\n") { "\($0),\($1)" }),
    ("pandas' second index", table("Unnamed: 0,a,b,c,y\n") { "\($0),\($1)" }),
    ("R's index", table("\"\",\"a\",\"b\",\"c\",\"y\"\n") { "\"\($0 + 1)\",\($1)" }),
    ("R's write.table", table("\"a\" \"b\" \"c\" \"y\"\n", " ") { "\"\($0 + 1)\" \($1)" }),
    ("names of rows", table(",a,b,c,y\n") { "row \($0),\($1)" }),
    ("Obs", table("Obs,a,b,c,y\n") { "\($0 + 1),\($1)" }),
    (
      "an index behind",
      table("a,b,c,rowid,y\n") { row, _ in
        (rows[row][..<3] + ["\(row)"] + rows[row][3...]).joined(separator: ",")
      }
    ),
    ("numbers as header", table("0,1,2,3\n")),
    ("numbers and an index", table(",0,1,2,3\n") { "\($0),\($1)" }),
    ("numbers from 1", table("1,2,3,4\n")),
    ("years", table("1990,1995,2000,2010\n")),
    (
      "single quotes",
      table("'a','b','c','y'\n") { _, row in
        row.split(separator: ",").map { "'\($0)'" }.joined(separator: ",")
      }
    ),
    ("sodium among the names", table("RI,Na,c,y\n")),
    ("an end mark of DOS", table("a,b,c,y\n") + "\u{1A}"),
    ("CR", table("a,b,c,y\n").replacing("\n", with: "\r")),
    ("CR LF", table("a,b,c,y\n").replacing("\n", with: "\r\n")),
  ]

  @Test(arguments: spellings) func isReadAsThePlainTable(_ spelling: (name: String, text: String)) throws {
    let plain = try load(Array(Self.table("a,b,c,y\n").utf8)).training
    let read = try load(Array(spelling.text.utf8))
    #expect(read.training.floats == plain.floats && read.training.values == plain.values, "\(read.summary)")
  }

  @Test(arguments: [true, false], [true, false]) func utf16(isBig: Bool, hasMark: Bool) throws {
    let plain = try load(Array(Self.table("ä,b,c,y\n").utf8))
    let units = Array(((hasMark ? "\u{FEFF}" : "") + Self.table("ä,b,c,y\n")).utf16)
    let bytes = units.flatMap { unit -> [UInt8] in
      let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
      return isBig ? pair : pair.reversed()
    }
    let read = try load(bytes)
    #expect(read.training.floats == plain.training.floats && read.training.values == plain.training.values)
    #expect(read.preprocessing.featureNames[0] == "ä" && read.summary.contains("UTF-16"))
  }

  @Test func theSummarySaysWhatWasAssumed() throws {
    #expect(try load(Array(Self.table("a,b,c,y\n").utf8)).summary.hasSuffix("1 target; row 1 is the header"))
    #expect(
      try load(Array(Self.table("# x\n\na,b,c,y\n").utf8)).summary.hasSuffix(
        "; row 3 is the header, 1 comment"))
    #expect(try load(Array(Self.table("").utf8)).summary.hasSuffix("; no header"))
    let index = try load(Array(Self.table(",a,b,c,y\n") { "\($0),\($1)" }.utf8))
    #expect(index.notes.count == 1 && index.notes[0].contains("column 1 without a name (0, 1, …)"))
    #expect(index.notes[0].contains("--features"))
  }

  @Test func theHeaderCanBeSaid() throws {
    let text = Array(Self.table("0,1,2,3\n").utf8)
    #expect(try load(text) { $0.header = .no }.training.count == 13)
    #expect(try load(text) { $0.header = .yes }.training.count == 12)
    #expect(try load(Array(Self.table("").utf8)) { $0.header = .yes }.training.count == 11)
  }

  @Test func anIndexCanBeKept() throws {
    let text = Array(Self.table(",a,b,c,y\n") { "\($0),\($1)" }.utf8)
    let kept = try load(text) { $0.features = ["1", "a"] }
    #expect(kept.training.featureCount == 2 && kept.notes.isEmpty)
    // What only begins as one is none.
    let other = try load(Array(Self.table("t,a,b,c,y\n") { "\($0),\($1)" }.utf8))
    #expect(other.training.featureCount == 4 && other.notes.isEmpty)
  }

  /// Rows of data that look like a header, and headers that look like data.
  @Test(arguments: [
    ("1.053,abc,-2.5\n" + String(repeating: "1,2.5,3\n", count: 20), "'abc' is not a number, "),
    ("a,b\n", "a header and no rows"),
  ])
  func noRowIsLost(text: String, words: String) {
    expectError(.badData, [words], folder.put(text, to: "t.csv"))
  }

  @Test(arguments: [
    "1,2,3\n4,5,6\n7,8,10\n3,1,2\n", "0,1,1\n1,0,0\n0,1,1\n1,1,0\n", "p,x,s\ne,x,y\np,b,s\ne,x,s\n",
    "39, State-gov, 77516\n50, Private, 83311\n38, Private, 215646\n",
  ])
  func dataAreNoHeader(text: String) throws {
    let data = try load(Array(text.utf8))
    #expect(data.training.count == text.split(separator: "\n").count && data.summary.hasSuffix("no header"))
  }
}
