// A sweep over the ranks of a job: runs that have ended before are taken over, the others are made, several at a time.
import DistributedSGD
import Glibc
import MPI
import NeuralNet
import Plot
import Runs
import System
import Text

/// What is asked of a sweep.
package struct SweepRequest {
  package var plan: SweepPlan
  /// The options of a run, from the words of its settings.
  package var options: (SweepPlan.Combination) throws -> TrainingOptions
  /// The words behind `sweep`.
  package var arguments: [String]
  /// The folder; of a sweep that goes on, its own.
  package var output: String?
  package var resumes = false
  package var concurrent = 1
  package var targetLoss: Double?
  package var printsJSON = false
  package var writesEvents = false
  /// Whether the last sentences alone are printed.
  package var isQuiet = false

  package init(
    plan: SweepPlan, arguments: [String], options: @escaping (SweepPlan.Combination) throws -> TrainingOptions
  ) {
    self.plan = plan
    self.arguments = arguments
    self.options = options
  }

  /// What an earlier job has noted of a sweep. Collective.
  /// - Throws: `AgreedError`.
  package static func arguments(in folder: String, over communicator: any Communicator) throws -> [String] {
    let words = try communicator.agreeingOnErrors {
      communicator.rank == 0 ? try SweepFiles(folder: folder).readCommand().arguments : []
    }
    let text = try communicator.broadcastString(words.joined(separator: "\0"), from: 0)
    return text.isEmpty ? [] : text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
  }
}

