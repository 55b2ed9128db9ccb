import DataFormats
import Foundation
import System
import TestSupport
import Testing

/// The loss ½·mean (Xw + b − y)² of the best linear model, and its Hessian's eigenvalues.
func leastSquares(_ examples: Examples) -> (loss: Double, weights: [Double], eigenvalues: [Double]) {
  let size = examples.featureCount + 1
  let count = Double(examples.count)
  var hessian = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
  var right = [Double](repeating: 0, count: size)
  var square = 0.0
  let (x, y) = (examples.floats, examples.values)
  for row in 0..<examples.count {
    let inputs = (0..<size - 1).map { Double(x[row * (size - 1) + $0]) } + [1]
    for j in 0..<size {
      for k in 0..<size { hessian[j][k] += inputs[j] * inputs[k] / count }
      right[j] += inputs[j] * Double(y[row]) / count
    }
    square += Double(y[row]) * Double(y[row]) / count
  }
  let (values, vectors) = jacobi(hessian)
  var weights = [Double](repeating: 0, count: size)
  for i in 0..<size {
    let projection = (0..<size).reduce(0) { $0 + vectors[$1][i] * right[$1] } / values[i]
    for j in 0..<size { weights[j] += projection * vectors[j][i] }
  }
  let explained = (0..<size).reduce(0) { $0 + weights[$1] * right[$1] }
  return ((square - explained) / 2, weights, values.sorted())
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix by Jacobi's rotations.
private func jacobi(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
  var a = matrix
  let size = a.count
  var v = (0..<size).map { i in (0..<size).map { $0 == i ? 1.0 : 0.0 } }
  for _ in 0..<60 {
    for p in 0..<size {
      for q in p + 1..<size where abs(a[p][q]) > 1e-300 {
        let angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p])
        let (c, s) = (cos(angle), sin(angle))
        for k in 0..<size { (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]) }
        for k in 0..<size { (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]) }
        for k in 0..<size { (v[k][p], v[k][q]) = (c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]) }
      }
    }
  }
  return ((0..<size).map { a[$0][$0] }, v)
}

/// The real airfoil set and its built-in likeness, against airfoil_moments.json.
@Suite struct AirfoilTests {
  let folder = TemporaryFolder()

