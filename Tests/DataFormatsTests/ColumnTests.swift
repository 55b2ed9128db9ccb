import DataFormats
import System
import TestSupport
import Testing

/// Columns of texts, of dates, with missing values, and those that are no inputs.
@Suite struct ColumnTests {
  private let folder = TemporaryFolder()
  private let text = """
    id,color,size,alone,when,price
    7,red,1,yes,2024-01-31 10:30,10
    9,blue,2,no,2023-12-01 00:15,20
    4,red,3,no,2024-02-29 23:59,30
    1,"dark, green",4,yes,2024-03-01 07:00,40

    """

  private func load(_ text: String, _ change: (inout DataOptions) -> Void = { _ in }) throws -> LoadedData {
    try loadData(
      options(folder.put(text, to: "t.csv")) {
        $0.standardize = false
        change(&$0)
      })
  }

  @Test func textsBecomeZerosAndOnes() throws {
    let data = try load(text) { $0.exclude = ["id", "when"] }
    #expect(data.training.featureCount == 6 && data.training.exampleShape == [6])
    #expect(
      data.training.floats == [
        0, 0, 1, 1, 0, 1, 1, 0, 0, 2, 1, 0, 0, 0, 1, 3, 1, 0, 0, 1, 0, 4, 0, 1,
      ])
    #expect(data.preprocessing.columns[0].encoding == .category(["blue", "dark, green", "red"]))
    #expect(data.summary.contains("3 features as 6 inputs"))
    // They stay zeros and ones beside numbers in standard units.
    let standard = try load(text) {
      ($0.exclude, $0.standardize) = (["id", "when"], true)
    }
    #expect(
      Set(standard.training.floats.enumerated().filter { $0.offset % 6 != 3 }.map(\.element)) == [0, 1])
    #expect(standard.training.floats[3] == Float((1 - 2.5) / 1.25.squareRoot()))
  }

  @Test func columnsByRangesAndQuotedNames() throws {
    #expect(ColumnList.parse("a,\"b,\"\"c\",2-13") == ["a", "b,\"c", "2-13"])
    #expect(ColumnList.text(["a", "b,\"c", "2-13"]) == "a,\"b,\"\"c\",2-13")
    let wide = "\"a,b\",c,d,e,y\n1,2,3,4,5\n6,7,8,9,1\n"
    #expect(try load(wide) { $0.features = ["a,b", "3-4"] }.training.floats == [1, 3, 4, 6, 8, 9])
    #expect(
      try load(wide) { ($0.features, $0.exclude) = (["1-4"], ["2-3"]) }.training.floats == [1, 4, 6, 9])
    let several = try load(wide) { $0.target = "y,\"a,b\"" }
    #expect(several.training.targetCount == 2 && several.training.values == [5, 1, 1, 6])
    #expect(several.preprocessing.targets.map(\.name) == ["y", "a,b"])
    let path = folder.put(wide, to: "w.csv")
    expectError(.usage, ["no columns 3-9", "1 to 5"], path) { $0.features = ["3-9"] }
    expectError(.usage, ["'y' is the target", "excluded"], path) { ($0.target, $0.exclude) = ("y", ["y"]) }
  }

  @Test func datesAreRefusedOrTakenApart() throws {
    expectError(
      .badData, ["'when' holds dates", "--dates parts", "--exclude when"], folder.put(text, to: "d.csv"))
    let data = try load(text) { ($0.features, $0.takesDates) = (["when"], true) }
    #expect(
      data.preprocessing.featureNames
        == ["year", "month", "day", "weekday", "hour", "minute"].map { "when.\($0)" })
    #expect(data.training.floats.prefix(12) == [2024, 1, 31, 2, 10, 30, 2023, 12, 1, 4, 0, 15])
    let new = try loadForPrediction(
      folder.put("size,when\n3,2024-02-29 23:59\n", to: "n.csv"), preprocessing: data.preprocessing,
      featureCount: 6)
    if case .float32(let values) = new.features { #expect(values == [2024, 2, 29, 3, 23, 59]) }
    // Month first, day first.
    let american = try load("d,y\n12/31/2023,1\n1/2/2024,2\n") { $0.takesDates = true }
    #expect(american.training.floats == [2023, 12, 31, 6, 2024, 1, 2, 1])
    #expect(
      try load("d,y\n31.12.1969,1\n1.1.1600,2\n") { $0.takesDates = true }.training.floats == [
        1969, 12, 31, 2, 1600, 1, 1, 5,
      ])
  }

  private let holes = "a,b,c,y\n1,,x,1\n2,5,NA,2\n?,7,x,3\n4,#N/A,z,4\n5,9,,5\n"

  @Test func missingValues() throws {
    expectError(
      .badData, ["5 missing values in 3 columns", "row 2, column 'b'", "--missing mean", "--missing drop"],
      folder.put(holes, to: "h.csv"))
    expectError(
      .badData, ["2 empty fields in 2 columns", "row 2, column 'a'"],
      folder.put("a,b,y\n,1,2\n1,,2\n", to: "e.csv"))
    expectError(.badData, ["each of the 5 rows", "--missing mean"], folder.put(holes, to: "h.csv")) {
      $0.missing = .drop
    }
    let dropped = try load(holes) { ($0.missing, $0.features) = (.drop, ["a", "b"]) }
    #expect(dropped.training.floats == [2, 5, 5, 9] && dropped.training.values == [2, 5])
    #expect(dropped.summary.contains("3 rows with missing values left out"))
    let filled = try load(holes) { $0.missing = .mean }
    #expect(filled.training.floats == [1, 7, 1, 0, 2, 5, 1, 0, 3, 7, 1, 0, 4, 7, 0, 1, 5, 9, 1, 0])
    #expect(filled.preprocessing.columns.map(\.missing) == [.number(3), .number(7), .category("x")])
    // What the training rows had stands in for what new rows have not.
    let new = try loadForPrediction(
      folder.put("c,b,a\n,,\nz,1,\n", to: "n.csv"), preprocessing: filled.preprocessing, featureCount: 4)
    if case .float32(let values) = new.features { #expect(values == [3, 7, 1, 0, 3, 1, 0, 1]) }
  }

  @Test func valuesThatMeanMissing() throws {
    let data = try load("a,y\n-999,1\n3,2\n-999.0,3\n5,4\nnone,5\n") {
      ($0.missing, $0.missingValues) = (.mean, ["-999"])
    }
    #expect(data.training.floats == [4, 3, 4, 5, 4])
    // A text that is none: `none` among texts.
    #expect(try load("a,y\nnone,1\nsome,2\n").training.floats == [1, 0, 0, 1])
  }

  @Test func codesAreNoMistakes() throws {
    let rows = (0..<40).map { "\($0)\($0 % 20 == 7 ? "A" : ""),\($0)\n" }.joined()
    let data = try load("family,y\n" + rows)
    #expect(data.training.featureCount == 40 && data.notes.contains { $0.contains("'7A'") })
    expectError(
      .badData, ["'7A' is not a number", "row 9"],
      folder.put("family,y\n" + rows.replacing("27A", with: "27"), to: "t.csv"))
  }

  @Test func aMissingTargetIsNotFilledIn() throws {
    let text = "a,y\n1,2\n2,\n3,4\n"
    expectError(
      .badData, ["empty field", "row 3, column 'y'", "--missing drop"], folder.put(text, to: "t.csv"))
    for choice in [MissingChoice.mean, .drop] {
      let data = try load(text) { $0.missing = choice }
      #expect(data.training.values == [2, 4] && data.summary.contains("1 row with"))
    }
  }

  @Test func unknownTextsAreNothingAndCounted() throws {
    let data = try load("c,y\nred,1\nblue,2\nred,3\n")
    let new = try loadForPrediction(
      folder.put("c\nred\npink\npink\n", to: "n.csv"), preprocessing: data.preprocessing, featureCount: 2)
    if case .float32(let values) = new.features { #expect(values == [0, 1, 0, 0, 0, 0]) }
    #expect(new.notes.count == 1 && new.notes[0].contains("2 such as 'pink' in column 'c'"))
  }

  @Test func identifiersAreCarried() throws {
    let data = try load(text) { ($0.identifier, $0.features) = ("id", ["size"]) }
    #expect(data.training.featureCount == 1)
    var reading = NewDataOptions()
    (reading.identifier, reading.readsTargets) = ("name", false)
    let new = try loadForPrediction(
      folder.put("size,name\n1,\"a, b\"\n2,007\n", to: "n.csv"), preprocessing: data.preprocessing,
      featureCount: 1, reading)
    #expect(new.identifiers == ["a, b", "007"] && new.identifierName == "name")
  }

  /// Names and titles are left out, and told; who asks for them is told why they cannot be had.
  @Test func tooManyTexts() throws {
    let rows = (0..<5000).map { "\($0 % 7),name \($0)\n" }.joined()
    let table = folder.put("a,n,y\n" + rows.replacing("\n", with: ",1\n"), to: "t.csv")
    let data = try loadData(options(table))
    #expect(data.training.featureCount == 1 && data.training.count == 5000)
    #expect(
      data.notes.contains {
        $0.contains("'n'") && $0.contains("4,096 different texts") && $0.contains("--id n")
      })
    expectError(.badData, ["4,096 different texts", "'name 0'", "--exclude n"], table) {
      $0.features = ["a", "n"]
    }
  }

  /// As scikit-learn writes above its tables how many rows and columns there are.
  @Test func titleAboveTheTable() throws {
    let titled = try loadData(
      options(folder.put("3,red,green\n1,2,3,4,0\n2,3,4,1,1\n3,4,1,2,0\n4,5,2,2,1\n", to: "t.csv")))
    #expect(titled.training.count == 4 && titled.training.featureCount == 4)
    #expect(titled.summary.contains("row 1 of fewer fields left out"))
  }

  @Test func latinTextsStayApart() throws {
    let bytes: [UInt8] =
      Array("a,y\nM".utf8) + [0xFC] + Array("ller,1\nM".utf8) + [0xF6] + Array("ller,2\n".utf8)
    let data = try loadData(options(folder.put(bytes, to: "t.csv")))
    #expect(data.preprocessing.columns[0].encoding == .category(["Möller", "Müller"]))
  }

  /// Read in parts by several threads, as in one.
  @Test func manyTextsInParts() throws {
    let words = ["alpha", "beta", "\"two\nlines\"", "delta", "x"]
    let rows = (0..<150_000).map { "\($0),\(words[$0 * 7 % 5]),\(words[$0 % 5])\n" }.joined()
    let data = try load("n,a,y\n" + rows)
    #expect(
      data.training.count == 150_000
        && data.preprocessing.classNames == ["alpha", "beta", "delta", "two\nlines", "x"])
    let order: [Int32] = [0, 1, 3, 2, 4]
    let labels: [Int32] = (0..<150_000).map { order[$0 % 5] }
    #expect(data.training.labels == labels)
    let floats = data.training.floats
    func isRight(_ row: Int) -> Bool {
      let place = 6 * row + 1 + Int(order[row * 7 % 5])
      return floats[6 * row] == Float(row) && floats[place] == 1
    }
    #expect((0..<150_000).allSatisfy(isRight))
  }
}
