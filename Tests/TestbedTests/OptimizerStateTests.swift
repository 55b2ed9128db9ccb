// The optimizer's state on several servers, where each rank has its part alone: checkpoints bring it together.
import Foundation
import Testing

extension TestbedTests {
  @Suite struct OptimizerStateTests {
    static let models = [
      "dense:16 gelu residual(dense:16 tanh dropout:0.3 dense:16) dense",
      "dense:96 gelu residual(dense:96 tanh dropout:0.3 dense:96) dense",
    ]

    /// A rank is killed, and another placement goes on; there another rank is killed; a third placement, too slow to
    /// end by itself, is asked to stop; and one process ends the run. Checkpoints are due by steps or by time.
    @Test(arguments: ["7", "0.02s"], models) func killedAndResumedElsewhere(_ every: String, _ model: String)
      throws
    {
      // By time a checkpoint is whole on the disk some while after it was due: there are more steps until the first end.
      let start = every == "7" ? 0 : 2000
      let (first, second) = (start + Int.random(in: 200..<300), start + Int.random(in: 400..<500))
      let result = try Testbed.shell(
        """
        mount -t tmpfs tmpfs /run && cd "$TESTBED_ROOT"
        run=$TESTBED_OUTPUT/run whole=$TESTBED_OUTPUT/whole
        job=(--data synthetic:1000,20 --model '\(model)' --optimizer adam --schedule cosine --lr 0.01
          --global-batch 50 --shards 6 --epochs 400 --log-every 1 --log-hashes --quiet)
        launch/testbed run 2x2 "${job[@]}" --checkpoint-every \(every) --output "$run" \
          --inject kill:rank=3,step=\(first) || echo "the first job ended with $?"
        launch/testbed run --map-by node 1+3+1 --resume "$run" --quiet \
          --inject kill:rank=4,step=\(second) || echo "the second job ended with $?"
        launch/testbed run 3x1 --resume "$run" --quiet --inject slow:rank=0,factor=300 &
        for ((i = 0; i < 2400; i++)); do
          ! grep -q '"step":\(start + 520),' "$run/metrics.jsonl" || break
          sleep 0.02
        done
        kill -TERM $!
        wait $! || echo "the third job ended with $?"
        "$DISTSGD" --resume "$run" --quiet
        "$DISTSGD" "${job[@]}" --output "$whole"
        for name in "$run" "$whole"; do
          grep -o '"step":[0-9]*\\|"parameterHash":"[0-9a-f]*"' "$name/metrics.jsonl" >"$name.trace"
        done
        cmp "$run.trace" "$whole.trace" && echo "$(grep -c step "$run.trace") lines, the same bits"
        """)
      #expect(result.outcome == .exited(0), "\(result.text)")
      for text in [
        "last seen in step \(first - 1)", "last seen in step \(second - 1)", "stopped after step ",
        "the same bits",
      ] {
        #expect(result.text.contains(text), "'\(text)' is not in: \(result.text)")
      }
      for job in ["first", "second", "third"] {
        #expect(result.text.contains("the \(job) job ended with "), "\(result.text)")
      }
    }
  }
}