  /// `least_squares_first_1500` of airfoil_moments.json.
  private func expectRealSurface(_ data: LoadedData) {
    let fit = leastSquares(data.training)
    let eigenvalues = [
      0.1736864711220835, 0.666495739040178, 0.9180590331466396, 1.000044605982504, 1.1261638403863674,
      2.0984834136544155,
    ]
    let weights = [
      -0.5831783406649471, -0.3655118386950425, -0.48433443881493027, 0.22386519985338701,
      -0.27133009065140995,
      0.0019637853207292895,
    ]
    #expect(data.training.count == 1500 && data.training.featureCount == 5)
    #expect(abs(fit.loss - 0.24168795509193775) < 1e-6)
    for (found, expected) in zip(fit.eigenvalues, eigenvalues) { #expect(abs(found - expected) < 1e-6) }
    for (found, expected) in zip(fit.weights, weights) { #expect(abs(found - expected) < 1e-6) }
    #expect(abs(2 / (fit.eigenvalues.last ?? 0) - 0.9530692437149594) < 1e-6)
    let square = data.training.values.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(square / 3000 - 0.4932589719270366) < 1e-6)
  }

  @Test func likenessHasTheRealSurface() throws {
    let data = try loadData(DataOptions())
    expectRealSurface(data)
    #expect(data.preprocessing.featureNames == ["frequency", "angle", "chord", "velocity", "thickness"])
    #expect(data.preprocessing.targetName == "sound_pressure" && data.defaultModel == .linear)
    #expect(data.preprocessing.featureMeans == [0, 0, 0, 0, 0])
    #expect(data.preprocessing.featureDeviations == [1, 1, 1, 1, 1])
    #expect(data.preprocessing.targetMean == 0 && data.preprocessing.targetDeviation == 1)
    let other = try loadData(options("airfoil-like") { $0.seed = 9 })
    #expect(other.training.floats == data.training.floats, "the built-in set does not depend on the seed")
  }

  @Test func likenessAgreesWithTheMomentsFile() throws {
    guard let sharedData,
      let json = FileManager.default.contents(atPath: sharedData + "/airfoil_moments.json")
    else {
      print("SKIPPED: airfoil_moments.json is not here; set DISTSGD_DATA to its folder")
      return
    }
    struct Moments: Decodable {
      struct Set: Decodable {
        var mean: [Double]
        var secondMoments: [[Double]]
        enum CodingKeys: String, CodingKey {
          case mean
          case secondMoments = "second_moment_matrix"
        }
      }
      var first1500: Set
      enum CodingKeys: String, CodingKey { case first1500 = "standardised_first_1500" }
    }
    let wanted = try JSONDecoder().decode(Moments.self, from: json).first1500
    let data = try loadData(DataOptions()).training
    let rows = (0..<1500).map { row in
      data.floats[row * 5..<row * 5 + 5].map(Double.init) + [Double(data.values[row])]
    }
    for j in 0..<6 {
      #expect(abs(rows.reduce(0) { $0 + $1[j] } / 1500 - wanted.mean[j]) < 1e-8)
      for k in 0..<6 {
        let moment = rows.reduce(0) { $0 + $1[j] * $1[k] } / 1500
        #expect(abs(moment - wanted.secondMoments[j][k]) < 1e-8)
      }
    }
  }

  @Test func columnsOfTheLikenessCanBeChosen() throws {
    let data = try loadData(options("airfoil-like") { $0.features = ["angle"] })
    #expect(data.training.featureCount == 1)
    expectError(.usage, ["did you mean 'velocity'?"], "airfoil-like") { $0.target = "velocty" }
    expectError(.usage, ["1 to 1500"], "airfoil-like") { $0.examples = 1501 }
  }

  @Test func realSet() throws {
    guard let sharedData else {
      print("SKIPPED: airfoil_self_noise.dat is not here; set DISTSGD_DATA to its folder")
      return
    }
    let environment = { (name: String) in name == "DISTSGD_DATA" ? sharedData : nil }
    #expect(findAirfoil(environment: environment) == sharedData + "/airfoil_self_noise.dat")
    let data = try loadData(options("airfoil"), environment: environment)
    expectRealSurface(data)
    #expect(abs(data.preprocessing.featureMeans[0] - 2886.3805721889553) < 1e-9)
    #expect(abs(data.preprocessing.targetDeviation - 6.896361277488788) < 1e-12)
    let all = try loadData(options("airfoil") { $0.examples = 1503 }, environment: environment)
    #expect(all.training.count == 1503)
    let raw = try loadData(options("airfoil") { $0.standardize = false }, environment: environment)
    #expect(raw.training.floats.prefix(2) == [800, 0] && raw.training.values[0] == 126.201)
  }

  @Test func wrongContentsAreRefused() {
    folder.put("800 0 0.3 71 0.002 126\n", to: "airfoil_self_noise.dat")
    let error = #expect(throws: DistsgdError.self) {
      try loadData(options("airfoil"), environment: { $0 == "DISTSGD_DATA" ? folder.path : nil })
    }
    #expect(error?.code == .badData && error?.description.contains("76e5be15") == true)
  }

  @Test func downloadFillsTheCache() throws {
    guard let sharedData, FileManager.default.fileExists(atPath: "/usr/bin/curl") else {
      print("SKIPPED: no airfoil_self_noise.dat or no curl to test the download with")
      return
    }
    let cache = folder.path + "/cache"
    let environment = { (name: String) in name == "XDG_CACHE_HOME" ? cache : nil }
    let wrong = folder.put("not this", to: "wrong.dat")
    let urls = ["file://" + wrong, "file://" + sharedData + "/airfoil_self_noise.dat"]
    let path = try fetchAirfoil(environment: environment, urls: urls)
    #expect(path == cache + "/distsgd/airfoil_self_noise.dat")
    #expect(findAirfoil(environment: environment) == path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache + "/distsgd").count == 1)
  }

  @Test func downloadErrorsSayWhatToDo() {
    let environment = { (name: String) in name == "HOME" ? folder.path : nil }
    func message(_ program: String, _ urls: [String]) -> String {
      do {
        return try fetchAirfoil(environment: environment, program: program, urls: urls)
      } catch { return "\(error.code) \(error)" }
    }
    let missing = message("no-such-curl", ["file:///x"])
    #expect(missing.contains("noInput") && missing.contains("not installed"))
    #expect(missing.contains("airfoil_self_noise.dat") && missing.contains("$DISTSGD_DATA"))
    if FileManager.default.fileExists(atPath: "/usr/bin/curl") {
      #expect(message("curl", ["file:///nowhere/x"]).contains("cannot be downloaded"))
      let wrong = folder.put("not this", to: "wrong.dat")
      #expect(message("curl", ["file://" + wrong]).contains("SHA-1"))
    }
  }
}
