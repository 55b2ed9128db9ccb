// What every bench hands over, and how it reaches the user.
import NeuralNet
import Plot
import Runs
import System
import Text

/// The result of a bench.
package protocol BenchReport {
  /// The bench's name, after which its files are called.
  var name: String { get }
  /// Tables for a person.
  var text: String { get }
  /// All numbers, as one object.
  var json: JSONLine { get }
  /// Plots, each with the name of its file without the ending.
  var plots: [(name: String, plot: Plot)] { get }
}

extension BenchReport {
  /// Prints the tables or the JSON object. With a folder, writes the plots as SVG and the numbers as JSON
  /// there, and says where.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  package func publish(asJSON: Bool, to files: ReportFiles?) throws {
    standardOutput(asJSON ? json.description : text)
    guard let files else { return }
    var names = ["\(name).json"]
    try files.write(json.description + "\n", as: names[0])
    for (name, plot) in plots {
      names.append("\(name).svg")
      try files.write(plot.svg(), as: names.last!)
    }
    let paths = names.map { visible("\(files.folder)/\($0)") }
    // With --json the object has standard output to itself.
    if asJSON { paths.forEach(standardError) } else { standardOutput("\n" + paths.joined(separator: "\n")) }
  }
}

/// The description of the processor at the head of a bench's tables.
func kernelLine(threads: Int) -> String {
  "OpenBLAS kernel \(BLAS.kernelWords), \(threads) thread\(threads == 1 ? "" : "s")"
}
