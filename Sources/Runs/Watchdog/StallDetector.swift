// Which ranks of a server do not move any more, from what is seen of them now and then.

/// What is seen of one rank at one moment.
package struct RankSight: Equatable {
  /// Of places where ranks wait for each other; one that has fewer than another is waited for.
  package var arrivals: UInt64
  package var place: UInt64
  /// Of its watchdog: stands still when the whole process does.
  package var pulse: UInt64
  /// Whether it should be on time.
  package var isPunctual: Bool
  /// Whether it is in a call that waits for messages of others.
  package var isWaiting: Bool
  /// Ranks of different groups do not wait for each other; 0: all of the job's.
  package var group: Int

  package init(
    arrivals: UInt64, place: UInt64, pulse: UInt64, isPunctual: Bool, isWaiting: Bool, group: Int = 0
  ) {
    self.group = group
    self.arrivals = arrivals
    self.place = place
    self.pulse = pulse
    self.isPunctual = isPunctual
    self.isWaiting = isWaiting
  }
}

/// Follows the ranks of a server. Times are seconds of any clock that never jumps.
package struct StallDetector {
  private struct Track {
    var sight: RankSight
    /// When it last did anything, and when its process last ran.
    var moved: Double
    var beat: Double
  }

  private var tracks: [Track] = []
  private var lastTime = 0.0
  /// Of the rank that has come furthest, here or on another server; and since when.
  private var furthest: UInt64 = 0
  private var furthestSince = 0.0
  /// The same of the ranks of each group here.
  private var furthestOfGroup: [Int: (arrivals: UInt64, since: Double)] = [:]
  /// The longest time that a rank has been seen to take from one move to the next, while it was to be on time.
  package private(set) var longestMove = 0.0

  package init() {}

  /// - Parameters:
  ///   - furthest: arrivals of the rank that has come furthest on any server.
  ///   - gap: seconds without a call after which this process itself is taken to have been stopped: nothing is
  ///     then known of the others.
  package mutating func observe(_ sights: [RankSight], furthest: UInt64, at now: Double, gap: Double) {
    if tracks.isEmpty || now - lastTime > gap {
      tracks = sights.map { Track(sight: $0, moved: now, beat: now) }
      furthestSince = now
    }
    if furthest != self.furthest {
      self.furthest = furthest
      furthestSince = now
    }
    for (index, sight) in sights.enumerated() {
      let before = tracks[index].sight
      if sight.arrivals != before.arrivals || sight.place != before.place
        || sight.isPunctual != before.isPunctual
      {
        if sight.isPunctual && before.isPunctual { longestMove = max(longestMove, now - tracks[index].moved) }
        tracks[index].moved = now
      }
      if sight.pulse != before.pulse { tracks[index].beat = now }
      tracks[index].sight = sight
    }
    for group in Set(sights.map(\.group)) where group != 0 {
      let arrivals = sights.lazy.filter { $0.group == group }.map(\.arrivals).max()!
      if furthestOfGroup[group]?.arrivals != arrivals { furthestOfGroup[group] = (arrivals, now) }
    }
    lastTime = now
  }

  /// A rank whose process has not run for `limit` seconds.
  package func stopped(for limit: Double) -> Int? {
    tracks.firstIndex { lastTime - $0.beat > limit }
  }

  /// A rank that has not moved for `limit` seconds and waits for nobody, while others have waited as long for it.
  package func late(for limit: Double) -> Int? {
    tracks.firstIndex {
      let leader =
        $0.sight.group == 0 ? (furthest, furthestSince) : furthestOfGroup[$0.sight.group] ?? (0, lastTime)
      return $0.sight.isPunctual && !$0.sight.isWaiting && $0.sight.arrivals < leader.0
        && lastTime - leader.1 > limit && lastTime - $0.moved > limit
    }
  }

  /// Whether nobody here has moved for `limit` seconds, and a message is waited for that does not come.
  package func allWait(for limit: Double) -> Bool {
    tracks.contains { $0.sight.isWaiting }
      && tracks.allSatisfy { $0.sight.isPunctual && lastTime - $0.moved > limit }
  }
}
