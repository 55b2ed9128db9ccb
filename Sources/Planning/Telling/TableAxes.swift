// What a table shows where nobody says: servers, ranks of each, and global batches.

/// The rows of a table.
struct TableAxes: Equatable {
  var shapes: [JobShape]
  var batches: [Int]

  /// Rows for people to read.
  private static let most = 8

  init(_ plan: MeasuredPlan, _ model: CostModel, _ options: PlanOptions) {
    let knowsNetwork = !model.networks.isEmpty
    let ownRanks = options.simulated?.ranks ?? plan.ranks
    let mostServers = options.simulated?.servers ?? (plan.servers > 1 ? 8 * plan.servers : 1)
    var servers = options.servers ?? Self.thinned(doublings(to: mostServers))
    if options.servers == nil, options.simulated == nil { servers.append(plan.servers) }
    if !knowsNetwork { servers = servers.filter { $0 == 1 } }
    let cores = model.alone.cores
    // Ranks of one server are looked at one by one; of several, all that each has.
    let alone =
      options.ranks ?? doublings(to: options.simulated == nil ? max(ownRanks, min(cores, 64)) : ownRanks)
    let each = options.ranks ?? (plan.servers > 1 && ownRanks > 1 ? [1, ownRanks] : [ownRanks])
    shapes = Set(servers).sorted().flatMap { servers in
      (servers == 1 ? alone : each).map { JobShape(servers: servers, ranks: $0) }
    }
    shapes = Set(shapes).sorted {
      ($0.worldSize, $0.servers) < ($1.worldSize, $1.servers)
    }
    if let batches = options.batches {
      self.batches = Set(batches).sorted()
    } else {
      // Many ranks have nothing to do with a small batch.
      let factor = mostServers * ownRanks > 16 ? 8 : 2
      batches = (0..<4).map { power in (0..<power).reduce(plan.batch) { batch, _ in batch * factor } }
        .filter { $0 <= plan.examples }
    }
  }

  /// Of many numbers every second, fourth …, and the last.
  private static func thinned(_ numbers: [Int]) -> [Int] {
    var stride = 1
    while (numbers.count + stride - 1) / stride > most { stride += 1 }
    return numbers.indices.filter { $0 % stride == 0 || $0 == numbers.count - 1 }.map { numbers[$0] }
  }
}
