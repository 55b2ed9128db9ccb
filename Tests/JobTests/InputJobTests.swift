// Examples on their way in and the model at the end, in real jobs: one hash at any number of ranks, through kills and
// `reproduce`, and what is refused.
import DataFormats
import TestSupport
import Testing

extension JobTests {
  @Suite struct InputJobTests {
    private let folder = TemporaryFolder()
    private static let model = "conv:4,3,padding=1 batchnorm relu maxpool:2 flatten dropout:0.2 dense"
    private static let input =
      "--augment crop:2,flip,cutout:4 --label-smoothing 0.1 --class-weights balanced --balance --mixup 0.4"

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    @Test(
      arguments: [
        input + " --ema 0.9 --optimizer adam --clip-norm 1 --warmup 3 --validation 0.2 --keep-best",
        "--augment flip --swa --swa-from 2", "--mixup 1 --micro-batch 3", "--class-weights 1,0.5,2,3",
      ], ["blas", "portable"])
    func sameBitsAtAnyNumberOfRanks(_ more: String, _ arithmetic: String) throws {
      let arguments =
        ["--model", Self.model, "--data", try folder.writeMadeImages(rows: 130, side: 8)]
        + words("--arithmetic \(arithmetic) --shards 8 --global-batch 40 --epochs 3 " + more)
      let expected = try train(ranks: 1, arguments)
      #expect(Set(expected.hashes).count >= 9 && expected.losses.allSatisfy { $0.isFinite })
      for ranks in [2, 3, 4, 8] {
        let isEqual = try train(ranks: ranks, arguments) == expected
        #expect(isEqual, "\(ranks) ranks")
      }
    }

    /// The same at every set of instructions, and with any micro-batch.
    @Test func portableBits() throws {
      let arguments =
        ["--model", "conv:4,3 relu flatten dense", "--data", try folder.writeMadeImages(rows: 130, side: 8)]
        + words("--arithmetic portable --epochs 2 --shards 2 --log-every 1 --log-hashes " + Self.input)
      var hashes: [String] = []
      for name in ["avx512", "avx2", "neon", "scalar"] {
        let outcome = try run(
          arguments + ["--output", folder(name)], environment: ["DISTSGD_INSTRUCTIONS": name])
        if outcome.code == 64 { continue }
        #expect(outcome.code == 0, "\(outcome)")
        hashes.append(try Trace(folder(name + "/metrics.jsonl")).finalHash)
      }
      for rows in ["1", "7"] {
        hashes.append(try train(ranks: 1, arguments + ["--micro-batch", rows]).finalHash)
      }
      #expect(hashes.count >= 3 && Set(hashes).count == 1, "\(hashes)")
    }

    /// A rank is killed; another number goes on with averages, the best model and what was waited for.
    @Test(arguments: ["--ema 0.8", "--swa --swa-from 2", "--optimizer adam"])
    func throughAKillAndAResume(_ average: String) throws {
      let arguments =
        ["--model", Self.model, "--data", try folder.writeMadeImages(rows: 160, side: 8)]
        + words(
          "--validation 0.2 --global-batch 32 --shards 4 --evaluate-every 64 --early-stopping 12 --keep-best "
            + average + " " + Self.input)
      try expectSameThroughAKill(
        arguments, steps: (all: 36, first: 18, killed: 25), checkpoint: 5, in: folder)
      let other = try run(["--resume", folder("run"), "--mixup", "0.5", "--steps", "40"])
      #expect(other.code == 64 && other.errors.contains("--mixup"), "\(other)")
    }

    /// A run stops when nothing gets better, says so, and ends with the best model, which is that of a shorter run.
    @Test func earlyStoppingAndTheBestModel() throws {
      let common = words("--validation 0.2 --ema 0.9 --epochs 40 --log-every 1 --log-hashes")
      let outcome = try run(
        common + words("--early-stopping 2 --keep-best --output \(folder("run"))"))
      #expect(outcome.code == 0 && outcome.output.contains("stopped early after step "), "\(outcome)")
      let events = try readMetrics(folder("run/metrics.jsonl"))
      let losses = events.filter { $0.name == "evaluation" }.map { $0.number("loss") }
      let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
      #expect(losses.count == best + 3 && losses.count < 40, "\(losses)")
      let shorter = try run(
        words("--validation 0.2 --ema 0.9 --epochs \(best + 1) --quiet --output \(folder("short"))"))
      #expect(shorter.code == 0, "\(shorter)")
      let files = try ["run", "short"].map { try SafeTensors.read(from: folder("\($0)/model.safetensors")) }
      #expect(files[0].tensors.map(\.values) == files[1].tensors.map(\.values))
    }

    @Test(arguments: [
      ("--augment flip", "are rows of numbers and no pictures"), ("--augment blur:2", "is none of them"),
      ("--label-smoothing 0.1", "are not classes"), ("--class-weights balanced", "are not classes"),
      ("--balance", "are not classes"), ("--class-weights 1,x", "is none"),
      ("--label-smoothing 2", "--label-smoothing 2.0: must be a number from 0 to 1"),
      ("--mixup 0", "must be"), ("--ema 1", "must be"), ("--ema 0.9 --swa", "leave one of them out"),
      ("--swa-from 2", "nothing is averaged"), ("--swa --swa-from 3", "use at most 2"),
      ("--early-stopping 3", "no validation data"), ("--keep-best", "no validation data"),
      ("--early-stopping 0 --validation 0.2", "at least 1"),
      ("--balance --sampling sequential", "leave one of them out"),
    ])
    func mistakes(_ more: String, _ reason: String) throws {
      for ranks in [1, 3] {
        let outcome = try run(ranks: ranks, words("\(more) --output \(folder("run"))"), limit: 60)
        #expect(outcome.code == 64, "\(outcome)")
        #expect(outcome.errors.contains(reason), "\(outcome)")
      }
    }

    @Test(arguments: [
      ("--class-weights 1,2", "the data have 4 classes"),
      ("--class-weights cat=2", "there is no class 'cat'"),
      ("--augment crop:8", "use fewer than 8"),
    ])
    func mistakesAboutTheData(_ more: String, _ reason: String) throws {
      let data = try folder.writeMadeImages(rows: 40, side: 8)
      let outcome = try run(ranks: 2, words("--data \(data) \(more) --output \(folder("run"))"))
      #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains(reason), "\(outcome)")
    }
  }
}
