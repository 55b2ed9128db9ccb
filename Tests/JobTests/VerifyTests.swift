// The proof itself: verify passes where the bits agree, and fails where they do not.
import Foundation
import Runs
import TestSupport
import Testing

extension JobTests {
  @Suite struct VerifyTests {
    /// What ends `verify` ends the job that it has started.
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func aSignalReachesTheJob(_ signal: Int32) throws {
      let child = try start(ranks: 1, ["verify", "--ranks", "1,2", "--steps", "100000000"])
      for _ in 0..<5_000 where child.children.isEmpty { usleep(2_000) }
      let job = try #require(child.children.first)
      kill(child.identifier, signal)
      let outcome = child.wait(limit: 120)
      #expect(outcome.code == nil && !outcome.hung, "\(outcome)")
      #expect(isGone(job))
    }

    private let folder = TemporaryFolder()

    @Test func passes() throws {
      let outcome = try run(
        ["verify", "--ranks", "1,2,3", "--shards", "4", "--global-batch", "100", "--steps", "20"],
        environment: ["TMPDIR": folder.path])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(
        outcome.output.split(separator: "\n").count { $0.hasSuffix("every step the same") } == 3, "\(outcome)"
      )
      #expect(
        outcome.output.hasSuffix("verified: 20 steps, 4 shards, one hash per step at 1, 2, 3 ranks\n"),
        "\(outcome)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
        $0.hasPrefix("distsgd")
      }
      #expect(left.isEmpty, "no temporary folder is left")
    }

    /// All sums in 16 bits, over several buffers' worth of passes, shards without examples and a loss that is none of them.
    @Test(arguments: [
      "bf16 --arithmetic blas --optimizer adam --clip-norm 1", "fp16 --arithmetic portable",
      "fp16 --arithmetic blas --micro-batch 3 --optimizer lamb",
    ]) func in16Bits(_ words: String) throws {
      let outcome = try run(
        [
          "verify", "--ranks", "1,2,3,4,8", "--data", "synthetic:310,50", "--model", "mlp:64,40", "--lr",
          "0.001", "--global-batch", "48", "--shards", "8", "--steps", "12", "--wire",
        ] + words.split(separator: " ").map(String.init), environment: ["TMPDIR": folder.path])
      #expect(outcome.code == 0, "\(outcome)")
      #expect(
        outcome.output.contains("verified: 12 steps, 8 shards, one hash per step at 1, 2, 3, 4, 8 ranks"),
        "\(outcome)")
    }

    @Test func json() throws {
      let outcome = try run(["verify", "--json", "--ranks", "1,2", "--steps", "5"])
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      #expect(object?["identical"] as? Bool == true && (object?["hashes"] as? [String])?.count == 5)
      let expected = try train(ranks: 1, ["--shards", "8", "--steps", "5"])
      #expect(object?["hashes"] as? [String] == expected.hashes)
    }

    /// An mpirun that changes the job: the seed, so that all differs; or one batch, so that only its step does.
    @Test(arguments: [("--seed 1", 1), ("--last-batch drop", 12)])
    func failsWhereTheBitsDiffer(_ change: String, _ step: Int) throws {
      let real = try Child("sh", ["-c", "command -v mpirun"]).wait(limit: 10).output.dropLast()
      let mpirun = try folder.write("#!/bin/sh\nexec \(real) \"$@\" \(change)\n", to: "mpirun")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun)
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      let outcome = try run(
        ["verify", "--ranks", "1,2", "--shards", "2"], environment: ["PATH": "\(folder.path):\(path)"])
      #expect(outcome.code == 70, "\(outcome)")
      try #require(outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errorLines[0].contains("2 ranks differ after step \(step):"), "\(outcome)")
      #expect(
        outcome.output.contains("differs from step \(step) on") && !outcome.output.contains("verified:"))
    }

    /// The comparison alone: other hashes, and a job that ends early.
    @Test func comparison() throws {
      var verification = Verification(shards: 2)
      try verification.run(ranks: 1, executable: distsgd, trainArguments: ["--steps", "15"])
      try verification.run(
        ranks: 1, executable: distsgd, trainArguments: ["--steps", "15", "--threads", "1"])
      #expect(verification.difference == nil)
      try verification.run(
        ranks: 1, executable: distsgd, trainArguments: ["--steps", "15", "--last-batch", "drop"])
      let difference = try #require(verification.difference)
      #expect(difference.step == 12 && difference.ranks == 1)
      #expect(
        difference.expected == verification.jobs[0].hashes[11]
          && difference.hash == verification.jobs[2].hashes[11])
      try verification.run(ranks: 1, executable: distsgd, trainArguments: ["--steps", "14"])
      #expect(verification.difference?.step == 15 && verification.difference?.hash == "no such step")
    }

    @Test(
      arguments: [
        ("--ranks 1,x", 64, "--ranks"), ("--ranks 0", 64, "--ranks"),
        ("--ranks 1,4 --shards 3", 64, "--shards 3"),
        ("--ranks 1,2 --output somewhere", 64, "--output"), ("--ranks 1,2 --lr 1e30", 76, "1 ranks failed"),
        ("--ranks 1,2 --data none.csv", 66, "none.csv"),
      ] as [(String, Int32, String)])
    func errors(_ arguments: String, _ code: Int32, _ word: String) throws {
      let outcome = try run(
        ["verify"] + arguments.split(separator: " ").map(String.init), directory: folder.path)
      #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(word), "\(outcome)")
    }

    @Test func isNoJobOfItsOwn() throws {
      let outcome = try run(ranks: 2, ["verify"], limit: 30)
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
    }
  }
}
