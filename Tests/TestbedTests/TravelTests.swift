// Gradients that travel bucket by bucket while the passes compute, directly and in rounds: the bits of one process, and no
// more bytes than the formula has.
import Foundation
import Runs
import Testing

extension TestbedTests {
  private static let model = "--data synthetic:600,50 --model mlp:150,40 --lr 0.001 --global-batch 48"

  @Test(arguments: [
    "2x1 \(model) --shards 8 --bucket-size 8k", "2x2 \(model) --shards 32 --bucket-size 8k --micro-batch 1",
    "3+1 \(model) --shards 9 --bucket-size 16k --clip-norm 1", "4x1 \(model) --shards 8 --messages rounds",
    "4x2 \(model) --shards 16 --messages rounds --bucket-size 8k --optimizer adam",
    "2x2 \(model) --shards 8 --bucket-size 8k --optimizer lamb",
    "8+3+1 \(model) --shards 16 --bucket-size 20k --messages rounds",
    "2x1 \(model) --shards 8 --bucket-size 8k --wire bf16",
    "2x2 \(model) --shards 32 --bucket-size 8k --micro-batch 1 --wire fp16",
    "3+1 \(model) --shards 9 --clip-norm 1 --wire bf16",
    "4x2 \(model) --shards 16 --messages rounds --bucket-size 8k --optimizer adam --wire fp16",
    "2x2 \(model) --shards 8 --bucket-size 8k --optimizer lamb --arithmetic portable --wire bf16",
    "8+3+1 \(model) --shards 16 --bucket-size 20k --messages rounds --wire fp16",
    // Half of the ranks have no examples, and most no part of a bucket.
    "5+1 --data synthetic:300,60 --model mlp:100,40 --lr 0.001 --global-batch 10 --shards 24 --bucket-size 4k",
  ])
  func bucketsAndRoundsChangeNoBit(words: String) throws {
    let job = try Job(words, steps: 25)
    try expectEqual(job, oneProcess(like: job))
  }

  /// Steps after which nobody asks for all parameters: the next one begins while some are on their way.
  @Test func stepsOverlap() throws {
    let words = "train \(Self.model) --shards 8 --steps 60 --log-every 60 --bucket-size 8k"
    let hash = { (text: String) in text.split(separator: "\n").first { $0.hasPrefix("parameter hash") } }
    let one = try Testbed.command("run 1x1 \(words)")
    let several = try Testbed.command("run --rate 100mbit 2x2 \(words)")
    #expect(one.outcome == .exited(0) && several.outcome == .exited(0), "\(one.text)\(several.text)")
    #expect(hash(one.text) != nil && hash(one.text) == hash(several.text), "\(several.text)")
  }

  /// 2 (S − 1)/S · 4n bytes a step, of 16 bits 2 (S − 1)/S · 2n, leave every host, beside the headers of packets: told by the network itself, for two
  /// lengths of a run whose difference is the steps'.
  @Test(arguments: [
    ("2x1", ""), ("4x1", "--messages direct"), ("4x1", "--messages rounds"), ("2x1", "--wire bf16"),
    ("4x1", "--messages rounds --wire fp16"),
  ])
  func bytes(placement: String, flags: String) throws {
    func sent(steps: Int) throws -> [Int] {
      let result = try Testbed.command(
        "run --bytes \(placement) train --data synthetic:640,200 --model mlp:400,300 --lr 0.0001 --global-batch 64 "
          + "--shards 8 --steps \(steps) --evaluate-every 64000 --bucket-size 64k --quiet \(flags)")
      try #require(result.outcome == .exited(0), "\(result.text)")
      return result.text.split(separator: "\n").filter { $0.hasPrefix("testbed: node") }.compactMap {
        $0.split(separator: " ").dropFirst(3).first.flatMap { Int($0) }
      }
    }
    let servers = placement == "2x1" ? 2 : 4
    let parameters = 200 * 400 + 400 + 400 * 300 + 300 + 300 + 1
    let formula = Double((flags.contains("--wire") ? 4 : 8) * parameters * (servers - 1)) / Double(servers)
    let (short, long) = (try sent(steps: 20), try sent(steps: 120))
    try #require(short.count == servers && long.count == servers)
    for (before, after) in zip(short, long) {
      let bytes = Double(after - before) / 100
      #expect(abs(bytes / formula - 1) < 0.1, "\(bytes) bytes a step, by the formula \(formula)")
    }
  }
}