/// Runs a sweep. Collective.
package struct SweepRunner {
  private let job: any Communicator
  private let request: SweepRequest
  private let experiment: Experiment
  private let plan: SweepPlan
  private let trials: [Trial]
  private let keys: [String]
  private let files: SweepFiles
  /// Rank 0's, which is locked as long as the job works on the sweep.
  private let lockedFile: TextFile?

  /// Loads the data, and finds what is wrong with any of the runs.
  /// - Throws: `AgreedError` on every rank alike, or `MPIError`.
  package init(_ request: SweepRequest, on communicator: any Communicator) throws {
    job = communicator
    self.request = request
    guard 1...communicator.worldSize ~= request.concurrent else {
      throw AgreedError(
        DistsgdError(
          .usage,
          "--concurrent \(request.concurrent): every run needs a rank, and there are \(communicator.worldSize); give 1 to \(communicator.worldSize)"
        ))
    }
    let first = try communicator.agreeingOnErrors {
      try request.options(request.plan.combinations().first ?? [])
    }
    experiment = try Experiment(first, communicator: communicator)
    try bindRanks(first.binding, over: communicator)
    let plan = request.plan.completed(exampleCount: experiment.exampleCount)
    self.plan = plan
    let ranks = try communicator.agreeingOnErrors { () -> Int in
      guard request.resumes, communicator.rank == 0, let folder = request.output else {
        return communicator.worldSize
      }
      return try SweepFiles(folder: folder).readCommand().ranks
    }
    trials = try Self.trials(
      request, plan, experiment, shardsFor: try communicator.broadcast(ranks, from: 0), over: communicator)
    // The folder is made when nothing is wrong with any run.
    files = try Self.folder(request, experiment, first, over: communicator)
    let path = files.trials
    lockedFile = try communicator.agreeingOnErrors {
      communicator.rank == 0 ? try TrialFile.lock(path, on: communicator) : nil
    }
    keys = trials.map { trial in
      let words = trial.options.settings.filter { !Self.unheard.contains($0.key) }
      return hexadecimal(
        Array(Settings.arguments(words).joined(separator: "\0").utf8).withUnsafeBytes { xxh64($0) })
    }
  }

  /// What changes nothing of a result.
  private static let unheard: Set = [
    "--timeout", "--check-every", "--log-every", "--log-hashes", "--keep", "--tensorboard",
    "--bucket-size", "--messages",
  ]

  /// Makes the folder, or finds that of a sweep which goes on.
  private static func folder(
    _ request: SweepRequest, _ experiment: Experiment, _ options: TrainingOptions, over job: any Communicator
  ) throws -> SweepFiles {
    let folder = try job.agreeingOnErrors { () -> String in
      guard job.rank == 0 else { return "" }
      let kernel = options.arithmetic == .blas ? BLAS.kernelName : options.arithmetic.rawValue
      var command = SweepFiles.Command(
        arguments: request.arguments, ranks: job.worldSize, fingerprint: experiment.fingerprint,
        kernel: kernel)
      guard request.resumes, let folder = request.output else {
        let folder = try ReportFiles(creating: request.output).folder
        let files = SweepFiles(folder: folder)
        guard FileIdentity(at: files.trials) == nil, FileIdentity(at: files.command) == nil else {
          throw DistsgdError(
            .cannotCreate,
            "--output: '\(folder)' already holds a sweep; name another folder, or go on with it by --resume"
          )
        }
        try files.write(command)
        return folder
      }
      let before = try SweepFiles(folder: folder).readCommand()
      if before.fingerprint != command.fingerprint {
        throw DistsgdError(
          .badData,
          "--resume: the data are not those of the sweep in '\(folder)' (fingerprint \(command.fingerprint), it had \(printable(before.fingerprint))); give it the same, or start a new sweep"
        )
      }
      if before.kernel != kernel {
        throw DistsgdError(
          .usage,
          "--resume: the sweep in '\(folder)' was computed by \(printable(before.kernel)), and this is \(kernel): its runs could not be compared; compute by the same, or start a new sweep"
        )
      }
      command.ranks = before.ranks
      try SweepFiles(folder: folder).write(command)
      return folder
    }
    return SweepFiles(folder: try job.broadcastString(folder, from: 0))
  }

  /// - Parameter ranks: of the job that began the sweep. The default number of shards depends on them, and not on the
  ///   ranks that a run gets: so its bits are the same, however many runs are made at a time.
  private static func trials(
    _ request: SweepRequest, _ plan: SweepPlan, _ experiment: Experiment, shardsFor ranks: Int,
    over job: any Communicator
  ) throws -> [Trial] {
    let trials = try job.agreeingOnErrors {
      try plan.combinations().map { combination in
        let name = SweepPlan.name(combination)
        var options: TrainingOptions
        do { options = try request.options(combination) } catch let error as DistsgdError {
          throw DistsgdError(error.code, "\(name): \(error)")
        }
        options.evaluateEvery = options.evaluateEvery ?? max(1, experiment.exampleCount / 10)
        options.isQuiet = true
        options.writesEvents = false
        options.shards = options.shardCount(ranks: max(ranks, job.worldSize))
        // The ranks are bound once, for all runs.
        options.binding = .none
        var trial = Trial(name, group: SweepPlan.name(combination.filter { $0.name != "seed" }), options)
        trial.settings = combination
        return trial
      }
    }
    for trial in trials { try experiment.check(trial) }
    return trials
  }

  /// - Throws: `AgreedError` on every rank alike, also when a signal has come; `DistsgdError` on some ranks; `MPIError`.
  package func run() throws {
    let known = Dictionary(zip(keys, trials)) { first, _ in first }
    var told = SweepTelling(request, files, known)
    let isDone = try done(&told)
    let pending = trials.indices.filter { !isDone[$0] }
    if job.rank == 0 && !request.printsJSON && !request.isQuiet { tellStart(pending.count) }
    if job.rank == 0 { told.tell() }
    StopSignal.catchAll()
    let isStopped = try make(pending, &told)
    let anyIsStopped = try job.allReduce(isStopped ? 1 : 0, .maximum) == 1
    try job.agreeingOnErrors {
      guard job.rank == 0 else { return }
      told.tell()
      let results = keys.compactMap { told.results[$0] }
      try write(results, isWhole: !anyIsStopped)
    }
    if anyIsStopped {
      let count = try job.broadcast(told.results.count, from: 0)
      let launch = Launcher.words(ranks: job.worldSize, in: currentEnvironment())
      throw AgreedError(
        DistsgdError(
          .stopped,
          "stopped after \(count) of \(trials.count) runs; go on with: \(launch)distsgd sweep --resume \(files.folder)"
        ))
    }
  }

  /// Which trials an earlier job has made; the same on all ranks.
  private func done(_ told: inout SweepTelling) throws -> [Bool] {
    if job.rank == 0 { told.read() }
    let bytes = keys.map { UInt8(told.results[$0] == nil ? 0 : 1) }
    return try job.broadcastBytes(bytes, from: 0).map { $0 == 1 }
  }

  private func tellStart(_ pending: Int) {
    let ranks = job.worldSize
    let shards = trials.compactMap(\.options.shards).max() ?? 1
    standardOutput("Sweep: \(trials.count) run\(trials.count == 1 ? "" : "s")")
    standardOutput("data: \(experiment.dataSummary)")
    standardOutput(
      "\(ranks) process\(ranks == 1 ? "" : "es"), at most \(shards) shard\(shards == 1 ? "" : "s") a batch, OpenBLAS kernel \(BLAS.kernelWords)"
    )
    if request.concurrent > 1 {
      standardOutput("\(request.concurrent) runs at a time, each on a part of the ranks")
    }
    if pending < trials.count { standardOutput("\(trials.count - pending) of them were made before") }
    standardOutput("")
  }

  /// Makes the runs that are left.
  /// - Returns: whether this rank's group was stopped by a signal.
  private func make(_ pending: [Int], _ told: inout SweepTelling) throws -> Bool {
    let parts = min(request.concurrent, max(1, pending.count))
    let counter = job.topology.serverCount == 1 ? try SharedCounter(over: job) : nil
    let number = job.rank * parts / job.worldSize
    let group =
      parts == 1 ? job : try (job as? MPICommunicator).map { try MPICommunicator(number + 1, of: $0) } ?? job
    let file = try job.agreeingOnErrors { () -> TextFile? in
      guard group.rank == 0, !pending.isEmpty else { return nil }
      return try lockedFile ?? TrialFile.open(files.trials, on: job)
    }
    // The first run of a process pays for pages and caches that later ones find warm.
    if let first = pending.first {
      do { _ = try experiment.run(trials[first].warmUp, on: group) } catch let error as AgreedError {
        if error.error.code == .stopped { return true }
        throw parts == 1 ? error : error.error
      }
    }
    let events =
      request.writesEvents
      ? SweepEvents(in: files.folder, plan.axes, hasValidation: experiment.hasValidation) : nil
    try job.agreeingOnErrors { if job.rank == 0 { try events?.begin() } }
    var round = 0
    var isStopped = false
    Stages.begin(max(1, pending.count), isTold: job.rank == 0)
    defer { Stages.end() }
    while !isStopped {
      // One server's groups take what is next; those of several servers have their turns.
      let next = try group.broadcast(
        group.rank == 0 ? counter?.next() ?? round * parts + number : 0, from: 0)
      round += 1
      guard next < pending.count else { break }
      let index = pending[next]
      Stages.go(to: next, trials[index].name)
      do {
        let result = try experiment.run(trials[index], timedFor: parts == 1 ? 0.03 : 0, on: group)
        if group.rank == 0 { try events?.write(result, number: index + 1) }
        if let file { try file.append(result.line(key: keys[index], number: index + 1).description + "\n") }
      } catch let error as AgreedError {
        // The other groups do not know of an error of this one's.
        guard error.error.code == .stopped else { throw parts == 1 ? error : error.error }
        isStopped = true
      }
      if try group.allReduce(StopSignal.hasCome ? 1 : 0, .maximum) == 1 { isStopped = true }
      if job.rank == 0 { told.tell() }
    }
    if isStopped { counter?.exhaust() }
    // A signal during the last run has nothing left to stop.
    if parts > 1 { try group.finalize() }
    return isStopped
  }

  private func write(_ results: [TrialResult], isWhole: Bool) throws {
    let folder = try ReportFiles(creating: files.folder)
    let reading = SweepReading(
      plan.axes, results, targetLoss: request.targetLoss, concurrent: request.concurrent)
    try folder.write(reading.trialsCSV, as: "trials.csv")
    if let means = reading.meansCSV { try folder.write(means, as: "means.csv") }
    try folder.write(reading.curvesCSV, as: "sweep.csv")
    guard isWhole else { return }
    let shown = reading.reading
    for (name, plot) in shown.figures { try folder.write(plot.svg(), as: "\(name).svg") }
    let page = HTMLPage(
      title: "Sweep", sections: [HTMLPage.Section(heading: experiment.dataSummary, blocks: shown.blocks)])
    try folder.write(page.html, as: "sweep.html")
    guard !request.printsJSON else { return }
    standardOutput(request.isQuiet ? String(shown.words.dropLast()) : "\n" + shown.text)
    if request.isQuiet { return }
    let names =
      shown.figures.map { "\($0.name).svg" } + ["sweep.html", "trials.csv"]
      + (reading.meansCSV == nil ? [] : ["means.csv"]) + ["sweep.csv"]
    standardOutput("files: \(visible(folder.folder))/ \(names.joined(separator: ", "))")
  }
}

