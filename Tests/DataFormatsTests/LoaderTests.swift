import DataFormats
import Foundation
import TestSupport
import Testing
import Text

/// What holds for every source: names, cutting, hold-outs, standardisation.
@Suite struct LoaderTests {
  let folder = TemporaryFolder()

  @Test func unknownNamesGetASuggestion() {
    expectError(.usage, ["'fashon-mnist'", "did you mean 'fashion-mnist'?", "airfoil-like"], "fashon-mnist")
    expectError(.usage, ["unknown data set 'imagenet'", "synthetic:N,D"], "imagenet")
    expectError(.noInput, ["no such file", "nowhere/x.csv"], "nowhere/x.csv")
    expectError(.noInput, ["no such file", "x.csv"], "x.csv")
    expectError(.noInput, ["no such file", "'y.npy'"], "\(folder.put("1", to: "x.npy")),y.npy")
    expectError(.noInput, ["folder without images"], folder.path)
    expectError(.usage, ["synthetic:1000,20"], "synthetic:0,3")
    expectError(.usage, ["synthetic:1000,20"], "synthetic:5")
    expectError(.usage, ["needs", "GB"], "synthetic:9000000000000,1000000000")
    #expect(nearest("airfoil_like", among: ["airfoil", "airfoil-like"]) == "airfoil-like")
    #expect(nearest("qqqq", among: ["linear", "softmax"]) == nil)
    #expect(nearest("lenet5", among: ["linear", "lenet"]) == "lenet")
    #expect(namedDataSets.map(\.name).contains("fashion-mnist"))
  }

  @Test func unreadableFile() {
    let path = folder.put("1,2\n", to: "secret.csv")
    chmod(path, 0)
    if geteuid() == 0 { return }  // Root reads everything.
    expectError(.noInput, ["no permission"], path)
  }

  @Test func aPipeIsRead() throws {
    let path = folder.path + "/pipe"
    #expect(mkfifo(path, 0o600) == 0)
    let thread = Thread {
      let descriptor = open(path, O_WRONLY)
      _ = "1,2\n3,4\n".withCString { write(descriptor, $0, 8) }
      close(descriptor)
    }
    thread.start()
    #expect(try loadData(options(path) { $0.standardize = false }).training.floats == [1, 3])
  }

  @Test func examplesCutFromTheFront() throws {
    let path = folder.put("1,2\n3,4\n5,6\n", to: "t.csv")
    let data = try loadData(
      options(path) {
        $0.examples = 2
        $0.standardize = false
      })
    #expect(data.training.floats == [1, 3])
    expectError(.usage, ["--examples 4", "has 3", "1 to 3"], path) { $0.examples = 4 }
    expectError(.usage, ["--examples 0", "1 to 3"], path) { $0.examples = 0 }
  }

