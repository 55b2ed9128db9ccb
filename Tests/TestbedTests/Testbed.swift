// Starts launch/testbed, and reads what a job has written.
import Foundation
import System
import Testing

enum Testbed {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The program of the same build as the tests.
  static var program: String {
    #if DEBUG
      let build = "debug"
    #else
      let build = "release"
    #endif
    return ProcessInfo.processInfo.environment["DISTSGD"] ?? "\(root)/.build/\(build)/distsgd"
  }

  /// Whether this machine lets us make hosts. Where not, the reason goes to the terminal: a test that did not
  /// run must not look like one that passed.
  static let isPossible: Bool = {
    let result = try? command("check")
    if result?.outcome == .exited(0) { return true }
    FileHandle.standardError.write(
      Data(
        "\n*** TestbedTests DID NOT RUN: no job ran on several servers. ***\n\(result?.text ?? "")\n".utf8))
    return false
  }()

  /// Runs launch/testbed with words that have no spaces in them.
  static func command(_ words: String) throws -> (outcome: ChildOutcome, text: String) {
    try run(root + "/launch/testbed", words.split(separator: " ").map(String.init))
  }

  /// Runs a script with mounts and a network of its own, as a root that may be root only there.
  static func shell(_ script: String) throws -> (outcome: ChildOutcome, text: String) {
    let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
    return try run("unshare", user + ["--mount", "--net", "bash", "-e", "-c", script])
  }

  private static func run(
    _ program: String, _ arguments: [String]
  ) throws -> (outcome: ChildOutcome, text: String) {
    let folder = try TemporaryFolder()
    let outcome = runChild(
      program, arguments,
      environment: ["DISTSGD": Self.program, "TESTBED_ROOT": root, "TESTBED_OUTPUT": folder.path],
      output: folder.path + "/log")
    return (outcome, try String(contentsOfFile: folder.path + "/log", encoding: .utf8))
  }
}

/// What a training job has written to metrics.jsonl.
struct Job {
  /// The arguments of distsgd.
  let arguments: [String]
  let run: [String: Any]
  /// The parameters' hash after each step, and at the end.
  let hashes: [String]
  let losses: [Double]

  /// Runs `words` of `launch/testbed run`, for a few steps.
  init(_ words: String, steps: Int) throws {
    let words = words.split(separator: " ").map(String.init)
    let placement = try #require(words.firstIndex { $0.first?.isNumber ?? false })
    try self.init(
      Testbed.root + "/launch/testbed", ["run"] + words[...placement],
      words[(placement + 1)...] + ["--steps", "\(steps)"])
  }

  /// Runs a single process.
  init(shards: Int, arguments: [String]) throws {
    try self.init(Testbed.program, [], arguments + ["--shards", "\(shards)"])
  }

  private init(_ program: String, _ start: [String], _ arguments: [String]) throws {
    self.arguments = arguments
    let folder = try TemporaryFolder()
    let output = ["--quiet", "--log-every", "1", "--log-hashes", "--output", folder.path + "/run"]
    let outcome = runChild(
      program, start + arguments + output, environment: ["DISTSGD": Testbed.program],
      output: folder.path + "/log")
    let text = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
    try #require(outcome == .exited(0), "\(start) \(arguments): \(text)")
    let events = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
    run = try #require(events.first { $0["event"] as? String == "run" })
    hashes = events.compactMap { $0["parameterHash"] as? String }
    losses = events.filter { $0["event"] as? String != "run" }.compactMap { $0["loss"] as? Double }
  }
}

/// A folder that vanishes with the value's owner.
private final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "distsgd-testbed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
