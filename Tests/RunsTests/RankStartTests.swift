// How ranks are started on machines of any kind.
import Runs
import Testing

@Suite struct RankStartTests {
  private func start(
    _ ranks: Int?, on place: RankStart.Place = .here(isBound: true), cores: Int = 4, cpus: Int = 8,
    isRoot: Bool = false, isContainer: Bool = false
  ) -> RankStart {
    RankStart(
      ranks: ranks, on: place,
      RankStart.Machine(cores: cores, cpus: cpus, isRoot: isRoot, isContainer: isContainer),
      command: ["/bin/distsgd", "--seed", "1"])
  }

  @Test func oneRankNeedsNoLauncher() {
    let alone = start(1, isRoot: true)
    #expect(alone.program == "/bin/distsgd" && alone.arguments == ["--seed", "1"])
    #expect(alone.environment.isEmpty)
  }

  @Test(
    arguments: [
      (2, "--map-by slot:PE=2 --bind-to core"), (3, "--map-by slot:PE=1 --bind-to core"),
      (4, "--map-by slot:PE=1 --bind-to core"), (5, "--use-hwthread-cpus --bind-to hwthread"),
      (8, "--use-hwthread-cpus --bind-to hwthread"), (9, "--oversubscribe --bind-to none"),
    ] as [(Int, String)])
  func places(_ ranks: Int, _ words: String) {
    let found = start(ranks)
    #expect(found.program == "mpirun")
    #expect(found.arguments.joined(separator: " ") == "-np \(ranks) \(words) /bin/distsgd --seed 1")
    #expect((found.environment["OMPI_MCA_mpi_yield_when_idle"] == "1") == (ranks > 8))
    let free = start(ranks, on: .here(isBound: false)).arguments
    #expect(free.contains("none") && !free.contains("core"))
  }

  @Test func oneForEachCore() {
    #expect(start(nil).arguments.prefix(2) == ["-np", "4"])
    #expect(start(nil, cores: 1, cpus: 1).arguments.prefix(2) == ["-np", "1"])
  }

  @Test func hosts() {
    #expect(start(nil, on: .hosts("a:2,b:3")).arguments.prefix(3) == ["--host", "a:2,b:3", "/bin/distsgd"])
    #expect(start(4, on: .hosts("a:2,b:3")).arguments.prefix(4) == ["-np", "4", "--host", "a:2,b:3"])
    #expect(start(1, on: .hostfile("h")).arguments.prefix(4) == ["-np", "1", "--hostfile", "h"])
  }

  @Test(arguments: [false, true], [false, true]) func environment(_ isRoot: Bool, _ isContainer: Bool) {
    for place in [RankStart.Place.here(isBound: true), .hosts("a:9"), .hostfile("h")] {
      let found = start(2, on: place, isRoot: isRoot, isContainer: isContainer).environment
      #expect((found["OMPI_ALLOW_RUN_AS_ROOT"] == "1") == isRoot)
      #expect((found["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] == "1") == isRoot)
      #expect((found["OMPI_MCA_btl_vader_single_copy_mechanism"] == "none") == isContainer)
      #expect(found["OMPI_MCA_regx"] == "naive" && found["OPENBLAS_NUM_THREADS"] == "1")
    }
  }
}
