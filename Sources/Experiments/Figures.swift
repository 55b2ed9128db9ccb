// The figures of the experiments, drawn from trials' curves.
import Plot

/// Loss against training time on a log axis, a curve for each trial: the chapter's figure.
func lossAgainstTime(_ title: String, _ results: [TrialResult], optimum: Double? = nil) -> Plot {
  Plot(
    title: title, xLabel: "training time, seconds (evaluation excluded)", yLabel: "loss",
    xScale: .logarithmic,
    yScale: .linear,
    series: results.map { result in
      Series(name: result.name, points: result.evaluations.map { (x: $0.seconds, y: $0.evaluation.loss) })
    }, referenceLines: optimum.map { [ReferenceLine(.horizontal($0), label: "least squares")] } ?? [])
}

/// Loss against examples seen, a curve for each trial.
func lossAgainstExamples(_ title: String, _ results: [TrialResult]) -> Plot {
  Plot(
    title: title, xLabel: "examples seen", yLabel: "loss", xScale: .logarithmic, yScale: .logarithmic,
    series: results.map { result in
      Series(
        name: result.name, points: result.evaluations.map { (x: Double($0.examples), y: $0.evaluation.loss) })
    })
}

/// Loss above the least-squares optimum against examples seen, both as trials' curves.
func excessAgainstExamples(_ title: String, _ results: [TrialResult]) -> Plot {
  Plot(
    title: title, xLabel: "examples seen", yLabel: "loss above the optimum", xScale: .linear,
    yScale: .logarithmic,
    series: results.map { result in
      Series(
        name: result.name,
        points: result.evaluations.map {
          (x: Double($0.examples), y: $0.evaluation.loss - Chapter.optimum)
        })
    })
}

/// Mean loss of groups of trials that differ in their seed alone, with a standard deviation's error bars.
func meansAgainstExamples(_ title: String, _ groups: [[TrialResult]]) -> Plot {
  Plot(
    title: title, xLabel: "examples seen", yLabel: "loss above the optimum", xScale: .linear,
    yScale: .logarithmic,
    series: groups.map { group in
      let places = group[0].evaluations.indices
      let statistics = places.map { place in
        meanAndDeviation(group.map { $0.evaluations[place].evaluation.loss - Chapter.optimum })
      }
      return Series(
        name: group[0].group,
        points: places.map { (x: Double(group[0].evaluations[$0].examples), y: statistics[$0].mean) },
        style: .lineAndMarkers, errors: statistics.map(\.deviation))
    })
}
