// The benches that run as jobs: what they say of themselves, and figures that must agree with each other.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct BenchJobTests {
    private typealias Object = [String: Any]

    private func bench(
      ranks: Int, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Object {
      let outcome = try run(ranks: ranks, ["bench"] + arguments + ["--json"])
      try #require(outcome.code == 0, "\(ranks) ranks: \(outcome)", sourceLocation: sourceLocation)
      let parsed = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return try #require(parsed as? Object, sourceLocation: sourceLocation)
    }

    private func number(_ object: Object, _ key: String) -> Double {
      (object[key] as? NSNumber)?.doubleValue ?? .nan
    }

    /// Seconds over rounds: in order, and above zero.
    private func expectTiming(
      _ object: Object, _ key: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Double {
      let timing = try #require(object[key] as? Object, sourceLocation: sourceLocation)
      let values = ["minimum", "p10", "median", "p90", "maximum"].map { number(timing, $0) }
      #expect(values == values.sorted() && values[0] > 0, "\(timing)", sourceLocation: sourceLocation)
      return values[2]
    }

    @Test(arguments: [1, 2, 3]) func step(ranks: Int) throws {
      let found = try bench(
        ranks: ranks,
        [
          "step", "--data", "synthetic:500,20", "--model", "mlp:30", "--global-batch", "64", "--rounds", "3",
          "--shards", "\(ranks)",
        ])
      #expect(number(found, "ranks") == Double(ranks) && number(found, "shards") == Double(ranks))
      #expect(found["kernel"] as? String != "")
      #expect(number(found, "parameters") == 20 * 30 + 30 + 30 + 1)
      let step = try expectTiming(found, "stepSeconds")
      let products = try expectTiming(found, "sgemmSeconds")
      #expect(abs(number(found, "stepToSgemm") * products / step - 1) < 1e-9)
      let peak = try expectTiming(found, "peakSeconds")
      #expect(abs(number(found, "stepToPeak") * peak / step - 1) < 1e-9)
      #expect(found["arithmetic"] as? String == "blas" && found["instructions"] as? String != "")
      #expect(abs(number(found, "examplesPerSecond") * step / 64 - 1) < 1e-9)
      // Two products of the first layer, three of the second.
      let operations = 64.0 * (2 * 2 * 20 * 30 + 3 * 2 * 30)
      #expect(abs(number(found, "gflops") * step * 1e9 / operations - 1) < 1e-9)
      #expect(found["fewestShardsStepSeconds"] is NSNull)

      let phases = try #require(found["phases"] as? [Object])
      #expect(
        phases.compactMap { $0["phase"] as? String } == [
          "load", "forward", "backward", "wait", "reduce", "update", "other",
        ])
      for phase in phases {
        #expect(number(phase, "meanSeconds") >= 0)
        #expect(number(phase, "slowestSeconds") >= number(phase, "meanSeconds") * (1 - 1e-9))
      }
      for phase in phases.prefix(3) { #expect(number(phase, "meanSeconds") > 0) }
    }

    @Test func stepWithMoreShardsThanRanks() throws {
      let found = try bench(
        ranks: 2,
        [
          "step", "--data", "synthetic:500,20", "--model", "mlp:30", "--global-batch", "64", "--shards", "5",
          "--micro-batch", "6", "--rounds", "3",
        ])
      #expect(number(found, "shards") == 5 && number(found, "microBatch") == 6)
      let step = try expectTiming(found, "stepSeconds")
      let fewest = try expectTiming(found, "fewestShardsStepSeconds")
      #expect(abs(number(found, "stepToFewestShards") * fewest / step - 1) < 1e-9)
    }

    /// The bench itself stops unless every element of every rank's sums is exact.
    @Test(arguments: [1, 2, 3, 4, 8], ["kept", "written"])
    func allreduce(ranks: Int, gradients: String) throws {
      let sizes = [1, 6, 1000, 2048, 40_001]
      let found = try bench(
        ranks: ranks,
        [
          "allreduce", "--sizes", sizes.map(String.init).joined(separator: ","), "--rounds", "2",
          "--gradients", gradients,
        ])
      #expect(number(found, "ranks") == Double(ranks) && found["gradients"] as? String == gradients)
      let rows = try #require(found["sizes"] as? [Object])
      #expect(rows.map { number($0, "floats") } == sizes.map(Double.init))
      for row in rows where gradients == "kept" {
        let bytes = 4 * number(row, "floats")
        let ours = try expectTiming(row, "seconds")
        let copy = try expectTiming(row, "copySeconds")
        #expect(number(row, "bytes") == bytes)
        #expect(abs(number(row, "algorithmGBs") * ours * 1e9 / bytes - 1) < 1e-9)
        #expect(abs(number(row, "copyGBs") * copy * 1e9 / bytes - 1) < 1e-9)
        let bus = 2 * Double(ranks - 1) / Double(ranks)
        #expect(abs(number(row, "busGBs") - bus * number(row, "algorithmGBs")) < 1e-9)
        if ranks == 1 {
          #expect(row["mpiSeconds"] is NSNull && row["ratio"] is NSNull)
        } else {
          let mpi = try expectTiming(row, "mpiSeconds")
          #expect(abs(number(row, "ratio") * mpi / ours - 1) < 1e-9)
        }
      }
    }

    @Test func oneProcessHasNothingToReduce() throws {
      let outcome = try run(["bench", "allreduce", "--sizes", "6", "--rounds", "1"])
      #expect(outcome.code == 0 && outcome.output.contains("nothing to reduce"), "\(outcome)")
    }

    @Test(
      arguments: [
        ["allreduce", "--sizes", "0"], ["allreduce", "--rounds", "0"], ["step", "--rounds", "0"],
        ["step", "--global-batch", "0"], ["step", "--shards", "1"],
      ])
    func refused(_ arguments: [String]) throws {
      let outcome = try run(ranks: 2, ["bench"] + arguments)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(arguments[1]), "\(outcome)")
    }

    /// The gradient of an example alone is what the noise is of.
    @Test func noiseIsOfExamplesAlone() throws {
      let outcome = try run(["bench", "noise", "--model", "dense:4 residual(batchnorm) dense"])
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("with a batchnorm"), "\(outcome)")
    }

    @Test func divergedStepsAreNoMeasurement() throws {
      let outcome = try run(ranks: 2, ["bench", "step", "--learning-rate", "1e30", "--rounds", "1"])
      #expect(outcome.code == 76 && outcome.errorLines.count == 1, "\(outcome)")
    }

    @Test func filesOfAJob() throws {
      let folder = TemporaryFolder()
      let outcome = try run(
        ranks: 2, ["bench", "allreduce", "--sizes", "6,5000", "--rounds", "1", "--output", folder("out")])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try readFile(folder("out/allreduce.svg")).contains("<svg"))
      #expect(try readFile(folder("out/allreduce.json")).contains("\"ranks\":2"))
    }
  }
}
