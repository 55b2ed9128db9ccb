// The table and the JSON object of `bench update`.
import Plot
import System
import Text

package struct UpdateReport: BenchReport {
  package let machine: Machine
  package let parameters: Int
  /// GB/s of one core, over arrays of the same length.
  package let triad: Rate
  package let rules: [UpdateMeasurement]

  package var name: String { "update" }
  package var plots: [(name: String, plot: Plot)] { [] }

  package var text: String {
    var text = "\(machine.model), 1 core, \(grouped(parameters)) parameters\n\n"
    text += alignedTable(
      [["1 core", "bytes/parameter", "GB/s", "min–max", "of triad"]]
        + [["triad", "12"] + triad.cells + [""]]
        + rules.map { rule in
          [rule.optimizer, "\(rule.bytesPerParameter)"] + rule.rate.cells
            + [fixed(rule.rate.median / triad.median, 2)]
        })
    return text
      + "bytes read and written; as in STREAM, what a store makes the processor read first is not counted\n"
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["model"] = machine.model
    line["parameters"] = parameters
    line["triadGBs"] = triad.json
    line["rules"] = rules.map { rule in
      var line = JSONLine()
      line["optimizer"] = rule.optimizer
      line["bytesPerParameter"] = rule.bytesPerParameter
      line["GBs"] = rule.rate.json
      line["ofTriad"] = rule.rate.median / triad.median
      return line
    }
    return line
  }
}
