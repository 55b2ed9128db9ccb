// How long the ranks of one server take for their part of a step, from what was measured of some parts.

/// What one rank has to do in a step.
package struct Share: Sendable, Hashable {
  package var shards: Int
  /// Examples of each of them.
  package var rows: Int

  package init(shards: Int, rows: Int) {
    self.shards = shards
    self.rows = rows
  }

  /// Of the rank of a job that has most to do.
  package init(batch: Int, shards: Int, ranks: Int) {
    self.init(shards: (shards + ranks - 1) / ranks, rows: (batch + shards - 1) / shards)
  }
}

/// One measurement: a step of some ranks of one server, each with the same share, reduction and update included.
package struct ServerSample: Sendable, Equatable {
  /// That worked at the same time.
  package var ranks: Int
  package var share: Share
  /// Of a step.
  package var seconds: Double

  package init(ranks: Int, share: Share, seconds: Double) {
    self.ranks = ranks
    self.share = share
    self.seconds = seconds
  }
}

/// Seconds of a step on one server as a function of its ranks and of what each has to do.
///
/// Between measurements it goes straight: along the rows of a shard, then along the shards of a rank, then along the
/// ranks. So a step that was measured is predicted as it was.
package struct ServerTime: Sendable, Equatable {
  package var samples: [ServerSample]
  /// That the ranks of a server have together.
  package var cores: Int
  /// Of each rank.
  package var threads: Int

  /// - Precondition: there is a sample.
  package init(_ samples: [ServerSample], cores: Int, threads: Int) {
    precondition(!samples.isEmpty, "nothing was measured")
    self.samples = samples
    self.cores = max(1, cores)
    self.threads = max(1, threads)
  }

  /// The numbers of ranks that were measured, ascending.
  package var measuredRanks: [Int] { Set(samples.map(\.ranks)).sorted() }

  package func isMeasured(ranks: Int, _ share: Share) -> Bool {
    samples.contains { $0.ranks == ranks && $0.share == share }
  }

  package func seconds(ranks: Int, _ share: Share) -> Double {
    let measured = measuredRanks
    if let most = measured.last, ranks > most {
      // Nobody has seen more ranks than `most` share the memory; of cores there is a number, and who has none waits.
      return seconds(ofMeasured: most, share) * crowd(ranks) / crowd(most)
    }
    return interpolated(measured.map { (Double($0), seconds(ofMeasured: $0, share)) }, at: Double(ranks))
  }

  /// How many ranks take turns on a core.
  private func crowd(_ ranks: Int) -> Double { max(1, Double(ranks) * Double(threads) / Double(cores)) }

  private func seconds(ofMeasured ranks: Int, _ share: Share) -> Double {
    let own = samples.filter { $0.ranks == ranks }
    let counts = Set(own.map(\.share.shards)).sorted()
    func line(_ shards: Int) -> [(x: Double, y: Double)] {
      own.filter { $0.share.shards == shards }.map { (Double($0.share.rows), $0.seconds) }.sorted {
        $0.0 < $1.0
      }
    }
    func seconds(shards: Int, rows: Double) -> Double {
      let points = line(shards)
      // Few shards are measured down to a single row, and others take as long for a row more or less as they do.
      if let first = points.first, let fewest = counts.first, case let reference = line(fewest),
        reference.count > 1
      {
        if rows < first.x, reference[0].x < first.x {
          return first.y * interpolated(reference, at: rows) / interpolated(reference, at: first.x)
        }
        if points.count == 1, rows > first.x {
          let more = interpolated(reference, at: rows) - interpolated(reference, at: first.x)
          return first.y + more * Double(shards) / Double(fewest)
        }
      }
      return interpolated(points, at: rows)
    }
    if counts.count == 1 {
      // As many examples, in other shards.
      return seconds(
        shards: counts[0], rows: Double(share.shards * share.rows) / Double(counts[0]))
    }
    return interpolated(
      counts.map { (Double($0), seconds(shards: $0, rows: Double(share.rows))) }, at: Double(share.shards))
  }
}

/// The value at `x` of the line through points in ascending order; outside of them it goes on as between the two nearest,
/// but time does not become less with more to do, nor less than a quarter of the least with less.
package func interpolated(_ points: [(x: Double, y: Double)], at x: Double) -> Double {
  guard points.count > 1 else {
    guard let only = points.first else { return .nan }
    // One point knows no fixed costs: what it does not tell is taken to grow with the work.
    return x > only.x ? only.y * x / only.x : only.y
  }
  let above = min(max(points.firstIndex { $0.x >= x } ?? points.count - 1, 1), points.count - 1)
  let (a, b) = (points[above - 1], points[above])
  let slope = (b.y - a.y) / (b.x - a.x)
  if x > b.x { return b.y + max(0, slope) * (x - b.x) }
  if x < a.x { return max(a.y / 4, a.y - max(0, slope) * (a.x - x)) }
  return a.y + slope * (x - a.x)
}
