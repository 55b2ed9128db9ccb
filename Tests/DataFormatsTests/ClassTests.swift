import DataFormats
import System
import TestSupport
import Testing

/// Targets of any kind become classes by their values, with names.
@Suite struct ClassTests {
  private let folder = TemporaryFolder()

  private func load(_ targets: [String], _ task: DataOptions.Task? = .classification) throws -> LoadedData {
    let text = "a,y\n" + targets.enumerated().map { "\($0).5,\($1)\n" }.joined()
    return try loadData(options(folder.put(text, to: "t.csv")) { $0.task = task })
  }

  @Test(
    arguments: [
      (["3", "1", "2", "1"], [2, 0, 1, 0], ["1", "2", "3"]),
      (["9", "0", "5", "0"], [2, 0, 1, 0], ["0", "5", "9"]),
      (["1", "-1", "1", "-1"], [1, 0, 1, 0], ["-1", "1"]),
      (["10", "9", "10", "9"], [1, 0, 1, 0], ["9", "10"]),
      (["b", "a", "B", "é"], [2, 1, 0, 3], ["B", "a", "b", "é"]),
      (["True", "False", "True", "True"], [1, 0, 1, 1], ["False", "True"]),
    ] as [([String], [Int32], [String])])
  func byValue(targets: [String], labels: [Int32], names: [String]) throws {
    let data = try load(targets)
    #expect(data.training.labels == labels && data.training.classCount == names.count)
    #expect(data.preprocessing.classNames == names && data.defaultModel == .softmax)
  }

  @Test func numbersFromZeroNeedNoNames() throws {
    let data = try load(["2", "0", "1", "0"])
    #expect(data.training.labels == [2, 0, 1, 0] && data.preprocessing.classNames == nil)
  }

  @Test func textsAreClassesByThemselves() throws {
    #expect(try load(["no", "yes", "no"], nil).training.labels == [0, 1, 0])
    #expect(throws: DistsgdError.self) { try load(["no", "yes", "no"], .regression) }
  }

  @Test func numbersThatLookLikeClassesAreTold() throws {
    let targets = (0..<12).map { "\($0 % 3)" }
    let data = try load(targets, nil)
    #expect(data.training.values.count == 12 && data.notes.count == 1)
    #expect(
      data.notes[0].contains("3 different values (0, 1, 2)")
        && data.notes[0].contains("--task classification"))
    #expect(try load(targets, .regression).notes.isEmpty && load(targets).notes.isEmpty)
    #expect(try load((0..<12).map { "\($0 % 3).5" }, nil).notes.isEmpty)
  }

  @Test func oneClassIsRefused() {
    expectError(
      .badData, ["all 2 examples are of one class, 'x'"], folder.put("a,y\n1,x\n2,x\n", to: "o.csv"))
  }

  @Test func aClassOfValidationMustBeKnown() {
    let training = folder.put("a,y\n1,x\n2,z\n3,x\n", to: "t.csv")
    expectError(.badData, ["label 'w' is no class", "example 2", "x, z"], training) {
      $0.validation = folder.put("a,y\n1,x\n2,w\n", to: "v.csv")
    }
  }

  @Test func newTargetsAreFoundByName() throws {
    let data = try load(["9", "0", "5", "0"])
    let new = try loadForPrediction(
      folder.put("y,a\n5,1\n9,2\n", to: "n.csv"), preprocessing: data.preprocessing, featureCount: 1)
    #expect(try new.examples(preprocessing: data.preprocessing, classCount: 3).labels == [1, 2])
  }

  /// Tables in the layouts of the UCI repository, each by one obvious command.
  @Test func layoutsOfUCI() throws {
    func rows(_ count: Int, _ row: (Int) -> String) -> String { (0..<count).map { row($0) + "\n" }.joined() }
    func number(_ seed: Int) -> String { "\(seed * 37 % 90).\(seed * 13 % 10)" }
    let iris = try loadData(
      options(
        folder.put(
          rows(30) { "\(number($0)),\(number($0 + 1)),Iris-\(["setosa", "virginica"][$0 % 2])" } + "\n",
          to: "iris.data")))
    #expect(iris.training.count == 30 && iris.training.classCount == 2 && iris.training.featureCount == 2)
    let wdbc = try loadData(
      options(
        folder.put(
          rows(30) { "\(842302 + $0 * 7919 % 1000),\(["M", "B"][$0 % 2]),\(number($0)),\(number($0 + 5))" },
          to: "wdbc.data")
      ) {
        ($0.target, $0.identifier) = ("2", "1")
      })
    #expect(wdbc.training.featureCount == 2 && wdbc.preprocessing.classNames == ["B", "M"])
    let wine = try loadData(
      options(folder.put(rows(30) { "\($0 % 3 + 1),\(number($0)),\(number($0 + 5)),1065" }, to: "wine.data"))
      {
        ($0.target, $0.task) = ("1", .classification)
      })
    #expect(wine.training.featureCount == 3 && wine.preprocessing.classNames == ["1", "2", "3"])
    let adult = try loadData(
      options(
        folder.put(
          rows(30) {
            "\(20 + $0), \(["Private", "?", "State-gov"][$0 % 3]), 77\($0), \(["<=50K", ">50K"][$0 % 2])"
          }, to: "adult.data")
      ) {
        $0.missing = .drop
      })
    #expect(adult.training.count == 20 && adult.preprocessing.classNames == ["<=50K", ">50K"])
    #expect(adult.training.featureCount == 4)
    let auto = try loadData(
      options(
        folder.put(
          rows(30) {
            "\(number($0))   8   \($0 == 3 ? "?" : number($0 + 2))      3504.      70  1\t\"chevrolet malibu \($0 % 4)\""
          }, to: "auto-mpg.data")
      ) {
        ($0.target, $0.missing, $0.exclude) = ("1", .drop, ["7"])
      })
    #expect(auto.training.count == 29 && auto.training.featureCount == 5)
    let quality = try loadData(
      options(
        folder.put(
          "\"fixed acidity\";\"pH\";\"quality\"\n"
            + rows(30) { "\(number($0));\(number($0 + 9));\($0 % 5 + 3)" }, to: "winequality-red.csv")))
    #expect(quality.preprocessing.featureNames == ["fixed acidity", "pH"] && quality.notes.count == 1)
  }
}
