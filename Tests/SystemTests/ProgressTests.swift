// How far it is and how long it will take: the bar's line, and the guess at the time left.
import System
import Testing

@Suite struct ProgressTests {
  @Test(arguments: [8, 20, 40, 60, 80, 200]) func aLineFits(_ columns: Int) {
    for done in [-1, 0, 0.005, 0.42, 1, 7] {
      let line = ProgressBar.line(
        done: done, parts: ["loss 0.1234", "3 s left", "▁▂▃", "12 examples/s"], columns: columns)
      #expect(line.count <= columns && line.contains("%"), "\(line)")
    }
    let line = ProgressBar.line(done: 0.5, parts: ["loss 0.1234", "3 s left", "▁▂▃"], columns: 200)
    #expect(line == "━━━━━━━━━━━━────────────  50 %  loss 0.1234  3 s left  ▁▂▃")
    // The most important part stays the longest.
    #expect(
      ProgressBar.line(done: 0.5, parts: ["loss 0.1234", "3 s left"], columns: 30)
        == "━━━━━──────  50 %  loss 0.1234")
  }

  @Test func aSteadyPace() throws {
    var left = TimeLeft()
    #expect(left.seconds == nil)
    left.add(done: 0, at: 100)
    #expect(left.seconds == nil)
    for second in 1...10 { left.add(done: Double(second) / 100, at: 100 + Double(second)) }
    #expect(abs(try #require(left.seconds) - 90) < 1e-9)
  }

  /// A run that goes on at 90 % has not made them now.
  @Test func aResumedRun() throws {
    var left = TimeLeft()
    for second in 0...10 { left.add(done: 0.9 + Double(second) / 1000, at: Double(second)) }
    #expect(abs(try #require(left.seconds) - 90) < 1e-9)
  }

  /// Evaluations stop the steps and not the clock.
  @Test func pausesCount() throws {
    var left = TimeLeft()
    var (now, done) = (0.0, 0.0)
    for _ in 0..<10 {
      for _ in 0..<10 {
        left.add(done: done, at: now)
        (now, done) = (now + 1, done + 0.005)
      }
      now += 10
    }
    // 0.5 is left, and 0.05 take 20 seconds.
    left.add(done: done, at: now)
    #expect(abs(try #require(left.seconds) - 200) < 60)
  }

  /// What is slower of late will not be faster soon.
  @Test func theRecentPastCounts() throws {
    var left = TimeLeft()
    for second in 0..<1000 { left.add(done: Double(second) / 4000, at: Double(second)) }
    for second in 0..<1000 { left.add(done: 0.25 + Double(second) / 40_000, at: Double(1000 + second)) }
    #expect(try #require(left.seconds) > 25_000)
  }
}
