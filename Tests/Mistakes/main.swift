// A program of a user of the library that makes one mistake: JobTests and Tests/sanitize look at how it ends.
//
//   mistakes NAME
import DataFormats
import DistributedSGD
import Glibc
import NeuralNet
import Runs

/// Two examples of two inputs.
func examples(
  inputs: [Float] = [1, 2, 3, 4], count: Int = 2, width: Int = 2, shape: [Int]? = nil,
  targets: Examples.Targets = .values([1, 2])
) -> Examples {
  Examples(
    count: count, featureCount: width, exampleShape: shape, features: .float32(inputs), targets: targets)
}

let classes = Examples.Targets.labels([0, 1], classCount: 2)

func train(
  _ job: Job, _ data: Examples, _ model: Sequential, _ loss: some Loss, globalBatch: Int = 2
) throws {
  let trainer = try job.trainer(
    model, loss: loss, data: job.share(data), globalBatch: globalBatch, learningRate: 0.1)
  try trainer.train(epoch: 0)
  job.report("trained: \(try trainer.evaluate())")
}

let mistake = CommandLine.arguments.dropFirst().first ?? "none"

Job.run { job in
  switch mistake {
  case "none": try train(job, examples(), Sequential(inputs: 2, Dense(1)), .squared)
  case "inputs": try train(job, examples(), Sequential(inputs: 3, Dense(1)), .squared)
  case "outputs": try train(job, examples(), Sequential(inputs: 2, Dense(2)), .squared)
  case "classes": try train(job, examples(targets: classes), Sequential(inputs: 2, Dense(7)), .crossEntropy)
  case "label":
    try train(
      job, examples(targets: .labels([0, 7], classCount: 2)), Sequential(inputs: 2, Dense(2)), .crossEntropy)
  case "negative-label":
    try train(
      job, examples(targets: .labels([0, -1], classCount: 2)), Sequential(inputs: 2, Dense(2)), .crossEntropy)
  case "loss": try train(job, examples(), Sequential(inputs: 2, Dense(1)), .crossEntropy)
  case "targets": try train(job, examples(targets: classes), Sequential(inputs: 2, Dense(1)), .squared)
  case "few-inputs": try train(job, examples(inputs: [1, 2, 3]), Sequential(inputs: 2, Dense(1)), .squared)
  case "few-targets":
    try train(job, examples(targets: .values([1])), Sequential(inputs: 2, Dense(1)), .squared)
  case "no-examples":
    try train(
      job, examples(inputs: [], count: 0, targets: .values([])), Sequential(inputs: 2, Dense(1)), .squared)
  case "shape": try train(job, examples(shape: [1, 2, 2]), Sequential(inputs: 2, Dense(1)), .squared)
  case "batch": try train(job, examples(), Sequential(inputs: 2, Dense(1)), .squared, globalBatch: 3)
  case "no-batch": try train(job, examples(), Sequential(inputs: 2, Dense(1)), .squared, globalBatch: 0)
  case "other-data":
    let trainer = try job.trainer(
      Sequential(inputs: 2, Dense(1)), loss: .squared, data: job.share(examples()), globalBatch: 2,
      learningRate: 0.1)
    let wide = examples(inputs: [1, 2, 3, 4, 5, 6], width: 3)
    job.report("evaluated: \(try trainer.evaluate(on: job.share(wide)))")
  case "diverges":
    let trainer = try job.trainer(
      Sequential(inputs: 2, Dense(1)), loss: .squared, data: job.share(examples()), globalBatch: 2,
      learningRate: 1e30)
    for epoch in 0..<100 { try trainer.train(epoch: epoch) }
  case "stands-still":
    // Not an error of the library's caller, but of a rank: the others must not wait for ever.
    job.timeout = 2
    let trainer = try job.trainer(
      Sequential(inputs: 2, Dense(1)), loss: .squared, data: job.share(examples()), globalBatch: 2,
      learningRate: 0.001)
    for epoch in 0..<1_000_000_000 {
      if epoch == 100, job.rank == 1 { kill(getpid(), SIGSTOP) }
      try trainer.train(epoch: epoch)
    }
  default: job.report("there is no mistake '\(mistake)'")
  }
}
