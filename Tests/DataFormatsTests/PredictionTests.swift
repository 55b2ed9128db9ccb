import DataFormats
import System
import TestSupport
import Testing

/// Raw new data for a saved model: columns by name or place, in the model's units.
@Suite struct PredictionTests {
  let folder = TemporaryFolder()
  private let model = Preprocessing(
    featureNames: ["a", "b"], featureMeans: [1, 10], featureDeviations: [2, 5], targetName: "y",
    targetMean: 3,
    targetDeviation: 4)

  private func load(_ text: String, _ preprocessing: Preprocessing? = nil) throws(DistsgdError) -> NewExamples
  {
    let preprocessing = preprocessing ?? model
    return try loadForPrediction(
      folder.put(text, to: "new.csv"), preprocessing: preprocessing,
      featureCount: preprocessing.featureMeans.count)
  }

  private func floats(_ new: NewExamples) -> [Float] {
    if case .float32(let values) = new.features { values } else { [] }
  }

  @Test func columnsAreFoundByName() throws {
    let new = try load("y,b,c,a\n7,15,0,3\n")
    #expect(floats(new) == [1, 1] && new.targets == [7] && new.count == 1)
    let examples = try new.examples(preprocessing: model, classCount: nil)
    #expect(examples.values == [1])
    #expect(try load("a,b\n1,10\n").targets == nil)
  }

  @Test func columnsOfOneNameAreDifferent() throws {
    var twins = model
    (twins.columns[0].name, twins.columns[1].name) = ("a", "a")
    #expect(floats(try load("a,y,a\n3,0,15\n", twins)) == [1, 1])
    #expect(throws: DistsgdError.self) { try load("a,y\n3,0\n", twins) }
  }

  @Test func withoutAHeaderByPlace() throws {
    #expect(floats(try load("3,15\n")) == [1, 1])
    let both = try load("3,15,7\n")
    #expect(floats(both) == [1, 1] && both.targets == [7])
  }

  @Test func aFileLaidOutAsTheTrainingFileKeepsItsColumns() throws {
    var numbered = model
    (numbered.columns[0].name, numbered.columns[1].name, numbered.targets[0].name) = ("2", "3", "1")
    let new = try load("7,3,15\n", numbered)
    #expect(floats(new) == [1, 1] && new.targets == [7])
    #expect(floats(try load("3,15\n", numbered)) == [1, 1])
  }

  @Test func aTargetThatNobodyWantsMayBeAnything() throws {
    let path = folder.put("a,b,y\n3,15,\n", to: "new.csv")
    #expect(throws: DistsgdError.self) {
      try loadForPrediction(path, preprocessing: model, featureCount: 2)
    }
    var options = NewDataOptions()
    options.readsTargets = false
    let new = try loadForPrediction(path, preprocessing: model, featureCount: 2, options)
    #expect(floats(new) == [1, 1] && new.targets == nil)
  }

  @Test func anUnnamedModelFindsTheTargetInAHeader() throws {
    var unnamed = model
    for column in unnamed.columns.indices { unnamed.columns[column].name = "" }
    let new = try load("y,p1,p2\n7,3,15\n", unnamed)
    #expect(floats(new) == [1, 1] && new.targets == [7])
    // Features that are named by years are names all the same.
    var years = model
    (years.columns[0].name, years.columns[1].name) = ("2001", "2000")
    #expect(floats(try load("2000,x,2001\n15,0,3\n5,0,1\n", years)) == [1, 1, 0, -1])
  }

  @Test func errors() {
    func message(_ text: String) -> String {
      do { return try load(text).source } catch { return error.description }
    }
    #expect(message("a,bb\n1,2\n").contains("no column 'b'"))
    #expect(message("1,2,3,4\n").contains("the model takes 2 inputs"))
    #expect(message("a,b\n1,x\n").contains("row 2, column 'b'"))
    #expect(throws: DistsgdError.self) {
      try loadForPrediction("airfoil-like", preprocessing: model, featureCount: 3)
    }
    #expect(throws: DistsgdError.self) {
      try load("a,b\n1,2\n").examples(preprocessing: model, classCount: nil)
    }
    #expect(throws: DistsgdError.self) {
      try load("a,b,y\n1,2,3\n").examples(preprocessing: model, classCount: 3)
    }
  }

  @Test func arraysAndImages() throws {
    var unnamed = model
    for column in unnamed.columns.indices { unnamed.columns[column].name = "" }
    let x = folder.put(npy("<f4", [1, 2], littleEndian([3, 15])), to: "x.npy")
    #expect(floats(try loadForPrediction(x, preprocessing: unnamed, featureCount: 2)) == [1, 1])
    let bytes = folder.put(npy("|u1", [1, 1, 2], [3, 15]), to: "b.npy")
    #expect(floats(try loadForPrediction(bytes, preprocessing: unnamed, featureCount: 2)) == [1, 1])
    // A model of pixels takes bytes as they are, and the same numbers in a table.
    let pixels = Preprocessing(
      featureNames: [], featureMeans: [0, 0], featureDeviations: [255, 255], targetName: "label",
      targetMean: 0,
      targetDeviation: 1)
    let image = folder.put(idx([1, 1, 2], [51, 255]), to: "image.idx")
    let new = try loadForPrediction(image, preprocessing: pixels, featureCount: 2)
    guard case .uint8(let values, let scale) = new.features else {
      Issue.record("expected bytes")
      return
    }
    #expect(values == [51, 255] && scale == Float(1) / 255 && new.targets == nil)
    #expect(floats(try load("51,255\n", pixels)) == [0.2, 1])
  }
}
