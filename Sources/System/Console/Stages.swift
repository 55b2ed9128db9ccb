// Progress of what is done in stages, one after the other: a bench, a sweep. Silence of minutes looks like a hang.
import Synchronization
import Text

/// The stages of what this process is at. Rank 0 shows them: as a bar where standard error is a terminal, else as a line
/// now and then.
package enum Stages {
  private struct State {
    var total = 0
    var number = 0
    var name = ""
    /// The part of the present stage that is done.
    var part = 0.0
    var isTold = false
    var bar = ProgressBar()
    var left = TimeLeft()
    var lastShown = 0.0
    static let secondsBetweenLines = 10.0
  }

  private static let state = Mutex<State?>(nil)

  /// Begins with the first of `total` stages, which `next` names.
  /// - Parameter isTold: false on the ranks that say nothing.
  package static func begin(_ total: Int, isTold: Bool = true) {
    state.withLock { state in
      var new = State()
      new.total = max(1, total)
      new.number = -1
      new.isTold = isTold
      // A bar is there from the first stage on.
      if !new.bar.isShown { new.lastShown = monotonicSeconds() }
      new.left.add(done: 0, at: monotonicSeconds())
      state = new
    }
  }

  /// The stage before is done.
  package static func next(_ name: String) { begin(name) { $0 + 1 } }

  /// Begins with stage `number`, from 0: where others make some of them.
  package static func go(to number: Int, _ name: String) { begin(name) { _ in number } }

  private static func begin(_ name: String, number: (Int) -> Int) {
    change { state in
      state.number = number(state.number)
      state.name = name
      state.part = 0
    }
  }

  /// So much of the present stage is done, 0 … 1.
  package static func part(_ part: Double) { change { $0.part = max($0.part, min(1, part)) } }

  /// All is done, or has failed: what is printed next has the terminal to itself.
  package static func end() {
    state.withLock { state in
      if state?.isTold == true { state?.bar.clear() }
      state = nil
    }
  }

  /// Takes the bar away, for a line that is printed between.
  package static func clear() { state.withLock { if $0?.isTold == true { $0?.bar.clear() } } }

  private static func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      guard state != nil else { return }
      body(&state!)
      if state!.isTold { show(&state!) }
    }
  }

  private static func show(_ state: inout State) {
    let now = monotonicSeconds()
    let least = state.bar.isShown ? 0.1 : State.secondsBetweenLines
    guard now - state.lastShown >= least else { return }
    state.lastShown = now
    let done = min(1, (Double(max(0, state.number)) + state.part) / Double(state.total))
    state.left.add(done: done, at: now)
    let stage = "\(min(state.number + 1, state.total)) of \(state.total): \(visible(state.name))"
    // Stages are not equally long.
    let left = state.left.seconds.map { "about \(readableDuration($0)) left" }
    if ConsoleStyle.isJSON {
      var line = ConsoleStyle.progress
      line["stage"] = state.number + 1
      line["stages"] = state.total
      line["message"] = state.name
      line["secondsLeft"] = state.left.seconds
      standardProgress(line.description + "\n")
    } else if state.bar.isShown {
      state.bar.draw(done: done, parts: [stage] + (left.map { [$0] } ?? []))
    } else {
      standardProgress(stage + (left.map { "; " + $0 } ?? "") + "\n")
    }
  }
}
