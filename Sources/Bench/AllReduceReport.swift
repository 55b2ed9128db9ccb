// The table, the JSON object and the plot of `bench allreduce`.
import MPI
import Plot
import System
import Text

package struct AllReduceReport: BenchReport {
  package let topology: Topology
  /// Of this server, for all its ranks together.
  package let cores: Int
  package let options: AllReduceOptions
  package let rows: [AllReduceMeasurement]

  package var name: String { "allreduce" }

  private var worldSize: Int { topology.worldSize }

  /// Bytes of the gradient over time, in GB/s.
  private func bandwidth(_ row: AllReduceMeasurement, _ timing: Timing) -> Double {
    Double(4 * row.floats) / timing.median * 1e-9
  }

  /// From algorithm to bus bandwidth, as nccl-tests defines it: what every rank must send and receive, over the
  /// bytes that are reduced.
  private var busFactor: Double { 2 * Double(worldSize - 1) / Double(worldSize) }

  package var text: String {
    let how =
      options.gradients == .kept
      ? "gradients kept between operations" : "gradients written before each operation"
    let end = "\(how); medians of \(options.rounds) rounds, the slowest rank's time\n\n"
    guard worldSize > 1 else {
      return "one process: there is nothing to reduce; the update alone, against a copy of the same bytes\n"
        + end
        + alignedTable(
          [["floats", "bytes", "update µs", "copy µs", "update GB/s", "copy GB/s"]]
            + rows.map { row in
              [
                "\(row.floats)", readableBytes(4 * row.floats), microseconds(row.ours),
                microseconds(row.copy),
              ]
                + [row.ours, row.copy].map { readable(bandwidth(row, $0)) }
            })
    }
    let servers = topology.serverCount == 1 ? "one server" : "\(topology.serverCount) servers"
    return
      "\(worldSize) ranks, \(servers) of \(cores) core\(cores == 1 ? "" : "s"): reduction and update, against MPI_Allreduce alone\n"
      + end
      + alignedTable(
        [
          [
            "floats", "bytes", "ours µs", "MPI µs", "copy µs", "ours/MPI", "ours GB/s", "bus GB/s",
            "MPI GB/s",
            "bus GB/s",
          ]
        ]
          + rows.map { row in
            let mpi = row.mpi ?? row.ours
            return [
              "\(row.floats)", readableBytes(4 * row.floats), microseconds(row.ours), microseconds(mpi),
              microseconds(row.copy), fixed(row.ours.median / mpi.median, 3),
            ]
              + [row.ours, mpi].flatMap { timing in
                let algorithm = bandwidth(row, timing)
                return [readable(algorithm), readable(algorithm * busFactor)]
              }
          })
  }

  private func microseconds(_ timing: Timing) -> String { readable(timing.median * 1e6) }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["ranks"] = worldSize
    line["servers"] = topology.serverCount
    line["cores"] = cores
    line["gradients"] = options.gradients.rawValue
    line["rounds"] = options.rounds
    line["sizes"] = rows.map { row in
      var line = JSONLine()
      line["floats"] = row.floats
      line["bytes"] = 4 * row.floats
      line["seconds"] = row.ours.json
      line["mpiSeconds"] = row.mpi?.json
      line["copySeconds"] = row.copy.json
      line["ratio"] = row.mpi.map { row.ours.median / $0.median }
      line["algorithmGBs"] = bandwidth(row, row.ours)
      line["busGBs"] = bandwidth(row, row.ours) * busFactor
      line["mpiAlgorithmGBs"] = row.mpi.map { bandwidth(row, $0) }
      line["mpiBusGBs"] = row.mpi.map { bandwidth(row, $0) * busFactor }
      line["copyGBs"] = bandwidth(row, row.copy)
      return line
    }
    return line
  }

  package var plots: [(name: String, plot: Plot)] {
    func series(_ name: String, _ timing: (AllReduceMeasurement) -> Timing?) -> Series {
      Series(
        name: name,
        points: rows.compactMap { row in timing(row).map { (Double(4 * row.floats), $0.median * 1e6) } },
        style: .line)
    }
    var lines = [series(worldSize > 1 ? "reduction and update" : "update") { $0.ours }]
    if worldSize > 1 { lines.append(series("MPI_Allreduce alone") { $0.mpi }) }
    lines.append(series("copy") { $0.copy })
    let plot = Plot(
      title: "One operation of \(worldSize) rank\(worldSize == 1 ? "" : "s")", xLabel: "bytes",
      yLabel: "microseconds", xScale: .logarithmic, yScale: .logarithmic, series: lines)
    return [(name, plot)]
  }
}
