// The kernel that OpenBLAS runs: the program tells it to take a wider one, where its own choice is for a processor of
// long ago.
import Foundation
import NeuralNet
import TestSupport
import Testing

extension JobTests {
  @Suite(.enabled(if: widestKernel != nil, "OpenBLAS's own choice stays on a processor with these vectors"))
  struct KernelTests {
    private let folder = TemporaryFolder()

    /// An OpenBLAS that takes its kernel for Prescott by itself.
    private func oldOpenBLAS(isWrong: Bool = false) throws -> String {
      let library = folder("old_openblas.so")
      let compiler = try Child(
        "cc",
        ["-shared", "-fPIC", "-O1", "-o", library, packageFolder + "/Tests/Reference/old_openblas.c"]
          + (isWrong ? ["-DWRONG"] : [])
      ).wait(limit: 60)
      try #require(compiler.code == 0, "\(compiler)")
      return library
    }

    private struct Result {
      let line: String
      let hash: String
    }

    private func result(ranks: Int = 1, _ environment: [String: String?]) throws -> Result {
      let outcome = try run(
        ranks: ranks,
        [
          "--data", "synthetic:400,20", "--model", "mlp:30,20", "--global-batch", "64", "--steps", "20",
          "--shards",
          "4", "--output", TemporaryFolder()("run"),
        ], environment: environment)
      #expect(outcome.code == 0, "\(outcome)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      return Result(
        line: lines.first { $0.hasPrefix("BLAS:") } ?? "",
        hash: lines.first { $0.hasPrefix("parameter hash") } ?? "")
    }

    @Test(arguments: [1, 2, 3]) func theWidestKernelIsTaken(ranks: Int) throws {
      let widest = try #require(widestKernel)
      let found = try result(ranks: ranks, ["OPENBLAS_CORETYPE": nil, "LD_PRELOAD": try oldOpenBLAS()])
      #expect(found.line.contains("\(widest) (OpenBLAS's own choice is Prescott)"))
      #expect(found.hash == (try result(["OPENBLAS_CORETYPE": widest])).hash)
    }

    @Test func theUsersChoiceStays() throws {
      let found = try result(["OPENBLAS_CORETYPE": "Prescott", "LD_PRELOAD": try oldOpenBLAS()])
      #expect(found.line.contains("Prescott (chosen by OPENBLAS_CORETYPE)"))
    }

    /// A kernel whose products are wrong is not used, by any rank.
    @Test(arguments: [1, 2]) func aWrongKernelIsNotTaken(ranks: Int) throws {
      let found = try result(
        ranks: ranks, ["OPENBLAS_CORETYPE": nil, "LD_PRELOAD": try oldOpenBLAS(isWrong: true)])
      #expect(found.line.contains("kernel Prescott,"))
      #expect(found.hash == (try result(["OPENBLAS_CORETYPE": "Prescott"])).hash)
    }
  }
}

/// The kernel for this processor's vectors; nil: OpenBLAS's own choice stays.
private let widestKernel = BLAS.kernel(ofVectorBits: BLAS.KernelSituation.own.processorBits)
