// Measures against scikit-learn's values (Tests/Reference/make_measures.py), whatever chunks the rows come in.
import Foundation
import NeuralNet
import TestSupport
import Testing

private struct References: Decodable {
  struct Classes: Decodable {
    let classes: Int
    let predictions: [Float]
    let labels: [Int32]
    let precision, recall, f1, support: [Double]
    let macroF1, logLoss: Double
    let confusion: [Double]
    let top5, auc: Double?
    let weights: [Float]?
  }
  struct Numbers: Decodable {
    let deviations: [Double]
    let predictions, values: [Float]
    let rmse, mae, r2: [Double]
    let weights: [Float]?
  }
  let classes, weightedClasses: [Classes]
  let numbers, weightedNumbers: [Numbers]

  static let all: References = {
    let data = FileManager.default.contents(atPath: packageFolder + "/Tests/Reference/measures.json")
    return try! JSONDecoder().decode(References.self, from: data ?? Data())
  }()
}

@Suite struct MeasureTests {
  /// All families' results for rows that come in chunks of `chunk`.
  private func measure(
    _ task: MeasuredTask, _ predictions: [Float], _ targets: TargetBuffer, rows: Int, chunk: Int,
    loss: Double = 0, weights: [Float]? = nil
  ) -> [MeasureResult] {
    guard let weights else {
      return measure(task, predictions, targets, rows, chunk, loss, MeasureWeights(nil, count: rows))
    }
    return weights.withUnsafeBufferPointer {
      measure(task, predictions, targets, rows, chunk, loss, MeasureWeights($0.baseAddress, count: rows))
    }
  }

  private func measure(
    _ task: MeasuredTask, _ predictions: [Float], _ targets: TargetBuffer, _ rows: Int, _ chunk: Int,
    _ loss: Double, _ weights: MeasureWeights
  ) -> [MeasureResult] {
    let width = predictions.count / rows
    let classes: [Int32] = (0..<rows).map { row in
      let p = predictions[row * width..<(row + 1) * width]
      return Int32(p.firstIndex(of: p.max()!)! - row * width)
    }
    return Catalog.measures.compactMap { $0.init(task) }.flatMap { family in
      var counts = [Int](repeating: 0, count: max(1, family.counts))
      var sums = [Double](repeating: 0, count: max(1, family.sums))
      var scores = [Float](repeating: 0, count: rows)
      for start in stride(from: 0, to: rows, by: chunk) {
        predictions.withUnsafeBufferPointer { p in
          classes.withUnsafeBufferPointer { c in
            scores.withUnsafeMutableBufferPointer { s in
              family.add(
                MeasuredRows(
                  count: min(chunk, rows - start), predictions: p.baseAddress! + start * width,
                  classes: c.baseAddress! + start,
                  targets: targets.dropFirst(start * (task.classCount == nil ? width : 1)),
                  weights: weights.dropFirst(start)), counts: &counts, sums: &sums,
                scores: s.baseAddress! + start)
            }
          }
        }
      }
      return family.results(
        MeasureTotals(
          examples: rows, loss: loss, counts: Array(counts.prefix(family.counts)),
          sums: Array(sums.prefix(family.sums)), scores: family.keepsScores ? scores : [], targets: targets,
          weights: weights))
    }
  }

  private func value(_ name: String, _ results: [MeasureResult]) -> Double? {
    results.lazy.compactMap { if case .value(name, let value) = $0 { value } else { nil } }.first
  }

  private func ofClasses(_ name: String, _ results: [MeasureResult]) -> [Double]? {
    results.lazy.compactMap { if case .ofClasses(name, let values) = $0 { values } else { nil } }.first
  }

  private func isClose(_ a: [Double]?, _ b: [Double]?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($1)) }
  }

  /// The last half with weights.
  @Test(arguments: 0..<6, [1, 7, 1_000]) func classes(_ number: Int, _ chunk: Int) {
    let reference = (References.all.classes + References.all.weightedClasses)[number]
    #expect((reference.weights != nil) == (number >= 3))
    reference.labels.withUnsafeBufferPointer { labels in
      let results = measure(
        MeasuredTask(classCount: reference.classes), reference.predictions, .labels(labels.baseAddress!),
        rows: labels.count, chunk: chunk, weights: reference.weights)
      for (name, expected) in [
        ("top5", reference.top5), ("auc", reference.auc), ("macroF1", reference.macroF1),
        ("logLoss", reference.logLoss),
      ] {
        #expect(isClose(value(name, results).map { [$0] }, expected.map { [$0] }), "\(name): \(results)")
      }
      for (name, expected) in [
        ("precision", reference.precision), ("recall", reference.recall), ("f1", reference.f1),
        ("support", reference.support),
      ] {
        #expect(isClose(ofClasses(name, results), expected), "\(name): \(results)")
      }
      let matrix = results.lazy.compactMap {
        if case .matrix("confusion", let counts) = $0 { counts } else { nil }
      }
      .first
      #expect(isClose(matrix, reference.confusion), "\(results)")
      if number < 3 { #expect(matrix == reference.confusion) }
    }
  }

  /// The last half with weights.
  @Test(arguments: 0..<4, [1, 7, 1_000]) func numbers(_ number: Int, _ chunk: Int) {
    let reference = (References.all.numbers + References.all.weightedNumbers)[number]
    let targets = reference.deviations.count
    reference.values.withUnsafeBufferPointer { values in
      let results = measure(
        MeasuredTask(classCount: nil, deviations: reference.deviations), reference.predictions,
        .values(values.baseAddress!), rows: values.count / targets, chunk: chunk,
        weights: reference.weights)
      for (name, expected) in [("rmse", reference.rmse), ("mae", reference.mae), ("r2", reference.r2)] {
        let mean = expected.reduce(0, +) / Double(targets)
        #expect(isClose(value(name, results).map { [$0] }, [mean]), "\(name): \(results)")
        let each = results.lazy.compactMap {
          if case .ofTargets(name, let values) = $0 { values } else { nil }
        }
        .first
        #expect(isClose(each, targets > 1 ? expected : nil), "\(name): \(results)")
      }
    }
  }

  /// What has no meaning is not told: an area under a curve of one class, the explained part of no variance.
  @Test func withoutMeaning() {
    let labels: [Int32] = [1, 1, 1]
    labels.withUnsafeBufferPointer { labels in
      let results = measure(
        MeasuredTask(classCount: 2), [0.5, 0.5, 0.25, 0.75, 0.75, 0.25], .labels(labels.baseAddress!),
        rows: 3,
        chunk: 2)
      #expect(value("auc", results) == nil && value("macroF1", results) != nil)
    }
    let constant = [Float](repeating: 0.1, count: 3)
    constant.withUnsafeBufferPointer { values in
      let results = measure(
        MeasuredTask(classCount: nil), [0.2, 0.1, 0.1], .values(values.baseAddress!), rows: 3, chunk: 2)
      #expect(value("r2", results) == nil && value("mae", results) != nil, "\(results)")
    }
  }

  /// Where the loss is the log loss, it is told as it was added up.
  @Test func theLossItself() {
    let labels: [Int32] = [0, 1]
    labels.withUnsafeBufferPointer { labels in
      let results = measure(
        MeasuredTask(classCount: 2, lossIsLogLoss: true), [0.5, 0.5, 0, 1], .labels(labels.baseAddress!),
        rows: 2,
        chunk: 2, loss: 0.123)
      #expect(value("logLoss", results) == 0.123)
    }
    #expect(CrossEntropy().isLogLoss && BinaryCrossEntropy().isLogLoss && !SquaredLoss().isLogLoss)
  }
}