/// The results so far, as rank 0 finds them in the file, and prints them.
private struct SweepTelling {
  private(set) var results: [String: TrialResult] = [:]
  private let files: SweepFiles
  private let trials: [String: Trial]
  private let printsJSON: Bool
  private let isQuiet: Bool
  private var offset = 0
  private var untold: [TrialResult] = []

  init(_ request: SweepRequest, _ files: SweepFiles, _ trials: [String: Trial]) {
    self.files = files
    self.trials = trials
    printsJSON = request.printsJSON
    isQuiet = request.isQuiet
  }

  mutating func read() {
    for (key, result) in files.results(from: &offset, trials: trials) where results[key] == nil {
      results[key] = result
      untold.append(result)
    }
  }

  mutating func tell() {
    read()
    for result in untold where printsJSON || !isQuiet {
      standardOutput(printsJSON ? result.json.description : "\(result.name): \(result.line)")
    }
    untold = []
  }
}

private enum TrialFile {
  /// The file that all groups append to, each line by one write.
  static func open(_ path: String, on job: any Communicator) throws -> TextFile {
    guard let place = OpenFolder(parentFolder(path), followsLink: true) else {
      throw DistsgdError(
        .cannotCreate,
        "--concurrent: the sweep's folder '\(parentFolder(path))' is not there on \(job.hostName): name one that all servers share by --output, or make one run at a time"
      )
    }
    if FileIdentity(at: path) == nil, let file = try? TextFile(creating: path, in: place) { return file }
    return try TextFile(continuing: path, in: place)
  }

  /// Takes the file for this job, and half a line away that a killed one has left: what comes behind it would be lost.
  static func lock(_ path: String, on job: any Communicator) throws -> TextFile {
    let file = try open(path, on: job)
    let deadline = monotonicSeconds() + 10
    while !file.lock() {
      guard monotonicSeconds() < deadline else {
        throw DistsgdError(
          .cannotCreate,
          "the sweep in '\(parentFolder(path))' is still going on; wait for its end, or stop it")
      }
      usleep(20_000)
    }
    let bytes = try FileBytes(path, takesPipe: false)
    let whole = withExtendedLifetime(bytes) {
      bytes.bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }
    if file.size > whole { try file.truncate(to: whole) }
    return file
  }
}

extension Trial {
  /// A short run of the same kind.
  var warmUp: Trial {
    var trial = self
    trial.options.epochs = 1
    trial.options.steps = min(trial.options.steps ?? 20, 20)
    trial.options.evaluateEvery = nil
    return trial
  }
}
