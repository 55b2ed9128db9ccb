// Real jobs: the built program, alone or under mpirun, with what mpirun needs wherever the tests run.
import Foundation
import TestSupport
import Testing

/// All tests that start jobs. One job at a time: with more ranks than cores, two would only slow each other.
@Suite(.serialized) enum JobTests {}

/// The program under test: beside the test program, since one build makes both.
let distsgd: String = {
  let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  let candidates = [
    ProcessInfo.processInfo.environment["DISTSGD"] ?? "",
    (own as NSString).deletingLastPathComponent + "/distsgd",
    packageFolder + "/.build/release/distsgd",
  ]
  return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    ?? "distsgd, which is not built: run 'swift build -c release', or set $DISTSGD"
}()

/// A program with a layer and a schedule of its own (Tests/OwnJob), of the same build.
let ownJob = (distsgd as NSString).deletingLastPathComponent + "/own-job"

/// What Open MPI needs to run as root, with more ranks than cores, and several jobs beside other work.
let mpiEnvironment: [String: String?] = [
  "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
  "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
  "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
  "OPENBLAS_NUM_THREADS": "1", "DISTSGD_MPI": nil,
]

/// Starts the program: alone for one rank, under mpirun for more.
func start(
  program: String = distsgd, ranks: Int, _ arguments: [String], environment: [String: String?] = [:],
  directory: String? = nil
) throws -> Child {
  let environment = mpiEnvironment.merging(environment) { _, new in new }
  if ranks == 1 { return try Child(program, arguments, environment: environment, directory: directory) }
  return try Child(
    "mpirun", ["-np", "\(ranks)", program] + arguments, environment: environment, directory: directory)
}

/// Runs the program to its end.
func run(
  program: String = distsgd, ranks: Int = 1, _ arguments: [String], environment: [String: String?] = [:],
  directory: String? = nil, limit: Double = 120
) throws -> Outcome {
  try start(program: program, ranks: ranks, arguments, environment: environment, directory: directory)
    .wait(limit: limit)
}

/// What a training leaves in metrics.jsonl that must not depend on the number of ranks.
struct Trace: Equatable {
  /// Of every step: its loss, and the hash of the parameters after it.
  var losses: [Double]
  var hashes: [String]
  /// Of every evaluation and epoch.
  var evaluations: [Double]
  var finalLoss: Double
  var finalHash: String

  init(_ path: String) throws {
    let events = try readMetrics(path)
    let steps = events.filter { $0.name == "step" }
    losses = steps.map { $0.number("loss") }
    hashes = steps.map { $0.text("parameterHash") }
    evaluations = events.filter { ["evaluation", "epoch"].contains($0.name) }.map { $0.number("loss") }
    finalLoss = events.last?.number("loss") ?? .nan
    finalHash = events.last?.text("parameterHash") ?? ""
  }

  /// The first step that differs, for a message.
  func firstDifference(from other: Trace) -> String {
    if self == other { return "none" }
    for step in 0..<min(hashes.count, other.hashes.count)
    where hashes[step] != other.hashes[step] || losses[step] != other.losses[step] {
      return "step \(step + 1): loss \(losses[step]) and \(other.losses[step])"
    }
    return "\(hashes.count) and \(other.hashes.count) steps, final loss \(finalLoss) and \(other.finalLoss)"
  }
}

/// Trains with every step logged and returns its trace.
func train(
  ranks: Int, _ arguments: [String], environment: [String: String?] = [:],
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> Trace {
  let folder = TemporaryFolder()
  let outcome = try run(
    ranks: ranks, arguments + ["--log-every", "1", "--log-hashes", "--quiet", "--output", folder("run")],
    environment: environment)
  try #require(outcome.code == 0, "\(ranks) ranks: \(outcome)", sourceLocation: sourceLocation)
  return try Trace(folder("run/metrics.jsonl"))
}

/// A run that ends early on 2 ranks goes on on 4, of which one is killed, then on 3, and is computed again on 2: as if one
/// process had made it at once.
/// - Parameters:
///   - arguments: of the run, with every step logged.
///   - steps: of all of it; it ends first behind the second number, and is killed in the third.
///   - checkpoint: steps from one to the next.
func expectSameThroughAKill(
  _ arguments: [String], steps: (all: Int, first: Int, killed: Int), checkpoint: Int,
  in folder: TemporaryFolder, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let expected = try train(ranks: 1, arguments + ["--steps", "\(steps.all)"], sourceLocation: sourceLocation)
  let begun = try run(
    ranks: 2,
    arguments + [
      "--log-every", "1", "--log-hashes", "--quiet", "--steps", "\(steps.first)", "--checkpoint-every",
      "\(checkpoint)", "--output", folder("run"),
    ])
  try #require(begun.code == 0, "\(begun)", sourceLocation: sourceLocation)
  let resume = ["--resume", folder("run"), "--quiet", "--steps", "\(steps.all)"]
  let killed = try run(ranks: 4, resume + ["--inject", "kill:rank=1,step=\(steps.killed)"])
  #expect(killed.code == 137 || killed.code == 70, "\(killed)", sourceLocation: sourceLocation)
  let resumed = try run(ranks: 3, resume)
  try #require(resumed.code == 0, "\(resumed)", sourceLocation: sourceLocation)
  let found = try Trace(folder("run/metrics.jsonl"))
  let isSame = found == expected
  #expect(isSame, "\(found.firstDifference(from: expected))", sourceLocation: sourceLocation)
  let again = try run(ranks: 2, ["reproduce", folder("run")])
  #expect(again.code == 0 && again.output.contains("bit for bit"), "\(again)", sourceLocation: sourceLocation)
}
