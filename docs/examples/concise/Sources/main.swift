// The chapter's linear regression, concisely. Alone, or with any number of ranks: mpirun -np 4 concise
import NeuralNet
import Runs

Job.run { job in
  let data = try job.load("airfoil-like")
  let net = Sequential(inputs: data.featureCount, Dense(1))
  let trainer = try job.trainer(net, loss: .squared, data: data, globalBatch: 10, learningRate: 0.05)

  for epoch in 0..<2 {
    try trainer.train(epoch: epoch)
    job.report("epoch \(epoch + 1), \(try trainer.evaluate())")
  }
}
