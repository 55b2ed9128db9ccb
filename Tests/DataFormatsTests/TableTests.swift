import DataFormats
import System
import TestSupport
import Testing

/// Enough numbers for a text among them to be a mistake.
private let twentyRows = String(repeating: "1,2\n", count: 20)

/// Text tables: layouts that are found, columns that are chosen, and every error with its place.
@Suite struct TableTests {
  let folder = TemporaryFolder()

  private func load(
    _ text: String, _ change: (inout DataOptions) -> Void = { _ in }
  ) throws(DistsgdError) -> LoadedData {
    try loadData(
      options(folder.put(text, to: "t.csv")) {
        $0.standardize = false
        change(&$0)
      })
  }

  @Test(arguments: [
    "1,2,3\n4,5,6\n", "1,2,3\n4,5,6", "1,2,3\r\n4,5,6\r\n", "1,2,3\r4,5,6\r", "1\t2\t3\n4\t5\t6\n",
    "1;2;3\n4;5;6\n", "1 2 3\n4 5 6\n", "  1   2 3 \n\n 4 5\t6\n", " 1 , 2 ,3\n4,5, 6 \n",
    "\u{FEFF}1,2,3\n4,5,6\n",
    "\n\n1,2,3\n\n  \n4,5,6\n\n", "\"1\",\"2\",3\n4,\"5\",6\n", "1.0,2e0,+3\n.4e1,50e-1,6.\n",
    "a,b,c\n1,2,3\n4,5,6\n",
    "\"a,x\",\"b \"\"q\"\"\",\"c\nd\"\n1,2,3\n4,5,6\n", "a b c\n1 2 3\n4 5 6\n", "x,2000,y\n1,2,3\n4,5,6\n",
    "PK,b,c\n1,2,3\n4,5,6\n", "1 \t 2 \t 3\n4 \t 5 \t 6\n", "1\t\t2\t\t3\n4\t5\t6\n",
  ])
  func layouts(text: String) throws {
    let data = try load(text)
    #expect(data.training.floats == [1, 2, 4, 5])
    #expect(data.training.values == [3, 6])
    #expect(data.training.count == 2 && data.training.featureCount == 2)
    #expect(data.defaultModel == .linear)
  }

  @Test func namesComeFromTheHeaderOrNumbers() throws {
    let named = try load("a,\"b \"\"q\"\"\",\n1,2,3\n")
    #expect(named.preprocessing.featureNames == ["a", "b \"q\""])
    #expect(named.preprocessing.targetName == "3")
    #expect(try load("1,2,3\n").preprocessing.featureNames == ["1", "2"])
  }

  @Test func columnsAreChosenByNameOrNumber() throws {
    let text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n"
    let first = try load(text) { $0.target = "a" }
    #expect(first.training.floats == [2, 3, 4, 6, 7, 8] && first.training.values == [1, 5])
    let chosen = try load(text) {
      $0.target = "2"
      $0.features = ["d", "a"]
    }
    #expect(chosen.training.floats == [4, 1, 8, 5] && chosen.training.values == [2, 6])
    #expect(chosen.preprocessing.featureNames == ["d", "a"] && chosen.preprocessing.targetName == "b")
    #expect(try load(text) { $0.target = "last" }.training.values == [4, 8])
    // Text in a column that nobody asked for does no harm.
    let mixed = try load("name,a,b\nx,1,2\n\"y, z\nw\",3,4\n") { $0.features = ["a"] }
    #expect(mixed.training.floats == [1, 3] && mixed.training.values == [2, 4])
  }

  @Test func classes() throws {
    let data = try load("1.5,0\n2.5,3\n") { $0.task = .classification }
    #expect(data.training.labels == [0, 1] && data.training.classCount == 2)
    #expect(data.preprocessing.classNames == ["0", "3"])
    #expect(data.defaultModel == .softmax && data.preprocessing.targetDeviation == 1)
  }

