// A program of a user of the library, with a layer and a schedule of its own; JobTests starts it, also under mpirun.
//
//   own-job OUTPUT MODEL GLOBAL-BATCH SHARDS STEPS SCHEDULE     or, to go on:     own-job --resume OUTPUT … STEPS SCHEDULE
import Glibc
import NeuralNet
import Runs
import System
import TestSupport

/// On rank 1 the learning rate goes astray at step 31, as it would by a fault in that process; the word does not tell.
private struct Drift: Schedule {
  static let names = ["drift"]
  static let form = "drift"
  init(_ word: Word) throws(WordError) { try WordReader(word).end() }
  var description: String { "drift" }

  func factor(_ moment: ScheduleMoment) -> Double {
    moment.step >= 30 && getenv("OMPI_COMM_WORLD_RANK").map { String(cString: $0) } == "1" ? 1.0001 : 1
  }
}

Catalog.add(layer: Center.self)
Catalog.add(schedule: Drift.self)

var words = Array(CommandLine.arguments.dropFirst())
let resumes = words.first == "--resume"
if resumes { words.removeFirst() }
precondition(words.count == 6, "own-job [--resume] OUTPUT MODEL GLOBAL-BATCH SHARDS STEPS SCHEDULE")

var options = TrainingOptions()
options.output = words[0]
options.model = try ModelSpecification(words[1])
options.globalBatch = Int(words[2])!
options.shards = Int(words[3])!
options.steps = Int(words[4])!
options.schedule = try Catalog.schedule(words[5])
options.optimizer = try Catalog.optimizer("adam")
options.logEvery = 1
options.logsHashes = true
options.checkpointEvery = .steps(10)
options.isQuiet = true

Job.run { job in
  let run =
    resumes
    ? try TrainingRun(options, resuming: words[0], on: job)
    : try TrainingRun(options, on: job)
  try run.run()
}