  @Test(arguments: [(0.2, 20), (0.001, 1), (0.999, 99), (0.345, 35)])
  func fractionsAreExact(fraction: Double, size: Int) throws {
    let path = folder.put((0..<100).map { "\($0),\($0)\n" }.joined(), to: "t.csv")
    func load(_ seed: UInt64) throws -> LoadedData {
      try loadData(
        options(path) {
          $0.validation = "\(fraction)"
          $0.standardize = false
          $0.seed = seed
        })
    }
    let data = try load(0)
    let held = try #require(data.validation)
    #expect(held.count == size && data.training.count == 100 - size)
    #expect(data.training.floats == data.training.floats.sorted() && held.floats == held.floats.sorted())
    #expect(Set(data.training.floats + held.floats).count == 100)
    #expect(held.values == held.floats)
    #expect(try load(0).validation?.floats == held.floats)
    if size == 20 { #expect(try load(1).validation?.floats != held.floats) }
  }

  @Test func validationErrors() {
    let path = folder.put("1,2\n", to: "one.csv")
    for text in ["0", "1", "1.5", "-0.1"] {
      expectError(.usage, ["--validation \(text)", "between 0 and 1"], path) { $0.validation = text }
    }
    expectError(.usage, ["one example cannot be split"], path) { $0.validation = "0.5" }
    expectError(.usage, ["no test split", "fashion-mnist"], path) { $0.validation = "test" }
    expectError(.usage, ["unknown data set 'tset'", "--validation"], path) { $0.validation = "tset" }
    expectError(.usage, ["only tables", "--target"], "synthetic:5,2") { $0.target = "1" }
  }

  @Test func validationFileHasTheTrainingColumnsAndStatistics() throws {
    let training = folder.put("a,b,y\n1,10,0\n3,30,4\n", to: "t.csv")
    let other = folder.put("y,extra,b,a\n8,9,20,2\n", to: "v.csv")
    let data = try loadData(options(training) { $0.validation = other })
    #expect(data.training.floats == [-1, -1, 1, 1] && data.training.values == [-1, 1])
    #expect(data.validation?.floats == [0, 0] && data.validation?.values == [3])
    #expect(
      data.preprocessing
        == Preprocessing(
          featureNames: ["a", "b"], featureMeans: [2, 20], featureDeviations: [1, 10], targetName: "y",
          targetMean: 2, targetDeviation: 2))
    expectError(.badData, ["no column 'b'", "v2.csv"], training) {
      $0.validation = folder.put("a,y\n1,2\n", to: "v2.csv")
    }
    expectError(.badData, ["no target column", "'y'"], training) {
      $0.validation = folder.put("a,b\n1,2\n", to: "v3.csv")
    }
  }

  @Test func statisticsAreOfTheTrainingRowsAlone() throws {
    let path = folder.put((0..<50).map { "\($0 * $0),5,\($0)\n" }.joined(), to: "t.csv")
    let data = try loadData(options(path) { $0.validation = "0.3" })
    let count = Double(data.training.count)
    for column in 0..<2 {
      let x = (0..<data.training.count).map { Double(data.training.floats[2 * $0 + column]) }
      #expect(abs(x.reduce(0, +) / count) < 1e-6)
      // The constant column becomes zero.
      #expect(abs(x.reduce(0) { $0 + $1 * $1 } / count - (column == 0 ? 1 : 0)) < 1e-6)
    }
    #expect(data.preprocessing.featureDeviations[1] == 1 && data.preprocessing.featureMeans[1] == 5)
    let mean = data.training.values.map(Double.init).reduce(0, +) / count
    #expect(abs(mean) < 1e-6 && data.preprocessing.targetDeviation > 1)
  }

  @Test func hugeNumbersCannotBeStandardised() {
    let path = folder.put("a,y\n1e300,1\n-1e300,2\n", to: "t.csv")
    expectError(.badData, ["too large to standardise", "column 'a'"], path)
  }

  @Test func labelsOfValidationMustBeKnown() {
    let training = folder.put("1,0\n2,1\n", to: "t.csv")
    expectError(.badData, ["label '2' is no class", "example 1", "classes 0 to 1"], training) {
      $0.task = .classification
      $0.validation = folder.put("1,2\n", to: "v.csv")
    }
  }

  @Test func syntheticIsALinearModelAddressedByIndex() throws {
    let small = try loadData(options("synthetic:20,3") { $0.seed = 5 })
    let large = try loadData(options("synthetic:400,3") { $0.seed = 5 })
    #expect(Array(large.training.floats.prefix(60)) == small.training.floats)
    #expect(Array(large.training.values.prefix(20)) == small.training.values)
    #expect(try loadData(options("synthetic:20,3")).training.floats != small.training.floats)
    #expect(large.defaultModel == .linear && large.preprocessing.featureDeviations == [1, 1, 1])
    let fit = leastSquares(large.training)
    #expect(fit.loss > 0.3e-4 && fit.loss < 0.7e-4)  // ½ · 0.01²
    let standard = try loadData(options("synthetic:20,3") { $0.standardize = true })
    #expect(standard.preprocessing.featureDeviations != [1, 1, 1])
  }
}
