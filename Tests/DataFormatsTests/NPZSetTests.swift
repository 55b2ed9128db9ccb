import DataFormats
import System
import TestSupport
import Testing

/// Archives with a test part, half precision, and targets of text.
@Suite struct NPZSetTests {
  let folder = TemporaryFolder()

  private func archive(_ name: String) -> String { folder.put(ReferenceFiles.array(name), to: "set.npz") }

  @Test(arguments: ["npz keras", "npz capitals", "npz medmnist"])
  func trainingAndTestPartsAreToldByTheirNames(name: String) throws {
    let data = try loadData(options(archive(name)) { $0.validation = "test" })
    let validation = try #require(data.validation)
    #expect(data.training.count == 8 && data.training.labels == [0, 1, 2, 0, 1, 2, 0, 1])
    #expect(validation.count == 4 && validation.labels == [0, 1, 2, 0])
    #expect(validation.floats == data.training.floats.prefix(12).map { 2 * $0 })
    #expect(data.summary.contains("8 training examples, 4 for validation"))
    #expect(try loadData(options(archive(name))).validation == nil)
    // New examples are the test part.
    let new = try loadForPrediction(archive(name), preprocessing: data.preprocessing, featureCount: 3)
    #expect(new.count == 4 && new.targets == [0, 1, 2, 0])
  }

  @Test func withoutATestPartThereIsNone() {
    expectError(
      .usage, ["--validation test", "no test split", "x, y"], folder.put(numPyFile("npz stored"), to: "a.npz")
    ) {
      $0.validation = "test"
    }
  }

  @Test func anArchiveOfInputsAloneIsNoTable() throws {
    expectError(.badData, ["the arrays x", "targets named y"], archive("npz inputs alone"))
    let table = try loadData(options(archive("npz table")) { $0.standardize = false })
    #expect(table.training.featureCount == 3 && table.training.values == [0, 1, 2, 0, 1, 2, 0, 1])
  }

  @Test(arguments: ["float16", "float16 big"])
  func halfPrecisionIsExact(name: String) throws {
    let wide = folder.put(ReferenceFiles.array("float16 as float32"), to: "wide.npy")
    let half = folder.put(ReferenceFiles.array(name), to: "half.npy")
    let targets = folder.put(ReferenceFiles.array("bools"), to: "y.npy")
    let (found, expected) = (
      try loadData(options("\(half),\(targets)")), try loadData(options("\(wide),\(targets)"))
    )
    #expect(found.training.floats == expected.training.floats && found.training.floats[2] == 65504)
    #expect(found.training.labels == [1, 0, 1, 0, 1, 0, 1, 0] && found.training.classCount == 2)
  }

  @Test(arguments: ["names U", "names U big"])
  func textIsClassesByValue(name: String) throws {
    let inputs = folder.put(ReferenceFiles.array("float16"), to: "x.npy")
    let data = try loadData(options("\(inputs),\(folder.put(ReferenceFiles.array(name), to: "y.npy"))"))
    #expect(data.preprocessing.classNames == ["", "cat", "dög", "emu"])
    #expect(data.training.labels == [3, 1, 2, 1, 3, 0, 1, 3] && data.training.classCount == 4)
    let bytes = try loadData(options("\(inputs),\(folder.put(ReferenceFiles.array("names S"), to: "y.npy"))"))
    #expect(bytes.preprocessing.classNames == ["cat", "dog", "emu"])
    #expect(bytes.training.labels == [2, 0, 1, 0, 2, 1, 0, 2])
    // Classes are those of the examples that are left.
    let two = try loadData(
      options("\(inputs),\(folder.put(ReferenceFiles.array("names S"), to: "y.npy"))") { $0.examples = 2 })
    #expect(two.preprocessing.classNames == ["cat", "emu"] && two.training.labels == [1, 0])
  }

  @Test func validationAndNewExamplesHaveTheModelsClasses() throws {
    let data = try loadData(options(archive("npz names")) { $0.validation = "test" })
    #expect(data.preprocessing.classNames == ["", "cat", "dög", "emu"])
    #expect(data.validation?.labels == [3, 1, 2])
    let new = try loadForPrediction(archive("npz names"), preprocessing: data.preprocessing, featureCount: 3)
    #expect(new.targets?.map { new.targetTexts?[Int($0)] } == ["emu", "cat", "dög"])
    expectError(.badData, ["label 'gnu'", "example 1", "cat, dög, emu"], archive("npz strangers")) {
      $0.validation = "test"
    }
    expectError(.usage, ["texts such as", "softmax"], archive("npz names")) { $0.task = .regression }
  }

  @Test func adviceOnOtherTypesWorks() {
    let targets = folder.put(ReferenceFiles.array("bools"), to: "y.npy")
    func expectAdvice(_ parts: [String], _ name: String) {
      let path = folder.put(ReferenceFiles.array(name), to: "x.npy")
      expectError(.badData, parts, "\(path),\(targets)")
      let error = loadError("\(path),\(targets)")
      if name.hasPrefix("names") { #expect(!error.description.contains("astype"), "\(error)") }
    }
    expectAdvice(["Python's objects", "a.astype('U')"], "objects")
    expectAdvice(["dates", "a.astype('int64')"], "dates")
    expectAdvice(["array of text", "pandas.DataFrame(a).to_csv("], "names U")
    expectAdvice(["array of text", "pandas.DataFrame(a).to_csv("], "names S")
  }
}
