// Who started this process: a shell, or a launcher of many ranks.
import Glibc

/// What the environment tells of the launcher.
package enum Launcher: Equatable, Sendable {
  /// Started alone: a job of one process.
  case none
  /// Started by something that speaks PMI or PMIx to MPI: `mpirun`, or `srun --mpi=…`.
  case mpi
  /// Started by `srun` as one of several tasks, but without the means to find each other.
  case slurmWithoutPMI(tasks: Int)
  /// The same with PMI-1 or PMI-2, which not every Open MPI has learnt; Debian's knows PMIx alone.
  case slurmWithOldPMI(tasks: Int)

  /// Recognises Open MPI's `mpirun` (OMPI_COMM_WORLD_SIZE), PMIx (PMIX_RANK) and PMI (PMI_RANK), and a
  /// Slurm step of several tasks that offers none of them. `DISTSGD_MPI=1` asks for MPI without a
  /// launcher (an MPI singleton).
  package static func find(in environment: [String: String]) -> Launcher {
    if environment["OMPI_COMM_WORLD_SIZE"] != nil || environment["PMIX_RANK"] != nil { return .mpi }
    if environment["PMI_RANK"] != nil {
      guard let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap(Int.init) else { return .mpi }
      return tasks > 1 ? .slurmWithOldPMI(tasks: tasks) : .none
    }
    // Another MPI's launcher, without a word that Open MPI would take up.
    if let processes = processes(in: environment), processes > 1, environment["SLURM_STEP_NUM_TASKS"] == nil {
      return .mpi
    }
    if environment["DISTSGD_MPI"] == "1" { return .mpi }
    if let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap(Int.init), tasks > 1 {
      return .slurmWithoutPMI(tasks: tasks)
    }
    return .none
  }

  /// How many processes the launcher has started together, by its own account: Open MPI's, MPICH's and Intel's (Hydra),
  /// MVAPICH's, Slurm's. Those of one that another one has started are asked first.
  package static func processes(in environment: [String: String]) -> Int? {
    for name in [
      "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
    ] {
      if let count = environment[name].flatMap(Int.init) { return count }
    }
    return nil
  }

  /// What starts a job of `ranks` as this one was started, to be written in front of the program.
  package static func words(ranks: Int, in environment: [String: String]) -> String {
    guard ranks > 1 else { return "" }
    // The namespace is that of who started the tasks, also where mpirun runs within a step of Slurm's.
    return environment["PMIX_NAMESPACE"]?.hasPrefix("slurm.") == true
      ? "srun --mpi=pmix -n \(ranks) " : "mpirun -np \(ranks) "
  }

  /// Whether this is the first of the processes: the one to tell what is wrong with all of them.
  package static func isFirst(in environment: [String: String]) -> Bool {
    for name in [
      "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_RANK",
      "SLURM_PROCID",
    ] {
      if let rank = environment[name].flatMap(Int.init) { return rank == 0 }
    }
    return true
  }
}
