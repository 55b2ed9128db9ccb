// A job that starts itself: the program becomes mpirun, which starts the program's ranks.
import Glibc
import MPI
import Runs
import System
import Text

extension StartArguments {
  private static let names = ["--ranks", "--hosts", "--hostfile"]

  /// Becomes the job that the command line asks for; returns where it asks for none, or this is one of its ranks.
  static func startRanks(_ commandLine: [String], in environment: [String: String]) throws {
    let words = Array(commandLine.dropFirst())
    guard Launcher.find(in: environment) == .none, startsRanks(words.first) else { return }
    var (values, others) = try taken(from: words)
    // A file of options may ask for ranks too. They read it again, unless it does.
    let ofFiles = try taken(from: ConfigWords(others, over: SingleProcessCommunicator()).words)
    if !ofFiles.values.isEmpty {
      values = ofFiles.values.merging(values) { $1 }
      others = ofFiles.others
    }
    guard !values.isEmpty else { return }
    // One rank is what this process is already, and what a plan asks for that is to be of one alone.
    if words.first == PlanCommand._commandName, values == ["--ranks": "1"] { return }
    if values["--hosts"] != nil || values["--hostfile"] != nil { try examine(values) }
    try start(values, command: [executablePath()] + others).become()
  }

  /// Becomes a job with a rank on each core of this machine; returns where that is one, or there is no mpirun.
  static func startOnAllCores() throws {
    guard availablePhysicalCores() > 1 else { return }
    let start = RankStart(
      ranks: nil, on: .here(isBound: true), command: [executablePath()] + CommandLine.arguments.dropFirst())
    do { try start.become() } catch let error as DistsgdError where error.code == .noInput {
      standardError("distsgd: note: \(error); this plan is of one rank alone")
    }
  }

  /// Looks at the hosts first: what keeps a job from running there is told before it hangs or is slow.
  private static func examine(_ values: [String: String]) throws {
    let (outcome, words) = try start(values, command: [executablePath(), DoctorCommand._commandName]).heard()
    guard !outcome.isSuccess else { return }
    if outcome == .notFound { throw RankStart.notInstalled }
    for line in words.split(separator: "\n") where !line.hasPrefix("ok ") { standardError(String(line)) }
    throw DistsgdError(
      .internal,
      "the hosts are not ready, as above; mend that, or start the ranks by mpirun without this check")
  }

  /// Whether a command has these options; the first word names it, or is an option of `train`.
  private static func startsRanks(_ word: String?) -> Bool {
    guard let word, !word.hasPrefix("-") else { return true }
    return ["train", "chapter", "sweep", PlanCommand._commandName].contains(word)
  }

  /// The values of these options by their names, and all other words.
  private static func taken(from words: [String]) throws -> (values: [String: String], others: [String]) {
    var values: [String: String] = [:]
    var others: [String] = []
    var words = words[...]
    while let word = words.popFirst() {
      if let name = names.first(where: { word.hasPrefix($0 + "=") }) {
        values[name] = String(word.dropFirst(name.count + 1))
      } else if names.contains(word) {
        guard let value = words.popFirst() else {
          throw DistsgdError(.usage, "\(word): its value is missing; see 'distsgd --help'")
        }
        values[word] = value
      } else {
        others.append(word)
      }
    }
    return (values, others)
  }

  private static func start(_ values: [String: String], command: [String]) throws -> RankStart {
    let count = try values["--ranks"].flatMap { try rankCount($0) }
    switch (values["--hosts"], values["--hostfile"]) {
    case (nil, nil): return RankStart(ranks: count, on: .here(isBound: true), command: command)
    case (let hosts?, nil):
      let places = try places(on: hosts)
      guard count ?? 1 <= places else {
        throw DistsgdError(
          .usage,
          "--ranks \(count ?? 1): --hosts has places for \(places) alone; raise the numbers behind the hosts")
      }
      return RankStart(ranks: count, on: .hosts(hosts), command: command)
    case (nil, let file?):
      guard pathKind(file) == .file else {
        throw DistsgdError(.noInput, "--hostfile '\(visible(file))': there is no such file")
      }
      return RankStart(ranks: count, on: .hostfile(file), command: command)
    default: throw DistsgdError(.usage, "--hosts and --hostfile both say where the ranks run; leave one out")
    }
  }

  /// - Returns: nil for one on each core.
  private static func rankCount(_ text: String) throws -> Int? {
    if text == "cores" { return nil }
    guard let count = Int(text), 1...100_000 ~= count else {
      throw DistsgdError(
        .usage, "--ranks '\(visible(text))': should be a number from 1 up, or cores: one for each core")
    }
    return count
  }

  private static func places(on hosts: String) throws -> Int {
    try hosts.split(separator: ",", omittingEmptySubsequences: false).reduce(0) { places, host in
      let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let count = parts.count == 1 ? 1 : Int(parts[1]) ?? 0
      guard !parts[0].isEmpty, !parts[0].hasPrefix("-"), 1...100_000 ~= count else {
        throw DistsgdError(
          .usage,
          "--hosts: '\(visible(String(host)))' should be a host and its number of ranks, as in node01:8,node02:8"
        )
      }
      return places + count
    }
  }
}

/// The file of this program.
func executablePath() -> String {
  var path = [CChar](repeating: 0, count: Int(PATH_MAX))
  let length = readlink("/proc/self/exe", &path, path.count)
  guard length > 0 else { return CommandLine.arguments[0] }
  return String(decoding: path[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
}
