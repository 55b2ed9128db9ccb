// What an environment tells of the launcher: Open MPI's, Slurm's, another MPI's, none.
import MPI
import Testing

/// What such launchers set, as their ranks find it.
private enum Words {
  static let mpirun = ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2", "PMIX_RANK": "2"]
  static let srun = ["SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "4", "SLURM_PROCID": "2"]
  static let srunPMIx = srun.merging(["PMIX_RANK": "2", "PMIX_NAMESPACE": "slurm.pmix.7.0"]) { $1 }
  static let srunPMI2 = srun.merging(["PMI_RANK": "2", "PMI_SIZE": "4", "PMI_FD": "9"]) { $1 }
  /// A batch script's own process.
  static let sbatch = ["SLURM_NTASKS": "4", "SLURM_JOB_ID": "7", "SLURM_PROCID": "0"]
  static let mpich = [
    "PMI_RANK": "2", "PMI_SIZE": "4", "PMI_FD": "9", "MPI_LOCALNRANKS": "4", "MPI_LOCALRANKID": "2",
  ]
  /// MPICH's with PMIx, MVAPICH's own.
  static let hydra = ["MPI_LOCALNRANKS": "4", "MPI_LOCALRANKID": "2"]
  static let mvapich = ["MV2_COMM_WORLD_SIZE": "4", "MV2_COMM_WORLD_RANK": "2"]
}

/// An environment, and what is to be found in it.
struct Surroundings: Sendable, CustomTestStringConvertible {
  let name: String
  let environment: [String: String]
  let launcher: Launcher
  let processes: Int?
  let isFirst: Bool

  init(
    _ name: String, _ environment: [String: String], _ launcher: Launcher, _ processes: Int?, isFirst: Bool
  ) {
    self.name = name
    self.environment = environment.merging(["PATH": "/bin", "HOME": "/root"]) { $1 }
    self.launcher = launcher
    self.processes = processes
    self.isFirst = isFirst
  }

  var testDescription: String { name }
}

@Suite struct LauncherTests {
  @Test(arguments: [
    Surroundings("a shell", [:], .none, nil, isFirst: true),
    Surroundings("mpirun", Words.mpirun, .mpi, 4, isFirst: false),
    Surroundings("srun without PMI", Words.srun, .slurmWithoutPMI(tasks: 4), 4, isFirst: false),
    Surroundings("srun --mpi=pmix", Words.srunPMIx, .mpi, 4, isFirst: false),
    Surroundings("srun --mpi=pmi2", Words.srunPMI2, .slurmWithOldPMI(tasks: 4), 4, isFirst: false),
    Surroundings(
      "srun --mpi=pmi2 of one task",
      Words.srunPMI2.merging(["SLURM_STEP_NUM_TASKS": "1", "PMI_SIZE": "1"]) { $1 }, .none, 1, isFirst: false),
    Surroundings("a batch script of Slurm's", Words.sbatch, .none, nil, isFirst: true),
    Surroundings("MPICH's mpiexec", Words.mpich, .mpi, 4, isFirst: false),
    Surroundings("Hydra without PMI's words", Words.hydra, .mpi, 4, isFirst: false),
    Surroundings("MVAPICH's mpirun_rsh", Words.mvapich, .mpi, 4, isFirst: false),
  ])
  func launchers(_ surroundings: Surroundings) {
    #expect(Launcher.find(in: surroundings.environment) == surroundings.launcher)
    #expect(Launcher.processes(in: surroundings.environment) == surroundings.processes)
    #expect(Launcher.isFirst(in: surroundings.environment) == surroundings.isFirst)
  }

  /// One word alone is enough.
  @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"], ["0", "1", "", "x"])
  func wordsOfOpenMPI(_ name: String, _ value: String) {
    #expect(Launcher.find(in: [name: value]) == .mpi)
    #expect(
      Launcher.find(in: Words.srun.merging([name: value]) { $1 })
        == (name == "PMI_RANK" ? .slurmWithOldPMI(tasks: 4) : .mpi))
  }

