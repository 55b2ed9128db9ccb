// Numbers for people: small losses, durations, and lines of small bars.
import Testing
import Text

@Suite struct FormatTests {
  @Test(
    arguments: [
      (0.0, "0.000"), (0.2453, "0.245"), (0.01, "0.010"), (12.3456, "12.346"), (0.00999, "0.00999"),
      (0.0012345, "0.00123"), (0.0001234, "0.000123"), (1e-5, "1.00e-05"), (3.14159e-12, "3.14e-12"),
      (.leastNonzeroMagnitude, "4.94e-324"), (4.1e20, "4.1e+20"), (-0.5, "-0.500"), (-1e-5, "-1.00e-05"),
      (.nan, "nan"),
    ] as [(Double, String)])
  func losses(_ loss: Double, _ text: String) {
    #expect(readableLoss(loss).lowercased().replacing("-nan", with: "nan") == text)
  }

  @Test func lossesWithFourDecimals() {
    #expect(readableLoss(0.24531, 4) == "0.2453" && readableLoss(0.0012, 4) == "0.0012")
    #expect(readableLoss(0.00099, 4) == "0.000990" && readableLoss(241.02712, 4) == "241.0271")
  }

  @Test(
    arguments: [
      (0, "0 s"), (0.2, "1 s"), (59, "59 s"), (59.5, "1 min 00 s"), (185, "3 min 05 s"), (3600, "1 h 00 min"),
      (7500, "2 h 05 min"), (90_000, "1 d 1 h"), (-1, "?"), (.infinity, "?"), (.nan, "?"), (1e300, "?"),
    ] as [(Double, String)])
  func durations(_ seconds: Double, _ text: String) { #expect(readableDuration(seconds) == text) }

  @Test func bars() {
    #expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
    #expect(sparkline([5]) == "▄" && sparkline([2, 2]) == "▄▄" && sparkline([]).isEmpty)
    #expect(sparkline([3, .nan, 1, .infinity]) == "█ ▁ ")
    #expect(sparkline([-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == "▁█")
  }
}