  @Test(arguments: [
    ("1,2,3\n4,5\n", ["2 fields", "t.csv row 2", "expected 3 as in row 1"]),
    ("a,b\n\n1,2\n3,4,5,6\n", ["4 fields", "row 4", "expected 2"]),
    (
      "a,b\n\(twentyRows)3,x\n",
      ["'x' is not a number", "row 22", "column 'b'", "--missing-value x,", "with --target"]
    ),
    ("my a,b\n\(twentyRows)a b,3\n", ["--missing-value 'a b',", "--exclude 'my a'"]),
    ("a,a,b\n\(String(repeating: "1,2,3\n", count: 20))1,-x,3\n", ["--missing-value=-x,", "--exclude 2"]),
    ("\(String(repeating: "é", count: 50)),b\n2024-01-31,1\n", ["'2024-01-31'", "--exclude 1 "]),
    ("a,b\n1,2\n,4\n", ["1 empty field in 1 column", "row 3", "column 'a'"]),
    ("1,2\nnan,4\n", ["1 missing value in 1 column", "('nan')", "row 2", "column '1'", "--missing mean"]),
    ("1,2\n-inf,4\n", ["not a finite number", "row 2"]),
    ("NA,2\n1,4\n", ["1 missing value in 1 column", "('NA')", "row 1"]),
    ("1,2\n1e999,4\n", ["not a finite number", "row 2"]),
    ("1,2\n\"3,4\n5,6\n", ["never ends", "row 2"]),
    ("1,2\n\"3\"x,4\n", ["closing quote", "row 2"]),
    ("a,b\n\"1\n\",2\n\(twentyRows)x,3\n", ["'x'", "row 24"]),
    ("", ["empty"]), ("\n\n \n", ["empty"]), ("a,b\n", ["header and no rows"]), ("a,b\n\n", ["no rows"]),
    ("1\n2\n", ["only one column"]),
    ("\(twentyRows)3,4\u{7}\u{1B}[31m\n", ["row 21", "\\u{07}"]),
    ("1;2\n\(String(repeating: "1;2,5\n", count: 20))3;4.5.6\n", ["'4.5.6' is not a number"]),
    ("1e39,2\n1,2\n", ["too large for single", "example 1"]),
  ])
  func errors(text: String, parts: [String]) {
    expectError(.badData, parts, folder.put(text, to: "t.csv")) { $0.standardize = false }
  }

  @Test func utf32IsRefused() {
    expectError(.badData, ["UTF-32"], folder.put([0xFF, 0xFE, 0, 0, 0x31, 0, 0, 0], to: "t.csv"))
  }

  /// A model knows columns by their names alone.
  @Test func namesThatOccurTwice() throws {
    let path = folder.put("a,b,a\n1,2,3\n4,5,6\n", to: "d.csv")
    let data = try load("a,b,a\n1,2,3\n4,5,6\n") { ($0.validation, $0.standardize) = (path, false) }
    #expect(data.validation?.floats == [1, 2, 4, 5] && data.validation?.values == [3, 6])
    expectError(.badData, ["several columns are named 'a'", "rename"], path) { $0.target = "1" }
    expectError(.badData, ["several columns are named 'a'"], path) { ($0.target, $0.exclude) = ("2", ["1"]) }
  }

  /// Without a name a column has its number, unless that is another one's name.
  @Test func numbersAsNamesBesideNone() throws {
    let text = ",1,2,3\n0,5.5,6.5,7\n1,8.5,9.5,4\n2,0.5,1.5,3\n"
    let data = try load(text) { [folder] in $0.validation = folder.put(text, to: "v.csv") }
    #expect(
      data.training.floats == [5.5, 6.5, 8.5, 9.5, 0.5, 1.5]
        && data.validation?.floats == data.training.floats)
    #expect(data.validation?.values == [7, 4, 3])
  }

  @Test func columnErrors() {
    let path = folder.put("frequency,angle,pressure\n1,2,3\n", to: "t.csv")
    expectError(.usage, ["'presure'", "--target", "did you mean 'pressure'?", "frequency, angle"], path) {
      $0.target = "presure"
    }
    expectError(.usage, ["'9'", "--features"], path) { $0.features = ["9"] }
    expectError(.usage, ["both a feature and the target"], path) { $0.features = ["pressure"] }
    expectError(.usage, ["named twice"], path) { $0.features = ["angle", "2"] }
    expectError(.usage, ["names no column"], path) { $0.features = [] }
    expectError(.usage, ["not unique"], folder.put("a,a,b\n1,2,3\n", to: "d.csv")) { $0.target = "a" }
  }

  @Test(arguments: [
    ("1,0\n2,1.5\n", ["label 1.5 is not a whole number", "example 2", "--task regression"]),
    ("1,65536\n", ["the only example is of one class, '65536'"]),
  ])
  func labelErrors(text: String, parts: [String]) {
    expectError(.badData, parts, folder.put(text, to: "t.csv")) { $0.task = .classification }
  }

  @Test func aRowThatBreaksOffAmongReorderedColumns() {
    // The first field goes to the last place of a row for which the file has no bytes left.
    let names = (0..<2000).map { "c\($0)" }
    let row = names.map { _ in "1" }.joined(separator: ",")
    let path = folder.put("\(names.joined(separator: ","))\n\(row)\n1\n", to: "t.csv")
    expectError(.badData, ["1 field", "row 3", "expected 2000"], path) {
      $0.features = names.dropLast().reversed()
    }
  }

  @Test func manyRowsAndSlowNumbers() throws {
    // Numbers of 17 digits, as Python prints them, keep all their digits.
    let text = (0..<5000).map { "\(Double($0) / 7),\(-Double($0) / 3e-9)" }.joined(separator: "\n")
    let data = try load(text)
    #expect(data.training.floats == (0..<5000).map { Float(Double($0) / 7) })
    #expect(data.training.values == (0..<5000).map { Float(-Double($0) / 3e-9) })
  }
}
