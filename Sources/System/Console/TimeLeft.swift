// An honest guess at when something will be done: by how fast it has gone of late, with all that comes between.

/// How much of something is done, at some moments: at most so many of them are kept, equally far apart.
package struct TimeLeft: Sendable {
  private var moments: [(seconds: Double, done: Double)] = []
  private var last: (seconds: Double, done: Double)?
  /// Seconds between two that are kept.
  private var spacing = 0.0
  private static let most = 64

  package init() {}

  /// - Parameters:
  ///   - done: the part that is done, 0 … 1.
  ///   - seconds: of a clock that does not stop for anything: evaluations and checkpoints take their time too.
  package mutating func add(done: Double, at seconds: Double) {
    last = (seconds, done)
    if let newest = moments.last, seconds - newest.seconds < spacing { return }
    if moments.count == Self.most {
      moments = moments.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
      spacing = 2 * (seconds - moments[0].seconds) / Double(Self.most)
    }
    moments.append((seconds, done))
  }

  /// By the last quarter of the time so far, of at least 30 seconds; nil while nobody can tell.
  package var seconds: Double? {
    guard let first = moments.first, let last else { return nil }
    let window = max(30, (last.seconds - first.seconds) / 4)
    let begin = moments.last { $0.seconds <= last.seconds - window } ?? first
    let (time, done) = (last.seconds - begin.seconds, last.done - begin.done)
    guard time > 0.5, done > 0 else { return nil }
    return max(0, 1 - last.done) * time / done
  }
}
