// The experiments of the chapter 'Minibatch Stochastic Gradient Descent' of Dive into Deep Learning
// (d2l.ai), section 'Implementation from scratch': four runs of linear regression on the airfoil data.
import DataFormats
import DistributedSGD
import NeuralNet
import Runs

/// The chapter's runs and exercises, as trials.
package enum Chapter {
  /// The real set where it is on this machine, else the built-in one with the same moments. Never downloads.
  package static func defaultData() -> String { findAirfoil() == nil ? "airfoil-like" : "airfoil" }

  /// What all runs share: evaluation every 200 examples with the clock stopped.
  package static func options(data: String, seed: UInt64, shards: Int?) -> TrainingOptions {
    var options = TrainingOptions()
    options.data.data = data
    options.model = .linear
    options.seed = seed
    options.shards = shards
    options.evaluateEvery = 200
    options.isQuiet = true
    return options
  }

  /// Gradient descent, SGD, and minibatches of 100 and 10, with the chapter's learning rates and epochs.
  package static func fourRuns(_ options: TrainingOptions, exampleCount: Int) -> [Trial] {
    [
      trial("gd", options, batch: exampleCount, learningRate: 1, epochs: 10, isWhole: true),
      trial("sgd", options, batch: 1, learningRate: 0.005, epochs: 2),
      trial("batch size 100", options, batch: 100, learningRate: 0.4, epochs: 2),
      trial("batch size 10", options, batch: 10, learningRate: 0.05, epochs: 2),
    ]
  }

  /// Exercise 1: batch sizes and learning rates.
  package static func batchesAndRates(_ options: TrainingOptions) -> [Trial] {
    Sweep.trials(options, globalBatches: [10, 100, 1000], learningRates: [0.01, 0.1, 1])
  }

  /// Exercise 2: the learning rate cut to a tenth after each epoch, against a constant one.
  package static func decay(_ options: TrainingOptions) -> [Trial] {
    [(100, 0.4), (10, 0.05)].flatMap { batch, learningRate in
      ([ConstantSchedule(), StepSchedule(every: .epochs(1), factor: 0.1)] as [any Schedule]).map { schedule in
        var trial = trial(
          "batch size \(batch), \(schedule is ConstantSchedule ? "constant" : "tenth every epoch")", options,
          batch: batch, learningRate: learningRate, epochs: 4)
        trial.options.schedule = schedule
        return trial
      }
    }
  }

  /// Exercise 3: sampling with replacement against a new shuffle every epoch, once for each seed.
  package static func replacement(_ options: TrainingOptions, batch: Int, seeds: Range<UInt64>) -> [[Trial]] {
    [Sampling.shuffle, .replacement].map { sampling in
      seeds.map { seed in
        let group = "\(sampling.rawValue), batch size \(batch)"
        var trial = trial(
          "\(group), seed \(seed)", options, batch: batch, learningRate: batch == 100 ? 0.4 : 0.05, epochs: 4)
        trial.group = group
        trial.options.sampling = sampling
        trial.options.seed = seed
        return trial
      }
    }
  }

  /// Exercise 4: gd, SGD and minibatch SGD on the data and on two copies of them. Without their knowing,
  /// gd makes the same update from twice the work; the others see every example twice an epoch.
  package static func duplicates(_ options: TrainingOptions, exampleCount: Int) -> [Trial] {
    [("gd", exampleCount, 1.0, 10), ("sgd", 1, 0.005, 2), ("batch size 100", 100, 0.4, 2)].flatMap {
      name, batch, learningRate, epochs in
      [1, 2].map { copies in
        var trial = trial(
          copies == 1 ? name : "\(name), data twice", options,
          batch: batch == exampleCount ? copies * batch : batch, learningRate: learningRate, epochs: epochs,
          isWhole: batch == exampleCount)
        trial.options.copies = copies
        return trial
      }
    }
  }

  private static func trial(
    _ name: String, _ options: TrainingOptions, batch: Int, learningRate: Double, epochs: Int,
    isWhole: Bool = false
  ) -> Trial {
    var options = options
    options.globalBatch = batch
    // All examples at once are read as they lie, which takes least; shards that were asked for are those of a shuffle.
    if isWhole && options.shards == nil { options.sampling = .sequential }
    options.learningRate = learningRate
    options.epochs = epochs
    return Trial(name, options)
  }
}