  /// Who goes on is started as the job was.
  @Test func wordsInFrontOfTheProgram() {
    #expect(Launcher.words(ranks: 1, in: Words.srunPMIx) == "")
    #expect(Launcher.words(ranks: 4, in: Words.srunPMIx) == "srun --mpi=pmix -n 4 ")
    #expect(Launcher.words(ranks: 4, in: Words.mpirun) == "mpirun -np 4 ")
    // mpirun has a step of Slurm's start its daemons on other nodes.
    let both = Words.srun.merging(Words.mpirun) { $1 }.merging(["PMIX_NAMESPACE": "1234"]) { $1 }
    #expect(Launcher.words(ranks: 4, in: both) == "mpirun -np 4 ")
  }

  @Test(arguments: ["PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE"])
  func anotherMPIHasSeveralProcesses(_ name: String) {
    #expect(Launcher.find(in: [name: "2"]) == .mpi)
    for value in ["1", "0", "-2", "", "two", "2 processes", "2.0", "99999999999999999999"] {
      #expect(Launcher.find(in: [name: value]) == .none, "\(name)=\(value)")
    }
  }

  /// Slurm's own count tells more: its tasks may be offered PMI's size and no way to use it.
  @Test(arguments: ["PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE"])
  func aStepOfSlurmIsNoOtherMPI(_ name: String) {
    #expect(Launcher.find(in: Words.srun.merging([name: "4"]) { $1 }) == .slurmWithoutPMI(tasks: 4))
    #expect(Launcher.find(in: [name: "4", "SLURM_STEP_NUM_TASKS": "1"]) == .none)
  }

  @Test func aStepOfOneTaskIsAlone() {
    for value in ["1", "0", "-4", "", "four", "4 tasks", "4.0"] {
      #expect(Launcher.find(in: ["SLURM_STEP_NUM_TASKS": value]) == .none, "\(value)")
    }
    #expect(Launcher.find(in: ["SLURM_STEP_NUM_TASKS": "2"]) == .slurmWithoutPMI(tasks: 2))
    #expect(Launcher.find(in: ["SLURM_STEP_NUM_TASKS": "4096"]) == .slurmWithoutPMI(tasks: 4096))
  }

  @Test func aUserMayAskForMPI() {
    #expect(Launcher.find(in: ["DISTSGD_MPI": "1"]) == .mpi)
    #expect(Launcher.find(in: Words.srun.merging(["DISTSGD_MPI": "1"]) { $1 }) == .mpi)
    for value in ["", "0", "true", "2"] {
      #expect(Launcher.find(in: ["DISTSGD_MPI": value]) == .none, "\(value)")
    }
  }

  /// The inner launcher counts; a word that is no number counts for nothing.
  @Test func whoStartedLastIsAskedFirst() {
    let names = [
      "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
    ]
    var environment = Dictionary(uniqueKeysWithValues: zip(names, ["11", "12", "13", "14", "15"]))
    for (index, name) in names.enumerated() {
      #expect(Launcher.processes(in: environment) == 11 + index)
      environment[name] = "many"
    }
    #expect(Launcher.processes(in: environment) == nil)
  }

  @Test func oneRankSpeaks() {
    let names = [
      "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_RANK",
      "SLURM_PROCID",
    ]
    for (index, name) in names.enumerated() {
      #expect(Launcher.isFirst(in: [name: "0"]))
      #expect(!Launcher.isFirst(in: [name: "1"]), "\(name)")
      #expect(Launcher.isFirst(in: [name: ""]), "\(name)")
      // Outer launchers may have started this one as any of theirs.
      let outer = Dictionary(uniqueKeysWithValues: names[(index + 1)...].map { ($0, "3") })
      #expect(Launcher.isFirst(in: outer.merging([name: "0"]) { $1 }), "\(name)")
    }
    #expect(!Launcher.isFirst(in: ["OMPI_COMM_WORLD_RANK": "x", "PMIX_RANK": "1"]))
  }
}
