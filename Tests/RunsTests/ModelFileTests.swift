// Model files that claim what they do not hold: each ends in one line that names it.
import DataFormats
import Foundation
import Runs
import System
import TestSupport
import Testing

@Suite struct ModelFileTests {
  private static let sound = SafeTensors(
    tensors: [
      .init(name: "0.weight", shape: [1, 2], values: [1, -2]),
      .init(name: "0.bias", shape: [1], values: [0.5]),
    ],
    metadata: [
      "model": "linear", "loss": "squared", "inputs": "2", "outputs": "1", "featureNames": #"["a","b"]"#,
      "featureMeans": "[0.5,1]", "featureDeviations": "[2,0.1]", "targetName": "y", "targetMean": "0.25",
      "targetDeviation": "2.0",
    ])

  private static func error(_ key: String, _ value: String) throws -> DistsgdError? {
    var error: DistsgdError?
    try withFolder { folder in
      var model = sound
      model.metadata[key] = value
      try model.write(to: folder + "/m")
      error = try thrown { _ = try ModelFile(reading: folder + "/m") }
    }
    return error
  }

  @Test func aSoundFileIsRead() throws {
    #expect(try Self.error("producer", "anybody") == nil)
  }

  @Test(arguments: [
    ("layers", "mlp:0"), ("layers", "line\nar"), ("loss", "cubic"), ("inputs", "-1"),
    ("outputs", "9223372036854775808"),
    ("featureNames", #"["a,"b"]"#), ("featureMeans", "[1e999]"), ("targetMean", "nan"), ("targetMean", "inf"),
    ("targetDeviation", "0"), ("targetDeviation", "-1"), ("targetDeviation", "\u{7F}"),
  ])
  func nonsense(key: String, value: String) throws {
    let error = try Self.error(key, value)
    #expect(error?.code == .badData)
    let text = error?.description ?? ""
    #expect(
      text.contains("'\(key)'") && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
  }

  @Test(arguments: [
    ("featureDeviations", "[2,0]", "featureDeviations"),
    ("outputs", "3", "a model with the loss 'squared' has another number"),
    ("inputs", "1000000000", "but the model needs [1, 1000000000]"),
    ("layers", "dense:1 dense:1 dense:1", "no tensor '1.weight'"),
    ("layers", "dense:1000000 dense", "tensor '0.weight' has shape [1, 2], but the model needs [1000000, 2]"),
  ])
  func contradictions(key: String, value: String, words: String) throws {
    let error = try Self.error(key, value)
    #expect(
      error?.code == .badData && error?.description.contains(words) == true, "\(String(describing: error))")
  }
}
