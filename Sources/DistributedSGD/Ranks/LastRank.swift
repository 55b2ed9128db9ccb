// Who came last to a step of several servers, as all of their ranks hear of it.

/// The rank that all others have waited for.
package struct LastRank: Equatable, Sendable {
  package var rank: Int
  /// When it came, in nanoseconds of rank 0's clock.
  package var arrival: Int
  /// Nanoseconds by which it came later than all others.
  package var delay: Int

  package init(rank: Int, arrival: Int, delay: Int) {
    (self.rank, self.arrival, self.delay) = (rank, arrival, delay)
  }
}
