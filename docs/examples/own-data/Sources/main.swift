// A run on data of one's own, with all that a run has: checkpoints, metrics, signals, resume.
//
//   own-data FOLDER EPOCHS            trains; the run's files go to FOLDER
//   own-data FOLDER EPOCHS resume     goes on from its newest checkpoint, on any number of ranks up to 8
import DataFormats
import NeuralNet
import Runs

/// `count` points on waves of two kinds, 32 numbers each: slow ones are class 0, fast ones class 1.
func waves(_ count: Int, seed: UInt64) -> Examples {
  var state = seed
  func random() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / 16_777_216
  }
  var inputs: [Float] = []
  var labels: [Int32] = []
  for _ in 0..<count {
    let isFast = random() < 0.5
    var (place, speed) = (random(), isFast ? Float(0.125) : 0.0625)
    speed += 0.02 * random()
    for _ in 0..<32 {
      // A triangle of height 1, and noise.
      inputs.append(4 * abs(place - 0.5) - 1 + 0.2 * (random() - 0.5))
      place += speed
      if place >= 1 { place -= 1 }
    }
    labels.append(isFast ? 1 : 0)
  }
  return Examples(
    count: count, featureCount: 32, features: .float32(inputs), targets: .labels(labels, classCount: 2))
}

let words = Array(CommandLine.arguments.dropFirst())
var options = TrainingOptions()
options.data = DataOptions(named: "waves") {
  LoadedData(waves(2_000, seed: 1), validation: waves(500, seed: 2))
}
options.model = ModelSpecification([Dense(32), Activation.tanh, Dense()])
options.optimizer = SGD(momentum: 0.9)
options.learningRate = 0.05
options.schedule = StepSchedule(every: .epochs(2), factor: 0.5)
options.globalBatch = 64
options.shards = 8
options.epochs = words.count > 1 ? Int(words[1]) : 5
options.checkpointEvery = .steps(20)
options.output = words.first ?? "runs/waves"
let resumes = words.count > 2

Job.run { job in
  let run =
    try resumes
    ? TrainingRun(options, resuming: options.output ?? "", on: job) : TrainingRun(options, on: job)
  var smallest = Float.infinity
  run.afterSteps(every: 10) { smallest = min(smallest, $0.loss) }
  try run.run()
  job.report("smallest loss of a batch: \((1000 * smallest).rounded() / 1000)")
}
