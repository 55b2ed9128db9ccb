// Data that one server alone has: rank 0 reads them and sends them to the others. The hosts are played as in
// ServerTests; on all but the first, the folder with the data is covered by an empty one.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct DataOriginTests {
    private let folder = TemporaryFolder()
    /// Only the first host sees what is in it.
    private let hidden: TemporaryFolder
    private let agent: String

    init() throws {
      hidden = TemporaryFolder()
      agent = try folder.write(
        """
        #!/bin/sh
        host=$1
        shift
        [ "$host" = a ] && exec unshare \(Self.apart) --uts sh -c "hostname $host; $*"
        exec unshare \(Self.apart) --uts --mount sh -c "hostname $host; mount -t tmpfs none '\(hidden.path)' || exit 71; $*"

        """, to: "agent")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent)
    }

    private static let apart = getuid() == 0 ? "" : "--user --map-root-user"

    private static let canHide: Bool = {
      let words = apart.split(separator: " ").map(String.init)
      let command = words + ["--uts", "--mount", "sh", "-c", "hostname x && mount -t tmpfs none /mnt"]
      let isPossible = (try? Child("unshare", command).wait(limit: 10).code) == 0
      if !isPossible { print("SKIPPED: DataOriginTests: nobody may cover a folder here (unshare --mount)") }
      return isPossible
    }()

    /// On the hosts of these ranks; a pipe's content is standard input.
    /// - Parameter setting: a variable for the ranks alone; mpirun's daemons would make a folder of $TMPDIR.
    private func job(
      _ hosts: [String], _ arguments: [String], command: [String] = [], input: String? = nil,
      environment: [String: String?] = [:], setting: String? = nil
    ) throws -> Outcome {
      let ranks = hosts.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }.reduce(0, +)
      let words =
        [
          "--host", hosts.joined(separator: ","), "-mca", "plm_rsh_agent", agent, "-mca", "btl",
          "tcp,self,vader",
          "-mca", "btl_tcp_if_include", "lo", "-x", "DISTSGD_DATA",
          "-np", "\(ranks)",
        ] + (setting.map { ["env", $0] } ?? []) + [distsgd] + command + arguments
      let environment = mpiEnvironment.merging(["DISTSGD_DATA": "/nowhere"]) { $1 }
        .merging(environment) { $1 }
      guard let input else {
        return try Child("mpirun", words, environment: environment).wait(limit: 120)
      }
      let line = (["mpirun"] + words).map { "'\($0)'" }.joined(separator: " ")
      return try Child("sh", ["-c", "cat '\(input)' | \(line)"], environment: environment).wait(limit: 120)
    }

    private func hash(_ run: String) throws -> String? {
      try readMetrics(folder(run + "/metrics.jsonl")).last?.text("parameterHash")
    }

    /// Of each kind of input, the words that name it.
    private func words(_ kind: String) throws -> [String] {
      switch kind {
      case "table": return ["--data", try hidden.writeTable(), "--validation", "0.2"]
      case "table in a file":
        return ["--data", try hidden.writeTable(), "--cache-file", "yes", "--standardize"]
      case "weighted":
        let rows = (0..<90).map { "\(Float($0 % 7) / 7),\($0 % 3),\(1 + $0 % 2)\n" }.joined()
        let path = try hidden.write("x,kind,w\n" + rows, to: "weighted.csv")
        return [
          "--data", path, "--target", "kind", "--task", "classification", "--weight", "w", "--class-weights",
          "balanced",
        ]
      case "arrays": return ["--data", try hidden.writeClasses(), "--model", "mlp:16"]
      case "idx":
        let images = try hidden.write(
          gzip(idx([40, 6, 6], (0..<1440).map { UInt8($0 * 37 % 251) })), to: "x-idx3-ubyte.gz")
        let labels = try hidden.write(idx([40], (0..<40).map { UInt8($0 % 4) }), to: "y-idx1-ubyte")
        return ["--data", "\(images),\(labels)", "--validation", "0.25"]
      case "pictures":
        let corpus = packageFolder + "/Tests/Fuzz/corpus/picture/seed-"
        for (number, name) in ["png-grey", "png-colour", "jpeg-grey", "jpeg-colour"].enumerated() {
          for copy in 0..<3 {
            let place = hidden("pictures/class\(number % 2)/\(name)-\(copy).\(name.prefix(3))")
            let directory = (place as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: corpus + name, toPath: place)
          }
        }
        return ["--data", hidden("pictures"), "--image-size", "8"]
      case "named":
        let side = 28
        for (name, rows) in [("train", 60), ("t10k", 20)] {
          _ = try hidden.write(
            gzip(idx([rows, side, side], (0..<rows * side * side).map { UInt8($0 * 13 % 256) })),
            to: "\(name)-images-idx3-ubyte.gz")
          _ = try hidden.write(
            gzip(idx([rows], (0..<rows).map { UInt8($0 % 10) })), to: "\(name)-labels-idx1-ubyte.gz")
        }
        return ["--data", "fashion-mnist", "--validation", "test"]
      default: return ["--data", "airfoil-like"]
      }
    }

    @Test(
      .enabled(if: canHide),
      arguments: [
        "table", "table in a file", "weighted", "arrays", "idx", "pictures", "named", "built in",
      ])
    func sameBits(_ kind: String) throws {
      let data = try words(kind) + ["--global-batch", "12", "--shards", "8", "--steps", "9", "--quiet"]
      let environment = ["DISTSGD_DATA": hidden.path]
      let alone = try run(data + ["--output", folder("alone")], environment: environment)
      try #require(alone.code == 0, "\(alone)")
      let expected = try hash("alone")
      let placements = [["a:1", "b:1"], ["a:2", "b:2"], ["a:1", "b:2", "c:1"]]
      for (number, hosts) in placements.enumerated() {
        let outcome = try job(
          hosts, data + ["--data-from", "rank0", "--output", folder("run\(number)")], environment: environment
        )
        try #require(outcome.code == 0, "\(kind) on \(hosts): \(outcome)")
        #expect(try hash("run\(number)") == expected, "\(kind) on \(hosts)")
      }
      #expect(try readFile(folder("run0/config.yaml")).contains("data-from: \"rank0\""))
      guard kind != "built in" else { return }
      // Without it, the second host has nothing to read.
      let each = try job(["a:1", "b:1"], data + ["--output", folder("each")], environment: environment)
      let hasOther =
        kind == "named" && FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")
      #expect(each.code == (hasOther ? 65 : 66) && each.errorLines.count == 1, "\(each)")
      #expect(!FileManager.default.fileExists(atPath: folder("each")))
    }

    /// The same fingerprint, so that a run may go on, or be made again, with the data read in the other way.
    @Test(.enabled(if: canHide)) func throughAResumeAndAgain() throws {
      let table = try hidden.writeTable()
      let data = [
        "--data", table, "--shards", "4", "--global-batch", "30", "--checkpoint-every", "5", "--quiet",
      ]
      let whole = try run(data + ["--steps", "20", "--output", folder("whole")])
      try #require(whole.code == 0, "\(whole)")
      let first = try job(
        ["a:1", "b:1"], data + ["--steps", "10", "--data-from", "rank0", "--output", folder("run")])
      try #require(first.code == 0, "\(first)")
      let resumed = try job(["a:1", "b:2"], ["--resume", folder("run"), "--steps", "15", "--quiet"])
      try #require(resumed.code == 0, "\(resumed)")
      let alone = try run(["--resume", folder("run"), "--steps", "20", "--data-from", "each", "--quiet"])
      try #require(alone.code == 0, "\(alone)")
      #expect(try hash("run") == hash("whole"))
      let again = try job(["a:1", "b:1"], [folder("run"), "--data-from", "rank0"], command: ["reproduce"])
      #expect(again.code == 0 && again.output.contains("bit for bit"), "\(again)")
    }

    /// Standard input reaches rank 0, and what it has read all others.
    @Test(.enabled(if: canHide)) func standardInput() throws {
      let table = try hidden.writeTable()
      let words = ["--shards", "4", "--steps", "9", "--quiet"]
      let alone = try run(["--data", table] + words + ["--output", folder("alone")])
      try #require(alone.code == 0, "\(alone)")
      let piped = try job(
        ["a:1", "b:1"],
        ["--data", "-", "--data-from", "rank0"] + words + ["--output", folder("piped")], input: table)
      try #require(piped.code == 0, "\(piped)")
      #expect(try hash("piped") == hash("alone"))
    }

    @Test(.enabled(if: canHide)) func evaluateAndSweep() throws {
      let table = try hidden.writeClassTable()
      let trained = try run(["--data", table, "--steps", "9", "--quiet", "--output", folder("run")])
      try #require(trained.code == 0, "\(trained)")
      let evaluation = ["--model", folder("run/model.safetensors"), "--data", table]
      let alone = try run(["evaluate"] + evaluation)
      let apart = try job(
        ["a:1", "b:2"], evaluation + ["--data-from", "rank0", "--predictions", folder("p.csv")],
        command: ["evaluate"])
      #expect(alone.code == 0 && apart.code == 0 && apart.output == alone.output, "\(apart)")
      #expect(try readFile(folder("p.csv")).split(separator: "\n").count == 241)
      let refused = try job(["a:1", "b:1"], evaluation, command: ["evaluate"])
      #expect(refused.code == 66 && refused.errorLines.count == 1, "\(refused)")
      // Predictions are made by rank 0 alone.
      let predicted = try job(["a:1", "b:1"], evaluation, command: ["predict"])
      #expect(predicted.code == 0 && predicted.output.hasPrefix("kind\n"), "\(predicted)")
      let sweep = try job(
        ["a:1", "b:1"],
        [
          "--data", table, "--data-from", "rank0", "--lr", "0.1,0.2", "--steps", "4", "--quiet", "--output",
          folder("sweep"),
        ], command: ["sweep"])
      #expect(sweep.code == 0, "\(sweep)")
    }

    /// What is wrong on rank 0 is told once, and ends all.
    @Test(.enabled(if: canHide)) func errors() throws {
      let bad = try hidden.write("a,b\n1,2\n3\n", to: "bad.csv")
      for (data, code, word) in [(hidden("none.csv"), 66, "none.csv"), (bad, 65, "row")]
        as [(String, Int32, String)]
      {
        let outcome = try job(
          ["a:2", "b:2"], ["--data", data, "--data-from", "rank0", "--output", folder("run")])
        #expect(outcome.code == code && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(word), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
      }
      // Who receives needs room as well: in a folder that there is on the first host alone.
      let room = hidden("room")
      try FileManager.default.createDirectory(atPath: room, withIntermediateDirectories: true)
      let table = try hidden.writeTable()
      let outcome = try job(
        ["a:1", "b:1"],
        ["--data", table, "--cache-file", "yes", "--data-from", "rank0", "--output", folder("run")],
        setting: "TMPDIR=\(room)")
      #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("of what rank 0 has read"), "\(outcome)")
      let word = try run(["--data-from", "all", "--output", folder("run")])
      #expect(word.code == 64 && word.errors.contains("data-from"), "\(word)")
    }
  }
}
