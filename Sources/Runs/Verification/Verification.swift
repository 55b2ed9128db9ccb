// The proof that the bits do not depend on the number of ranks: the same job at each, hash by hash.
import Glibc
import System

/// Runs a training job at several numbers of ranks and compares the parameters after every step.
package struct Verification {
  /// One job: the hash after each step, as 16 hexadecimal digits.
  package struct Job: Sendable {
    package var ranks: Int
    package var hashes: [String]
  }

  /// The first step after which a job's parameters differ from those of the first job.
  package struct Difference: Sendable, Equatable {
    package var step: Int
    package var ranks: Int
    package var hash: String
    package var expected: String
  }

  package let shards: Int
  package private(set) var jobs: [Job] = []

  /// - Parameter shards: V of every job.
  package init(shards: Int) { self.shards = shards }

  /// Runs `distsgd train` with `trainArguments` at `ranks` ranks.
  /// - Throws: `DistsgdError` with what the job said when it fails.
  package mutating func run(ranks: Int, executable: String, trainArguments: [String]) throws {
    let folder = try TemporaryFolder()
    let log = folder.path + "/log"
    let launch = LocalLaunch(
      ranks: ranks,
      command: [executable, "train"] + trainArguments + [
        "--shards", "\(shards)", "--log-every", "1", "--log-hashes", "--quiet", "--output",
        folder.path + "/run",
      ])
    let outcome = try launch.run(output: log)
    guard outcome.isSuccess else {
      let marker = "distsgd: error: "
      let lines = ((try? readText(log)) ?? "").split(separator: "\n")
      let reason = lines.first { $0.hasPrefix(marker) }.map { String($0.dropFirst(marker.count)) }
      var code = ExitCode.internal
      if case .exited(let number) = outcome, let known = ExitCode(rawValue: number) { code = known }
      throw DistsgdError(code, "the job at \(ranks) ranks failed: \(reason ?? "\(outcome)")")
    }
    jobs.append(Job(ranks: ranks, hashes: try loggedHashes(folder.path + "/run/metrics.jsonl").map(\.hash)))
  }

  /// The first difference of the last job from the first, if there is any.
  package var difference: Difference? {
    guard let first = jobs.first, let last = jobs.last else { return nil }
    for step in 0..<max(first.hashes.count, last.hashes.count) {
      let expected = step < first.hashes.count ? first.hashes[step] : "no such step"
      let hash = step < last.hashes.count ? last.hashes[step] : "no such step"
      if hash != expected {
        return Difference(step: step + 1, ranks: last.ranks, hash: hash, expected: expected)
      }
    }
    return nil
  }
}

/// The `parameterHash` of every `step` event that has one.
func loggedHashes(_ path: String) throws -> [(step: Int, hash: String)] {
  var hashes: [(step: Int, hash: String)] = []
  for (number, line) in try readText(path).split(separator: "\n").enumerated() {
    var event = ""
    var step = 0.0
    var hash = ""
    var text = String(line)
    do {
      try text.withUTF8 { utf8 in
        var scanner = JSONScanner(UnsafeRawBufferPointer(utf8))
        try scanner.object { scanner, key in
          switch key {
          case "event": event = try scanner.string()
          case "step": step = try scanner.number()
          case "parameterHash": hash = try scanner.string()
          default: try scanner.skipValue()
          }
        }
      }
    } catch let failure as JSONScanner.Failure {
      throw DistsgdError(.badData, "'\(path)' line \(number + 1), byte \(failure.offset): \(failure.what)")
    }
    if event == "step", !hash.isEmpty { hashes.append((Int(exactly: step) ?? 0, hash)) }
  }
  return hashes
}

/// A file's text.
func readText(_ path: String) throws -> String {
  let file = try FileBytes(path)
  return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
}

/// A new folder that is removed with its files when nobody holds it any more.
private final class TemporaryFolder {
  let path: String

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    // mkdtemp replaces six letters X at the end.
    var template = Array("\(base)/distsgd-verify-\(String(repeating: "X", count: 6))".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw DistsgdError(
        .cannotCreate,
        "cannot create a folder in '\(base)': \(errorText(errno)); set TMPDIR to one that can be written to"
      )
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for file in ["metrics.jsonl", "timings.csv", "model.safetensors"] + RunTables.all.map(\.name) {
      unlink("\(path)/run/\(file)")
    }
    rmdir(path + "/run")
    unlink(path + "/log")
    rmdir(path)
  }
}
