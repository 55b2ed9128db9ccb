// Curves of runs laid over each other: a metric against examples, time, epochs or steps.
import Plot
import Text

/// What a figure counts along its horizontal axis; the words of `--x`.
package enum Abscissa: String, CaseIterable, Sendable {
  case examples, seconds, epochs, steps

  func value(_ place: Place) -> Double {
    switch self {
    case .examples: place.examples
    case .seconds: place.seconds
    case .epochs: place.epoch
    case .steps: place.step
    }
  }

  var label: String {
    switch self {
    case .examples: "examples seen"
    case .seconds: "training time, seconds (evaluation excluded)"
    case .epochs: "epochs"
    case .steps: "steps"
    }
  }
}

/// The metrics of some runs as figures.
struct RunFigures {
  let runs: [RunRecord]

  /// What is known of metrics by name: loss first, then what evaluations measure, then what steps tell of themselves.
  var metrics: [String] {
    var names: [String] = []
    func add(_ name: String) { if !names.contains(name) { names.append(name) } }
    if runs.contains(where: { $0.has("loss") }) { add("loss") }
    for run in runs { for (_, curves) in run.evaluations { for (name, _) in curves.all { add(name) } } }
    for run in runs { for (name, _) in run.steps.all { add(name) } }
    return names
  }

  /// One metric of all runs.
  func plot(_ metric: String, against abscissa: Abscissa) -> Plot {
    var series: [Series] = []
    var least = Double.infinity
    var most = 0.0
    for (number, run) in runs.enumerated() {
      if let curve = run.steps[metric] {
        series.append(stepSeries(curve, run, number, abscissa))
        if let range = curve.range {
          least = min(least, curve.points.filter { $0.finite > 0 }.map(\.mean).min() ?? range.low)
          most = max(most, range.high)
        }
      }
    }
    for (number, run) in runs.enumerated() {
      for (set, curves) in run.evaluations {
        guard let curve = curves[metric] else { continue }
        let name =
          runs.count == 1 ? (set == "training" ? "training set" : "\(set) set") : "\(run.name), \(set)"
        var one = Series(
          name: name, points: points(curve, abscissa), style: .lineAndMarkers)
        one.look = number
        // Evaluations look alike in all figures of the page.
        if runs.count == 1, !run.steps.all.isEmpty { one.look = 1 }
        one.told = told(curve, metric, of: runs.count == 1 ? set : "\(run.name), \(set)")
        series.append(one)
        if let range = curve.range { (least, most) = (min(least, range.low), max(most, range.high)) }
      }
    }
    let isLogarithmic = least > 0 && most / least > 12
    return Plot(
      title: "\(Self.label(metric)) against \(abscissa == .seconds ? "time" : abscissa.rawValue)",
      xLabel: abscissa.label, yLabel: Self.label(metric, isAxis: true),
      yScale: isLogarithmic ? .logarithmic : .linear,
      series: series)
  }

  private func points(_ curve: Curve, _ abscissa: Abscissa) -> [(x: Double, y: Double)] {
    curve.points.map { (x: abscissa.value($0.place), y: $0.mean) }
  }

  /// What a pointer on an evaluation is told; of more of them than anybody would point at, nothing.
  private func told(_ curve: Curve, _ metric: String, of name: String) -> [String] {
    guard curve.stride == 1, curve.points.count <= 100 else { return [] }
    return curve.points.map { point in
      let epoch = point.place.epoch.isNaN ? "" : ", epoch \(shortNumber(point.place.epoch))"
      return
        "\(name)\(epoch), \(shortNumber(point.place.examples)) examples, \(duration(point.place.seconds)): \(Self.label(metric, isAxis: true)) \(shortNumber(point.mean, 5))"
    }
  }

  private func stepSeries(_ curve: Curve, _ run: RunRecord, _ number: Int, _ abscissa: Abscissa) -> Series {
    var one = Series(
      name: runs.count == 1 ? "training batches" : "\(run.name), batches", points: points(curve, abscissa),
      style: .thinLine)
    one.look = number
    if curve.stride > 1 {
      one.band = curve.points.map { (x: abscissa.value($0.place), low: $0.low, high: $0.high) }
    }
    return one
  }

  /// How many batches a point of the thin lines stands for, where any does for more than one.
  func caption(_ metric: String) -> String {
    let most = runs.compactMap { $0.steps[metric]?.stride }.max() ?? 1
    guard most > 1 else { return "" }
    return
      "Thin lines: the mean of up to \(most) steps at a time. The area behind them reaches from the least to the greatest of these steps."
  }

  /// A metric as people read it.
  static func label(_ metric: String, isAxis: Bool = false) -> String {
    let names = [
      "loss": "Loss", "accuracy": "Accuracy", "top5": "Top-5 accuracy", "logLoss": "Log loss",
      "auc": "Area under the curve", "macroF1": "Macro F1", "rmse": "RMSE", "mae": "MAE", "r2": "R²",
      "gradientNorm": "Gradient norm", "learningRate": "Learning rate", "noiseScale": "Gradient noise scale",
    ]
    let label = names[metric] ?? printable(metric)
    if isAxis, metric == "noiseScale" { return "examples" }
    return isAxis && names[metric] != nil && !["RMSE", "MAE", "R²"].contains(label)
      ? label.prefix(1).lowercased() + label.dropFirst() : label
  }
}

extension RunRecord {
  /// Whether anything was told of this metric.
  func has(_ metric: String) -> Bool {
    steps[metric] != nil || evaluations.contains { $0.curves[metric] != nil }
  }
}
