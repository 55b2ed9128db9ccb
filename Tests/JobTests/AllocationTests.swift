// The allocation budget of a step: none.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct AllocationTests {
    private let folder = TemporaryFolder()

    /// A run of 1,500 steps allocates as often as one of 500, on every rank: a step allocates nothing. MPI may add to
    /// its own lists now and then, which 1,000 steps would show as 1,000.
    @Test(
      arguments: [
        "--data airfoil-like --duplicate 1000",
        "--data synthetic:4000,20 --model mlp:32,16 --duplicate 100",
        "--data synthetic:4000,20 --model mlp:32,16 --duplicate 100 --shards 8",
        // Blanks between layers are plus signs here.
        "--data synthetic:4000,20 --model dense:32+batchnorm+relu+layernorm+dense --duplicate 100",
        "--data synthetic:4000,20 --model dense:32+batchnorm+relu+dense --batch-norm global --duplicate 100",
        // Norms, and tensors that are treated apart: small models have them on every rank, larger ones share them.
        "--data synthetic:4000,20 --model mlp:32,16 --duplicate 100 --optimizer lamb --clip-norm 0.5 --no-decay-for bias --schedule cosine --warmup 100",
        "--data synthetic:4000,20 --model mlp:90,30 --duplicate 100 --optimizer lars --clip-norm 0.5 --weight-decay 0.01 --warmup 100",
      ], [1, 2])
    func aStepAllocatesNothing(_ arguments: String, _ ranks: Int) throws {
      let library = folder("count_allocations.so")
      let compiler = try Child(
        "cc",
        ["-O1", "-shared", "-fPIC", "-o", library, packageFolder + "/Tests/Reference/count_allocations.c"])
      let compiled = compiler.wait(limit: 60)
      try #require(compiled.code == 0, "\(compiled)")

      func allocations(steps: Int) throws -> [Int] {
        let counts = folder("counts-\(steps)")
        let outcome = try run(
          ranks: ranks,
          arguments.split(separator: " ").map { $0.replacingOccurrences(of: "+", with: " ") } + [
            "--steps", "\(steps)", "--log-every", "1000000", "--quiet", "--output", folder("run-\(steps)"),
          ], environment: ["LD_PRELOAD": library, "COUNT_ALLOCATIONS": counts])
        try #require(outcome.code == 0, "\(outcome)")
        return try readFile(counts).split(separator: "\n").compactMap { Int($0) }.sorted()
      }
      let (short, long) = (try allocations(steps: 500), try allocations(steps: 1500))
      // Under mpirun the launcher's own count is among them.
      try #require(short.count == long.count && short.count >= ranks)
      // Three sums over the global batch in a step, for each of which MPI takes some memory of its own.
      let sums = ranks > 1 && arguments.contains("global ") ? 3 : 0
      for (few, many) in zip(short, long) {
        #expect(many - few < 100 + sums * 1_000, "1,000 steps more: \(many - few) allocations more")
      }
    }
  }
}
