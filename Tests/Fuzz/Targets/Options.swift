// What a user types: a line each for --model, --schedule or --checkpoint-every, --target,
// --features and --validation.
import DistributedSGD
import NeuralNet

func readOptions(_ input: FuzzInput) throws {
  let lines = input.text.split(separator: "\n", maxSplits: 4, omittingEmptySubsequences: false).map(
    String.init)
  func line(_ index: Int) -> String? { index < lines.count && !lines[index].isEmpty ? lines[index] : nil }

  var options = TrainingOptions()
  options.model = line(0)
  if let model = line(0).flatMap({ ModelSpecification($0) }) {
    guard ModelSpecification(model.description) == model else { throw Finding("\(model) is not itself") }
    guard model.model(inputs: 3, outputs: 2).parameterCount > 0 else { throw Finding("\(model) is empty") }
  } else if options.model != nil {
    do {
      try options.validate(worldSize: 1)
      throw Finding("a model that does not exist is taken")
    } catch is DistsgdError {}
  }
  if let schedule = line(1).flatMap({ LearningRateSchedule($0) }) {
    guard LearningRateSchedule(schedule.description) == schedule else {
      throw Finding("\(schedule) is not itself")
    }
    for step in [0, 1, 1_000] {
      let factor = schedule.factor(step: step, stepsPerEpoch: 12)
      guard factor >= 0 else { throw Finding("\(schedule) has the factor \(factor) at step \(step)") }
    }
  }
  if let interval = line(1).flatMap({ CheckpointInterval($0) }) {
    guard CheckpointInterval(interval.description) == interval else {
      throw Finding("\(interval) is not itself")
    }
  }
  let table = try input.fixedFile("table.csv", Array("a,b,c,last\n1,2,3,4\n5,6,7,8\n9,1,2,3\n".utf8))
  // A validation of another kind than a number would be a file of this machine.
  let validation = line(4).flatMap { Double($0) == nil ? nil : $0 }
  try load(table) {
    $0.target = line(2)
    $0.features = line(3)?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    $0.validation = validation
  }
}
