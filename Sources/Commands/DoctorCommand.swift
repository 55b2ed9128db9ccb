import ArgumentParser
import Doctor
import Glibc
import MPI
import Runs
import System
import Text

struct DoctorCommand: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Tell what is wrong with this machine, or this job, and the command that mends it.",
    discussion: """
      Alone it looks at the machine and starts a job of its own; under mpirun or srun it looks at all hosts and \
      ranks of the job. One line a finding. Ends with 1 where something keeps jobs from running, else with 0.
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Ranks that are to be started on this machine. (default: 8; those of the job under mpirun)",
      valueName: "p"))
  var ranks: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run(on communicator: any Communicator) throws {
    try communicator.agreeingOnErrors { try NumberRange.verifiedRanks.check(ranks) }
    let examination = Examination(
      over: communicator, wantedRanks: ranks ?? strayTasks ?? 8, strayTasks: strayTasks)
    let report = try examination.report(
      program: shellWord(CommandLine.arguments[0]), executable: executablePath())
    if let report { standardOutput(json ? report.json.description : report.text) }
    if try communicator.broadcast(report?.hasFault == true ? 1 : 0, from: 0) == 1 { throw FaultsFound() }
  }

  /// Tasks of an `srun` that gives them no means to find each other: the first of them is to say so, alone, and no error
  /// is to end it before.
  static func prepare() {
    guard CommandLine.arguments.dropFirst().first == configuration.commandName, strayTasks != nil else {
      return
    }
    guard Launcher.isFirst(in: currentEnvironment()) else { Glibc.exit(FaultsFound().code) }
    for name in ["SLURM_STEP_NUM_TASKS", "PMI_RANK"] { unsetenv(name) }
  }
}

/// Read before `prepare` hides them.
private let strayTasks: Int? = {
  switch Launcher.find(in: currentEnvironment()) {
  case .slurmWithoutPMI(let tasks): return tasks
  case .slurmWithOldPMI(let tasks) where OpenMPIParts.speaksOldPMI == false: return tasks
  default: return nil
  }
}()

/// The findings have told it all.
private struct FaultsFound: ToldEnd {
  let code: Int32 = 1
  func tell() {}
}
