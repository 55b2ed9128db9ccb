// `bench gather`: how fast the examples of a batch come together from all over a data set, against a plain copy of
// as many examples that lie side by side.
import DataFormats
import DistributedSGD
import Glibc
import MPI
import Plot
import Runs
import System
import Text

/// One shape of data.
package struct GatherMeasurement: Sendable {
  package let examples, features: Int
  /// The data set holds bytes, which become floats.
  package let isBytes: Bool
  /// GB/s of a gathered batch and of a copied one: bytes read and bytes written.
  package let gather, copy: Rate

  /// Microseconds for an example.
  package let microseconds: Double

  package var share: Double { gather.median / copy.median }
}

package struct GatherOptions: Sendable {
  package var batch = 128
  package init() {}
}

package struct GatherBench {
  private let options: GatherOptions

  /// - Throws: `DistsgdError` (`usage`).
  package init(_ options: GatherOptions) throws {
    self.options = options
    try NumberRange.gatheredBatch.check(options.batch)
  }

  /// A table that fits a cache, images as bytes, and rows of floats that fit no cache.
  package func run() throws -> GatherReport {
    GatherReport(
      batch: options.batch,
      rows: [
        try measure(examples: 65_536, features: 5, isBytes: false),
        try measure(examples: 60_000, features: 784, isBytes: true),
        try measure(examples: 2_000_000, features: 20, isBytes: false),
        try measure(examples: 200_000, features: 784, isBytes: false),
      ])
  }

  private func measure(examples: Int, features: Int, isBytes: Bool) throws -> GatherMeasurement {
    let count = examples * features
    let data: Examples.Features =
      isBytes
      ? .uint8(
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
          buffer.initialize(repeating: 7)
          initialized = count
        }, scale: byteScale)
      : .float32([Float](repeating: 7, count: count))
    // It owns the data set's memory.
    let communicator = SingleProcessCommunicator()
    defer { withExtendedLifetime(communicator) {} }
    let dataset = try Dataset(
      sharing: Examples(
        count: examples, featureCount: features, features: data,
        targets: .values([Float](repeating: 1, count: examples))),
      over: communicator)
    let batch = options.batch
    let buffer = BatchBuffer(dataset, capacity: batch)
    // Some batches of an epoch, listed before: drawing them is not what is measured.
    let order = Sampler(.shuffle, exampleCount: examples, seed: 0).order(epoch: 0)
    let batches = max(1, min(4096, examples / batch))
    let indices = UnsafeMutablePointer<Int>.allocate(capacity: batches * batch)
    defer { indices.deallocate() }
    order.fill(indices, positions: 0..<min(batches * batch, examples))
    let lists = (0..<batches).map { number in
      Array(UnsafeBufferPointer(start: indices + number * batch, count: batch))[...]
    }
    let rowBytes = features * (isBytes ? 1 : 4)
    let copied = UnsafeMutableRawPointer.allocate(byteCount: batch * rowBytes, alignment: 64)
    defer { copied.deallocate() }
    var gatherTurn = 0
    var copyTurn = 0
    let timings = time([
      {
        buffer.load(indices: lists[gatherTurn % batches])
        gatherTurn += 1
      },
      {
        let start = copyTurn % batches * batch * rowBytes
        copied.copyMemory(from: dataset.featureMemory + start, byteCount: batch * rowBytes)
        copyTurn += 1
      },
    ])
    let read = Double(batch * rowBytes)
    return GatherMeasurement(
      examples: examples, features: features, isBytes: isBytes,
      gather: Rate(read + Double(4 * batch * features), in: timings[0]), copy: Rate(2 * read, in: timings[1]),
      microseconds: timings[0].median * 1e6 / Double(batch))
  }
}

extension Dataset {
  fileprivate var featureMemory: UnsafeRawPointer {
    switch features {
    case .float32(let values): UnsafeRawPointer(values)
    case .uint8(let bytes, _): UnsafeRawPointer(bytes)
    }
  }
}

package struct GatherReport: BenchReport {
  package let batch: Int
  package let rows: [GatherMeasurement]

  package var name: String { "gather" }
  package var plots: [(name: String, plot: Plot)] { [] }

  package var text: String {
    "Batches of \(batch) examples; bytes read and written, one core\n\n"
      + alignedTable(
        [["examples", "inputs", "from", "gather GB/s", "min–max", "copy GB/s", "of copy", "µs an example"]]
          + rows.map { row in
            ["\(row.examples)", "\(row.features)", row.isBytes ? "bytes" : "floats"] + row.gather.cells
              + [readable(row.copy.median), "\(fixed(100 * row.share, 0)) %", readable(row.microseconds)]
          })
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["batch"] = batch
    line["rows"] = rows.map { row in
      var line = JSONLine()
      line["examples"] = row.examples
      line["inputs"] = row.features
      line["bytes"] = row.isBytes
      line["gather"] = row.gather.json
      line["copy"] = row.copy.json
      line["microsecondsPerExample"] = row.microseconds
      return line
    }
    return line
  }
}
