import ArgumentParser
import Runs
import System
import Text

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prove that the bits do not depend on the number of ranks.",
    discussion: """
      Runs the job at each number of ranks (starting mpirun itself) and compares the parameters' hashes after \
      every step. Takes the options of train. The number of shards is that of the job with the most ranks.
      """)

  @Option(help: ArgumentHelp("The numbers of ranks, by commas.", valueName: "p,…"))
  var ranks = "1,2,3,4,8"

  @Flag(help: "Print one JSON object with every hash.")
  var json = false

  @OptionGroup var train: TrainArguments

  func run() throws {
    let counts = try rankCounts()
    var options = train.options
    let shards = options.shardCount(ranks: counts.max()!)
    options.shards = shards
    try options.validate(worldSize: counts.max()!)
    guard options.output == nil else {
      throw DistsgdError(.usage, "--output: verify keeps no files; leave it out")
    }
    var verification = Verification(shards: shards)
    if !json {
      standardOutput(
        "ranks   steps   hash after the last step   against \(counts[0]) rank\(counts[0] == 1 ? "" : "s")")
    }
    let executable = executablePath()
    let arguments = trainArguments(of: commandWords())
    for count in counts {
      try verification.run(ranks: count, executable: executable, trainArguments: arguments)
      let difference = verification.difference
      if !json {
        let hashes = verification.jobs.last!.hashes
        let verdict = difference.map { "differs from step \($0.step) on" } ?? "every step the same"
        standardOutput(
          "\(padded("\(count)", 5))   \(padded("\(hashes.count)", 5))   \(hashes.last ?? "-")           \(verdict)"
        )
      }
      if let difference {
        throw DistsgdError(
          .internal,
          "the parameters at \(count) ranks differ after step \(difference.step): hash \(difference.hash), expected \(difference.expected)"
        )
      }
    }
    if json { printJSON(verification) } else { standardOutput(summary(verification)) }
  }

  private func rankCounts() throws -> [Int] {
    let counts = ranks.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard counts.allSatisfy({ $0 >= 1 }) else {
      throw DistsgdError(.usage, "--ranks \(ranks): must be numbers from 1 up, such as 1,2,3,4,8")
    }
    try NumberRange.verifiedRanks.check(counts)
    return counts
  }

  /// The words of the command line that `train` is to have: all but what verify sets itself.
  private func trainArguments(of words: [String]) -> [String] {
    let ownFlags: Set = ["--json", "--quiet", "--log-hashes"]
    let ownOptions: Set = ["--ranks", "--shards", "--log-every"]
    var words = words[...]
    var result: [String] = []
    while let word = words.popFirst() {
      if word == "verify" && result.isEmpty || ownFlags.contains(word) { continue }
      if ownOptions.contains(word) {
        _ = words.popFirst()
      } else if !ownOptions.contains(where: { word.hasPrefix($0 + "=") }) {
        result.append(word)
      }
    }
    return result
  }

  private func summary(_ verification: Verification) -> String {
    let steps = verification.jobs[0].hashes.count
    let ranks = verification.jobs.map { "\($0.ranks)" }.joined(separator: ", ")
    return "verified: \(steps) steps, \(verification.shards) shards, one hash per step at \(ranks) ranks"
  }

  private func printJSON(_ verification: Verification) {
    var line = JSONLine()
    line["shards"] = verification.shards
    line["identical"] = true
    line["ranks"] = verification.jobs.map(\.ranks)
    line["hashes"] = verification.jobs[0].hashes
    standardOutput(line.description)
  }
}
