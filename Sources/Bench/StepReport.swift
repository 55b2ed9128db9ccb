// The tables and the JSON object of `bench step`.
import DistributedSGD
import MPI
import NeuralNet
import Plot
import Runs
import System
import Text

package struct StepReport: BenchReport {
  /// `global batch 128 = 2 ranks × 64 examples`
  package let arithmetic: String
  let topology: Topology
  /// Of this server, for all its ranks together.
  let cores: Int
  let setUp: SetUp
  let options: StepOptions
  let shards: Shards
  /// Of the slowest rank, a sample a block.
  package let step: Timing
  package let stepsInBlock: Int
  /// With one shard a rank; nil where that is what `step` has.
  package let stepOfFewestShards: Timing?
  /// The bare sgemm calls of one step.
  package let products: Timing
  /// As many operations as a step's products have, in registers alone.
  package let operationsAtPeak: Timing
  /// Whose peak that is.
  let instructions: Instructions
  /// Of all timed blocks together.
  let phases: RankTimings

  package var name: String { "step" }
  package var plots: [(name: String, plot: Plot)] { [] }

  package var examplesPerSecond: Double { Double(options.training.globalBatch) / step.median }

  /// 10⁹ operations a second of the whole job, in products alone.
  package var gflops: Double {
    Double(setUp.model.trainingOperations * options.training.globalBatch) / step.median * 1e-9
  }

  /// Whether the products are the model's work: convolutions are none of sgemm's.
  private var comparesProducts: Bool { setUp.model.rowsOfPictures == nil }

  /// How many times as long as its bare sgemm calls a step takes; medians.
  package var ratio: Double { step.median / products.median }

  /// How many times as long as its operations at the cores' peak a step takes; medians.
  package var ratioToPeak: Double { step.median / operationsAtPeak.median }

  /// Seconds of a step in each phase: the mean over ranks, and of the rank that has most of it.
  package var phaseSeconds: [(phase: Phase, mean: Double, slowest: Double)] {
    let steps = Double(stepsInBlock * options.rounds)
    return Phase.allCases.filter { $0 != .evaluate && $0 != .checkpoint }.map { phase in
      let seconds = phases.ranks.map { $0[phase.rawValue].seconds / steps }
      return (phase, seconds.reduce(0, +) / Double(max(seconds.count, 1)), seconds.max() ?? 0)
    }
  }

  package var text: String {
    var text = arithmetic + "\n"
    text += "data:   \(setUp.dataSummary)\n"
    text += "model:  \(setUp.specification), \(setUp.model.trainedCount) parameters\n"
    let threads = options.training.threads
    if let instructions = setUp.arithmetic.instructions {
      text += "arithmetic: portable, by \(instructions)\n"
    }
    text += "BLAS:   \(kernelLine(threads: threads)) a rank\n\n"
    var rows = [["µs, of \(options.rounds) blocks of \(stepsInBlock)", "median", "p10", "p90", "min", "max"]]
    func add(_ name: String, _ timing: Timing) {
      let values = [timing.median, timing.p10, timing.p90, timing.least, timing.greatest]
      rows.append([name] + values.map { readable($0 * 1e6) })
    }
    add("step", step)
    if let stepOfFewestShards { add("step with --shards \(shards.worldSize)", stepOfFewestShards) }
    if comparesProducts { add("its bare sgemm calls", products) }
    add("its operations at \(instructions)'s peak", operationsAtPeak)
    text += alignedTable(rows) + "\n"
    var figures = [
      ["examples/s", readable(examplesPerSecond)], ["GFLOP/s", readable(gflops)],
      ["step / operations at the peak", fixed(ratioToPeak, 3)],
    ]
    if comparesProducts { figures.insert(["step / bare sgemm", fixed(ratio, 3)], at: 2) }
    if let stepOfFewestShards {
      figures.append([
        "--shards \(shards.count) / --shards \(shards.worldSize)",
        fixed(step.median / stepOfFewestShards.median, 3),
      ])
    }
    text += alignedTable(figures) + "\n"
    let all = phaseSeconds.reduce(0) { $0 + $1.mean }
    text += alignedTable(
      [["µs of a step", "mean of ranks", "slowest rank", "share"]]
        + phaseSeconds.map { row in
          [
            row.phase.name, fixed(row.mean * 1e6, 2), fixed(row.slowest * 1e6, 2),
            "\(fixed(100 * row.mean / all, 1)) %",
          ]
        })
    return text
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["arithmetic"] = setUp.arithmetic.name
    line["instructions"] = instructions.description
    line["kernel"] = BLAS.kernelName
    line["threads"] = options.training.threads
    line["ranks"] = topology.worldSize
    line["servers"] = topology.serverCount
    line["cores"] = cores
    line["data"] = options.training.data.data
    line["model"] = setUp.specification.description
    line["parameters"] = setUp.model.trainedCount
    line["globalBatch"] = options.training.globalBatch
    line["shards"] = shards.count
    line["microBatch"] = options.training.microBatch
    line["rounds"] = options.rounds
    line["stepsInBlock"] = stepsInBlock
    line["stepSeconds"] = step.json
    if comparesProducts {
      line["sgemmSeconds"] = products.json
      line["stepToSgemm"] = ratio
    }
    line["peakSeconds"] = operationsAtPeak.json
    line["stepToPeak"] = ratioToPeak
    line["examplesPerSecond"] = examplesPerSecond
    line["gflops"] = gflops
    line["fewestShardsStepSeconds"] = stepOfFewestShards?.json
    line["stepToFewestShards"] = stepOfFewestShards.map { step.median / $0.median }
    line["phases"] = phaseSeconds.map { row in
      var line = JSONLine()
      line["phase"] = row.phase.name
      line["meanSeconds"] = row.mean
      line["slowestSeconds"] = row.slowest
      return line
    }
    return line
  }
}
