// The tables, the JSON object and the plot of `bench noise`.
import Glibc
import NeuralNet
import Plot
import System
import Text

package struct NoiseReport: BenchReport {
  package let data: String
  package let model: String
  package let loss: any Loss
  package let weights: String
  package let samples: Int
  package let rows: [NoiseMeasurement]
  package let exampleCount: Int
  /// tr(Σ), ‖G‖² and their quotient.
  package let covarianceTrace, squaredNorm, gradientNoiseScale: Double
  /// log deviation against log batch, with replacement; nil where there is nothing to fit.
  package let fit: LineFit?

  init(
    data: String, model: String, loss: any Loss, weights: String, samples: Int, noise: GradientNoise,
    rows: [NoiseMeasurement]
  ) {
    self.data = data
    self.model = model
    self.loss = loss
    self.weights = weights
    self.samples = samples
    self.rows = rows
    exampleCount = noise.exampleCount
    covarianceTrace = noise.covarianceTrace
    squaredNorm = noise.squaredNorm
    gradientNoiseScale = noise.gradientNoiseScale
    fit = LineFit(
      rows.filter { $0.sampling == .withReplacement && $0.deviation > 0 }
        .map { (x: log(Double($0.batch)), y: log($0.deviation)) })
  }

  package var name: String { "noise" }

  /// The measurement of `batch`, if there is one.
  private func row(_ batch: Int, _ sampling: BatchSampling) -> NoiseMeasurement? {
    rows.first { $0.batch == batch && $0.sampling == sampling }
  }

  package var text: String {
    var text = "data: \(data)\nmodel: \(model), loss: \(loss.description), weights: \(weights)\n"
    text += "standard deviation of the gradient over b of \(exampleCount) examples, √E‖g_b − G‖², "
    text += "from \(samples) minibatches each\n\n"
    func cells(_ batch: Int, _ sampling: BatchSampling) -> [String] {
      guard let row = row(batch, sampling) else { return ["-", "-", "-"] }
      let quotient = row.expected > 0 ? fixed(row.deviation / row.expected, 3) : "-"
      return [decimal(row.deviation), decimal(row.expected), quotient]
    }
    let batches = rows.filter { $0.sampling == .withReplacement }.map(\.batch)
    text += alignedTable(
      [["b", "with replacement", "theory", "quotient", "without", "theory", "quotient"]]
        + batches.map { batch in
          [padded("\(batch)", String(batches.max() ?? 0).count)] + cells(batch, .withReplacement)
            + cells(batch, .withoutReplacement)
        })
    text += "theory: √(tr(Σ)/b), and without replacement that times √((N−b)/(N−1))\n\n"
    if let fit {
      text += "slope with replacement on log-log axes: \(fixed(fit.slope, 4)) ± \(fixed(fit.slopeError, 4))"
      text += " (theory: -0.5)\n"
    }
    text += "gradient noise scale tr(Σ)/‖G‖² = \(decimal(covarianceTrace)) / \(decimal(squaredNorm))"
    text += " = \(decimal(gradientNoiseScale)) examples\n"
    return text
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["data"] = data
    line["model"] = model
    line["loss"] = loss.description
    line["weights"] = weights
    line["samples"] = samples
    line["examples"] = exampleCount
    line["covarianceTrace"] = covarianceTrace
    line["squaredGradientNorm"] = squaredNorm
    line["gradientNoiseScale"] = gradientNoiseScale
    line["slope"] = fit?.slope
    line["slopeError"] = fit?.slopeError
    line["batches"] = rows.map { row in
      var line = JSONLine()
      line["batch"] = row.batch
      line["replacement"] = row.sampling == .withReplacement
      line["deviation"] = row.deviation
      line["standardError"] = row.standardError
      line["theory"] = row.expected
      return line
    }
    return line
  }

  package var plots: [(name: String, plot: Plot)] {
    let largest = Double(rows.map(\.batch).max() ?? 1)
    let n = Double(exampleCount)
    func theory(_ b: Double) -> Double { (covarianceTrace / b).squareRoot() }
    let measured = BatchSampling.allCases.enumerated().map { slot, sampling in
      let rows = rows.filter { $0.sampling == sampling }
      return Series(
        name: "\(sampling.rawValue), measured", points: rows.map { (x: Double($0.batch), y: $0.deviation) },
        style: .markers, errors: rows.map(\.standardError), colorSlot: slot)
    }
    // The curve falls to zero at b = N: the nearer to it, the closer its points.
    let last = min(largest, n)
    let curve = (0...200).map { i -> (x: Double, y: Double) in
      let b = min(pow(last, Double(i) / 200), n)
      return (b, n > 1 ? theory(b) * ((n - b) / (n - 1)).squareRoot() : 0)
    }
    let title = "Standard deviation of the minibatch gradient: \(model), N = \(exampleCount)"
    let plot = Plot(
      title: title, xLabel: "batch size b", yLabel: "√E‖g − G‖²", xScale: .logarithmic,
      yScale: .logarithmic,
      series: [
        measured[0],
        Series(
          name: "√(tr Σ / b)", points: [(1, theory(1)), (largest, theory(largest))], style: .line,
          colorSlot: 0),
        measured[1],
        Series(name: "√(tr Σ / b) · √((N−b)/(N−1))", points: curve, style: .line, colorSlot: 1),
      ])
    return [("noise", plot)]
  }
}

/// A number with four significant digits: `0.01234`, `1500`, `1.2e-9`.
func decimal(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return fixed(value, 0) }
  let magnitude = Int(log10(abs(value)).rounded(.down))
  guard (-5...9).contains(magnitude) else { return "\(Float(value))" }
  return fixed(value, max(0, 3 - magnitude))
}
