import Runs
// TensorBoard's event files, byte by byte as its own writer makes them (Tests/Reference/make_events.py).
import System
import TestSupport
import Testing

@Suite struct EventTests {
  private func hexadecimal(_ event: [UInt8]) -> String {
    var record: [UInt8] = []
    appendRecord(event, to: &record)
    return record.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined()
  }

  private func event(step: Int = 1, _ fill: (inout Summary) -> Void) -> String {
    var summary = Summary()
    fill(&summary)
    return hexadecimal(EventMessage.summary(summary, step: step, at: 1.5))
  }

  @Test func eventsOfAFile() {
    #expect(
      hexadecimal(EventMessage.version(at: 1.5))
        == "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c")
    #expect(
      hexadecimal(EventMessage.restart(step: 300, at: 1.5))
        == "100000000000000095fbfe1809000000000000f83f10ac023a020801713b788a")
  }

  @Test func values() {
    #expect(
      event(step: 300) { $0.add("step/loss", 0.1) }
        == "200000000000000029eda95009000000000000f83f10ac022a120a100a09737465702f6c6f737315cdcccc3da10345fd")
    #expect(
      event { $0.add("w", Histogram([2, 2, 2])) }
        == """
        5500000000000000d7df0fc109000000000000f83f10012a480a460a01772a410900000000000000401100000000000000401900000000\
        00000840210000000000001840290000000000002840320800000000000000403a08000000000000084058351a08
        """)
    #expect(
      event { $0.add("t", text: "ab") }
        == """
        2a00000000000000ae8d91f509000000000000f83f10012a1d0a1b0a0174420c0807120412020801420261624a080a060a0474657874826d\
        7662
        """)
  }

  @Test func hyperparameters() {
    #expect(
      event { $0.addStart([Hyperparameter("model", word: "linear")], group: "g", at: 1.5) }
        == """
        6500000000000000ebd05a6909000000000000f83f10012a580a560a1c5f68706172616d735f2f73657373696f6e5f73746172745f696e66\
        6f42060801120212004a2e0a2c0a0768706172616d7312211a1f0a110a056d6f64656c12081a066c696e65617222016729000000000000f8\
        3f9d391ae0
        """)
    #expect(
      event { $0.addEnd(isSuccess: false, at: 2.5) }
        == """
        4f000000000000006c474f9309000000000000f83f10012a420a400a1a5f68706172616d735f2f73657373696f6e5f656e645f696e666f42\
        060801120212004a1a0a180a0768706172616d73120d220b0802110000000000000440a389e980
        """)
    #expect(
      event { $0.addExperiment([Hyperparameter("lr", word: "0.1")], results: ["loss"], at: 1.5) }
        == """
        59000000000000008a1d65b609000000000000f83f10012a4c0a4a0a145f68706172616d735f2f6578706572696d656e7442060801120212\
        004a2a0a280a0768706172616d73121d121b19000000000000f83f22060a026c7220032a080a0612046c6f73736b2e51b8
        """)
  }

  @Test func kindsOfHyperparameters() {
    #expect(Hyperparameter("a", word: "1e-3").value == .number(0.001))
    #expect(Hyperparameter("a", word: "true").value == .flag(true))
    #expect(Hyperparameter("a", word: "nan").value == .text("nan"))
  }

  @Test func aHistogramLeavesOutWhatIsNoNumber() {
    let values: [Float] = [.nan, -1, 0, 1, .infinity, 1]
    let histogram = values.withUnsafeBufferPointer { Histogram($0) }
    #expect(histogram.count == 4 && histogram.minimum == -1 && histogram.maximum == 1)
    #expect(histogram.sum == 1 && histogram.sumOfSquares == 3)
    #expect(histogram.counts.reduce(0, +) == 4 && histogram.counts.first == 1 && histogram.counts.last == 2)
    #expect(histogram.counts.count == histogram.limits.count && histogram.limits.last == 1)
    #expect(Histogram([]).limits.isEmpty)
  }

  /// Two files of one second are read one after the other.
  @Test func aNewFileComesBehindTheOldOnes() throws {
    let folder = TemporaryFolder()
    var names: [String] = []
    for number in 0..<3 {
      let file = try EventFile(in: folder.path, goingOnAt: number == 0 ? nil : number)
      try file.flush()
      let now = try FileNames.of(folder.path)
      names += now.filter { !names.contains($0) }
    }
    #expect(names.count == 3 && names == names.sorted(), "\(names)")
  }
}

private enum FileNames {
  static func of(_ folder: String) throws -> [String] {
    try #require(OpenFolder(folder, followsLink: true)).entries().filter { $0.hasPrefix("events") }
  }
}
