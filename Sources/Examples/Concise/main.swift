// The chapter's linear regression, concisely. Alone, or with any number of ranks: mpirun -np 4 concise
import DistributedSGD
import NeuralNet
import Runs
import Text

let job = try Job()
let data = try job.load("airfoil-like")
let net = Sequential(inputs: data.featureCount, Dense(1))
let trainer = try Trainer(
  "sgd", learningRate: 0.05, net, loss: .squared, data: data, globalBatch: 10, on: job)
let evaluator = Evaluator(model: net, loss: .squared, dataset: data, communicator: job.communicator)

for epoch in 0..<2 {
  try trainer.train(epoch: epoch)
  let loss = try evaluator.evaluate(trainer.parameters.baseAddress!).loss
  job.report("epoch \(epoch + 1), loss: \(fixed(loss, 3))")
}
try job.finish()
