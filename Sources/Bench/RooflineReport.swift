// The tables, the JSON object and the plot of `bench roofline`.
import NeuralNet
import Plot
import System
import Text

package struct RooflineReport: BenchReport {
  package let machine: Machine
  /// GFLOP/s of sgemm on one thread and on all cores, at the size that is best at it. The peak is the greatest.
  package let peak, peakOfAllThreads: Rate
  /// From the first cache to DRAM, one core.
  package let levels: [BandwidthMeasurement]
  package let kernels: [KernelMeasurement]

  package var name: String { "roofline" }

  /// FLOP per byte from which on one thread is bound by arithmetic, for memory of `level`.
  package func ridge(_ level: BandwidthMeasurement) -> Double { peak.greatest / level.best }

  /// The level that holds a working set: the smallest cache that is large enough, or DRAM.
  private func level(holding bytes: Double) -> BandwidthMeasurement {
    let index = machine.caches.firstIndex { bytes < Double($0.bytes) } ?? levels.count - 1
    return levels[min(index, levels.count - 1)]
  }

  /// The bound by the level that holds a product's operands.
  private func roof(_ row: KernelMeasurement) -> (level: BandwidthMeasurement, gflops: Double) {
    let level = level(holding: row.bytes)
    return (level, min(peak.greatest, row.intensity * level.best))
  }

  package var text: String {
    let cores = "\(machine.cores) core\(machine.cores == 1 ? "" : "s")"
    var text = "\(machine.model), \(cores), \(machine.vectors.name) (\(machine.vectors.bits)-bit vectors)\n"
    for cache in machine.caches {
      text += "L\(cache.level) \(readableBytes(cache.bytes))"
      text += cache.sharedBy > 1 ? ", shared by \(cache.sharedBy)\n" : "\n"
    }
    text += "OpenBLAS kernel \(BLAS.kernelWords)\n\n"
    text += alignedTable([
      ["sgemm", "peak GFLOP/s", "median"],
      ["1 thread", readable(peak.greatest), readable(peak.median)],
      ["\(machine.cores) threads", readable(peakOfAllThreads.greatest), readable(peakOfAllThreads.median)],
    ])
    text += "\n"
    text += alignedTable(
      [["1 core, from", "working set", "read GB/s", "copy GB/s", "triad GB/s", "ridge FLOP/byte"]]
        + levels.map { level in
          [
            level.level, readableBytes(level.bytes), readable(level.read.greatest),
            readable(level.copy.greatest), readable(level.triad.greatest), readable(ridge(level)),
          ]
        })
    text += "\n"
    text += alignedTable(
      [["1 thread", "size", "FLOP/byte", "GFLOP/s", "min–max", "operands in", "roof", "of roof"]]
        + kernels.map { row in
          let (level, roof) = roof(row)
          return [row.kernel.rawValue, "\(row.size)", readable(row.intensity)] + row.rate.cells
            + [level.level, readable(roof), "\(fixed(100 * row.rate.greatest / roof, 0)) %"]
        })
    text +=
      "dot: over size² elements; gemv, gemm: size × size matrices; GFLOP/s: medians; of roof: the best\n"
    return text
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["bench"] = name
    line["model"] = machine.model
    line["cores"] = machine.cores
    line["vectors"] = machine.vectors.name
    line["vectorBits"] = machine.vectors.bits
    line["kernel"] = BLAS.kernelName
    line["caches"] = machine.caches.map { cache in
      var line = JSONLine()
      line["level"] = cache.level
      line["bytes"] = cache.bytes
      line["sharedBy"] = cache.sharedBy
      return line
    }
    line["peakGflops"] = peak.json
    line["peakGflopsAllCores"] = peakOfAllThreads.json
    line["bandwidth"] = levels.map { level in
      var line = JSONLine()
      line["level"] = level.level
      line["bytes"] = level.bytes
      line["readGBs"] = level.read.json
      line["copyGBs"] = level.copy.json
      line["triadGBs"] = level.triad.json
      line["ridge"] = ridge(level)
      return line
    }
    line["kernels"] = kernels.map { row in
      var line = JSONLine()
      line["kernel"] = row.kernel.rawValue
      line["size"] = row.size
      line["intensity"] = row.intensity
      line["gflops"] = row.rate.json
      line["operandsIn"] = roof(row).level.level
      line["roofGflops"] = roof(row).gflops
      return line
    }
    return line
  }

  package var plots: [(name: String, plot: Plot)] {
    let intensities = kernels.map(\.intensity) + levels.map(ridge)
    let low = (intensities.min() ?? 0.1) / 2
    let high = (intensities.max() ?? 10) * 2
    let roofs = levels.map { level in
      Series(
        name: "\(level.level), \(readable(level.best)) GB/s",
        points: [(low, low * level.best), (ridge(level), peak.greatest), (high, peak.greatest)], style: .line)
    }
    let points = KernelMeasurement.Kernel.allCases.map { kernel in
      let rows = kernels.filter { $0.kernel == kernel }
      return Series(
        name: kernel.rawValue, points: rows.map { (x: $0.intensity, y: $0.rate.median) }, style: .markers,
        errorBars: rows.map { (low: $0.rate.least, high: $0.rate.greatest) })
    }
    var lines = [
      ReferenceLine(.horizontal(peak.greatest), label: "1 thread, \(readable(peak.greatest)) GFLOP/s")
    ]
    if machine.cores > 1 {
      let all = peakOfAllThreads.greatest
      lines.append(
        ReferenceLine(.horizontal(all), label: "\(machine.cores) threads, \(readable(all)) GFLOP/s"))
    }
    if let last = levels.last {
      lines.append(ReferenceLine(.vertical(ridge(last)), label: "\(last.level) ridge"))
    }
    let plot = Plot(
      title: "Roofline of one core: \(machine.model), \(BLAS.kernelName) kernel",
      xLabel: "operations for every byte of operands (FLOP/byte)", yLabel: "GFLOP/s",
      xScale: .logarithmic, yScale: .logarithmic, series: roofs + points, referenceLines: lines)
    return [("roofline", plot)]
  }
}
