// What a user types: a line each for --model, --schedule or --optimizer or --loss or --checkpoint-every, --target,
// --features and --validation.
import NeuralNet
import Runs

func readOptions(_ input: FuzzInput) throws {
  let lines = input.text.split(separator: "\n", maxSplits: 4, omittingEmptySubsequences: false).map(
    String.init)
  func line(_ index: Int) -> String? { index < lines.count && !lines[index].isEmpty ? lines[index] : nil }

  if let text = line(0), let model = try? ModelSpecification(text) {
    let again = try? ModelSpecification(model.description)
    guard again?.description == model.description else { throw Finding("\(model) is not itself") }
    if let sequential = try? model.model(input: Shape(3), outputs: 2) {
      guard let copy = try? ModelSpecification(sequential.text).model(input: Shape(3), outputs: 2),
        copy.tensors == sequential.tensors
      else { throw Finding("\(model) as '\(sequential.text)' is another model") }
    }
  }
  if let schedule = line(1).flatMap({ try? Catalog.schedule($0) }) {
    try requireItself(schedule) { try Catalog.schedule($0) }
    for step in [0, 1, 1_000] {
      let factor = schedule.factor(ScheduleMoment(step: step, stepsPerEpoch: 12, totalSteps: 100))
      guard factor >= 0 else { throw Finding("\(schedule) has the factor \(factor) at step \(step)") }
    }
  }
  if let optimizer = line(1).flatMap({ try? Catalog.optimizer($0) }) {
    try requireItself(optimizer) { try Catalog.optimizer($0) }
  }
  if let loss = line(1).flatMap({ try? Catalog.loss($0) }) {
    try requireItself(loss) { try Catalog.loss($0) }
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

private func requireItself(_ value: any Named, _ make: (String) throws -> any Named) throws {
  guard let again = try? make(value.description), again.description == value.description else {
    throw Finding("\(value) is not itself")
  }
}
