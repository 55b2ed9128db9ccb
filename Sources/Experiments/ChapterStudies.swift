// What the chapter's runs and exercises show: their tables, figures and a sentence or two computed from them.
import Plot
import System
import Text

extension Chapter {
  /// The loss of least squares on the airfoil data and on the built-in set, which has the same moments.
  static let optimum = 0.241687955

  /// The four runs, or an exercise.
  /// - Throws: `DistsgdError` (`usage`) when there is no such exercise.
  package static func study(exercise: Int?) throws -> Study {
    switch exercise {
    case nil: fourRunsStudy
    case 1: batchesAndRatesStudy
    case 2: decayStudy
    case 3: replacementStudy
    case 4: duplicatesStudy
    case let number?:
      throw DistsgdError(.usage, "--exercise \(number): the chapter's exercises are 1, 2, 3 and 4")
    }
  }

  private static var fourRunsStudy: Study {
    Study(
      name: "chapter", title: "Minibatch stochastic gradient descent: the chapter's four runs",
      trials: { fourRuns($0, exampleCount: $1) },
      read: { results in
        Study.Reading(
          tables: [comparisonTable(results, target: 0.25)],
          words: "Least squares has its optimum at \(fixed(optimum, 4)). "
            + fastestSentence(results, target: 0.25),
          figures: [("chapter", lossAgainstTime("Loss against time", results, optimum: optimum))])
      })
  }

  private static var batchesAndRatesStudy: Study {
    Study(
      name: "exercise-1", title: "Exercise 1: batch sizes and learning rates",
      trials: { options, _ in batchesAndRates(options) },
      read: { results in
        let target = Sweep.defaultTarget(results)
        return Study.Reading(
          tables: [comparisonTable(results, target: target)],
          words: target.map { fastestSentence(results, target: $0) } ?? "Every run diverged.\n",
          figures: Sweep.figures(results, stem: "exercise-1"))
      })
  }

  private static var decayStudy: Study {
    Study(
      name: "exercise-2", title: "Exercise 2: the learning rate cut to a tenth after each epoch",
      trials: { options, _ in decay(options) },
      read: { results in
        // Over the second half of the evaluations the loss has settled: its spread is the noise of the updates.
        let spread = results.map { result in
          meanAndDeviation(result.evaluations.suffix(result.evaluations.count / 2).map(\.evaluation.loss))
            .deviation
        }
        var text = ""
        for pair in stride(from: 0, to: results.count - 1, by: 2) {
          text +=
            "\(results[pair].name): the loss of the last two epochs varies by \(fixed(spread[pair], 5)) (standard deviation); with decay by \(fixed(spread[pair + 1], 5)).\n"
        }
        text += """
          With a constant rate the updates keep the gradient's noise; a smaller rate averages it away, and the
          loss settles nearer to the optimum of \(fixed(optimum, 4)).

          """
        return Study.Reading(
          tables: [comparisonTable(results, target: nil)], words: text,
          figures: [("exercise-2", excessAgainstExamples("Decay to a tenth after each epoch", results))])
      })
  }

  private static let seeds: Range<UInt64> = 0..<10

  private static var replacementStudy: Study {
    Study(
      name: "exercise-3", title: "Exercise 3: sampling with replacement, 10 seeds", timedFor: 0,
      trials: { options, _ in
        [10, 100].flatMap { replacement(options, batch: $0, seeds: seeds).flatMap { $0 } }
      },
      read: { results in
        let groups = stride(from: 0, to: results.count, by: seeds.count).map {
          Array(results[$0..<$0 + seeds.count])
        }
        var rows = [["sampling", "final loss", "± over seeds", "above the optimum"]]
        for group in groups {
          let (mean, deviation) = meanAndDeviation(group.compactMap(\.finalLoss))
          rows.append(
            [group[0].group, fixed(mean, 5), fixed(deviation, 5), fixed(mean - optimum, 5)])
        }
        return Study.Reading(
          tables: [rows],
          words: """
            A shuffle shows every example once an epoch; with replacement about 37 % of them (1/e) are missed
            and others repeated. The difference of the means is to be read against the spread over seeds.

            """,
          figures: [
            ("exercise-3", meansAgainstExamples("With and without replacement, mean of 10 seeds", groups))
          ])
      })
  }

  private static var duplicatesStudy: Study {
    Study(
      name: "exercise-4", title: "Exercise 4: the data set replaced by two copies of itself",
      trials: { duplicates($0, exampleCount: $1) },
      read: { results in
        Study.Reading(
          tables: [comparisonTable(results, target: nil)],
          words: """
            With two copies an epoch has twice the examples. Gradient descent makes the same updates from
            twice the work: the mean over two copies is the mean over one. SGD and minibatch SGD make twice the
            updates in an epoch and lose nothing: per example seen, their losses fall alike, up to noise.

            """,
          figures: [("exercise-4", lossAgainstExamples("One copy of the data, and two", results))])
      })
  }

  static func fastestSentence(_ results: [TrialResult], target: Double) -> String {
    guard let best = Sweep.fastest(results, toReach: target) else {
      return "No run reached a loss of \(fixed(target, 4)).\n"
    }
    let seconds = readableSeconds(best.seconds(toReach: target)!)
    let first =
      "First at a loss of \(fixed(target, 4)): \(best.name), after \(seconds) seconds of training; on another machine it may be another.\n"
    guard let frugal = Sweep.frugal(results, toReach: target) else { return first }
    return first
      + "After the fewest examples, on any machine: \(frugal.name), after \(frugal.examples(toReach: target)!).\n"
  }
}

extension Sweep {
  /// Final loss, and time of an epoch, against the batch size; a curve for each learning rate.
  static func figures(_ results: [TrialResult], stem: String) -> [(name: String, plot: Plot)] {
    let rates = Set(results.map(\.learningRate)).sorted()
    func series(_ value: (TrialResult) -> Double?) -> [Series] {
      rates.map { rate in
        let points = results.filter { $0.learningRate == rate }.compactMap { result in
          value(result).map { (x: Double(result.globalBatch), y: $0) }
        }
        return Series(
          name: "η = \(Float(rate))", points: points.sorted { $0.x < $1.x }, style: .lineAndMarkers)
      }
    }
    // A run that has all but diverged would flatten the others.
    let limit = 10 * (results.compactMap(\.judgedLoss).min() ?? 0)
    return [
      (
        "\(stem)-loss",
        Plot(
          title: "Loss at the end, up to 10 × the best", xLabel: "global batch", yLabel: "loss",
          xScale: .logarithmic,
          yScale: .logarithmic,
          series: series { result in result.judgedLoss.flatMap { $0 <= limit ? $0 : nil } })
      ),
      (
        "\(stem)-time",
        Plot(
          title: "Time of an epoch", xLabel: "global batch", yLabel: "seconds", xScale: .logarithmic,
          yScale: .logarithmic,
          series: series { $0.finalLoss == nil ? nil : $0.secondsPerEpoch })
      ),
    ]
  }
}
