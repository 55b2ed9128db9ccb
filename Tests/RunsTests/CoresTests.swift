// Cores: quotas of both versions of control groups, shares of ranks, and the warnings.
import Foundation
import Runs
import System
import TestSupport
import Testing

@Suite struct CoresTests {
  private let folder = TemporaryFolder()

  private func write(_ text: String, _ path: String) throws {
    let file = URL(fileURLWithPath: folder(path))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  @Test func withoutGroupsThereIsNoQuota() {
    #expect(cpuQuota(root: folder.path) == nil)
  }

  @Test func version2TakesTheLowestOfAllAncestors() throws {
    try write("0::/jobs/one\n", "proc/self/cgroup")
    try write("max 100000\n", "sys/fs/cgroup/jobs/one/cpu.max")
    #expect(cpuQuota(root: folder.path) == nil)
    try write("150000 100000\n", "sys/fs/cgroup/jobs/cpu.max")
    #expect(cpuQuota(root: folder.path) == 1.5)
    try write("400000 100000\n", "sys/fs/cgroup/jobs/one/cpu.max")
    #expect(cpuQuota(root: folder.path) == 1.5)
  }

  @Test func version1HasTwoFiles() throws {
    try write("12:memory:/other\n4:cpu,cpuacct:/docker/abc\n0::/\n", "proc/self/cgroup")
    try write("-1\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    try write("100000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    #expect(cpuQuota(root: folder.path) == nil)
    // The path is the host's and leads nowhere here; the container's own group is the root.
    try write("300000\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    #expect(cpuQuota(root: folder.path) == 3)
    try write("200000\n", "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us")
    try write("100000\n", "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us")
    #expect(cpuQuota(root: folder.path) == 2)
  }

  @Test func memoryIsLimitedByGroups() throws {
    let machine = MemoryLimit.ofMachine(root: folder.path)
    try write("0::/jobs/one\n", "proc/self/cgroup")
    try write("max\n", "sys/fs/cgroup/jobs/one/memory.max")
    #expect(MemoryLimit.ofMachine(root: folder.path).total == machine.total)
    try write("2000000000\n", "sys/fs/cgroup/jobs/memory.max")
    #expect(MemoryLimit.ofMachine(root: folder.path).total == 2e9)
    try write("7:memory:/docker/abc\n", "proc/self/cgroup")
    // This process has some of it, and in a sanitizer's build more than a few numbers of bytes would leave.
    let half = (machine.total / 2).rounded()
    try write("\(Int(half))\n", "sys/fs/cgroup/memory/memory.limit_in_bytes")
    let limit = MemoryLimit.ofMachine(root: folder.path)
    #expect(limit.total == half && limit.bytes < half && limit.bytes > 0)
  }

  @Test func sharesAreDisjointAndEqual() {
    let cpus = [0, 8, 1, 9, 2, 10, 3]
    #expect((0..<3).map { Array(shareOfCPUs(cpus, localRank: $0, of: 3)) } == [[0, 8], [1, 9], [2, 10]])
    #expect(Array(shareOfCPUs(cpus, localRank: 6, of: 7)) == [3])
  }

  @Test func threadsBeyondTheCoresAreToldOnce() {
    #expect(threadWarning(threads: 1, localRanks: 8, cores: 2) == nil)
    #expect(threadWarning(threads: 2, localRanks: 4, cores: 8) == nil)
    #expect(
      threadWarning(threads: 3, localRanks: 4, cores: 8)
        == "--threads 3: 4 ranks × 3 threads on 8 cores of a server wait for each other; 2 would fit")
  }

  @Test func kernelsBelowTheProcessorAreTold() throws {
    let avx512 = "flags : fpu avx fma avx2 avx512f\n"
    let avx2 = "flags : fpu avx fma avx2\n"
    for kernel in ["SkylakeX", "Cooperlake", "SapphireRapids", "SomethingNew"] {
      #expect(kernelWarning(kernel: kernel, cpuInformation: avx512, chosen: nil) == nil)
    }
    #expect(kernelWarning(kernel: "Haswell", cpuInformation: avx2, chosen: "Haswell") == nil)
    #expect(kernelWarning(kernel: "Neoversen1", cpuInformation: "Features : asimd sve\n", chosen: nil) == nil)
    let chosen = try #require(kernelWarning(kernel: "Haswell", cpuInformation: avx512, chosen: "Haswell"))
    #expect(chosen.contains("8 of the 16 lanes") && chosen.contains("twice"))
    #expect(chosen.contains("unset OPENBLAS_CORETYPE"))
    let old = try #require(kernelWarning(kernel: "Prescott", cpuInformation: avx512, chosen: nil))
    #expect(old.contains("4 of the 16 lanes") && old.contains("newer OpenBLAS"))
  }
}
