// The barrier of a server, with threads as ranks: who may leave when, what they see then, and how they wait.
import Foundation
import MPI
import Testing

/// How long a rank looks before it sleeps.
enum Patience: CaseIterable {
  /// As where every rank has a core, and as where not.
  case long, short
  /// Every wait ends in a sleep.
  case none

  var spins: Int { self == .long ? 20_000 : 0 }
  var yields: Int { self == .long ? 100 : self == .short ? 10 : 0 }
  /// More than cores, patient ranks keep each other from running: their rounds are long.
  func rounds(ranks: Int) -> Int { self != .long ? 3000 : ranks > 2 ? 60 : 3000 }
}

/// A server's barrier, and a board to tell on who is where.
private struct Server: Sendable {
  let ranks: Int
  let patience: Patience
  private let memory: ServerMemory
  private let boardMemory: ServerMemory

  init(ranks: Int, _ patience: Patience, addresses: Int = 1) {
    self.ranks = ranks
    self.patience = patience
    memory = ServerMemory(byteCount: 4096, addresses: addresses)
    boardMemory = ServerMemory(byteCount: RankBoard.byteCount(ranks: ranks))
  }

  func barrier(_ rank: Int) -> ServerBarrier {
    ServerBarrier(
      memory: memory[rank], localRank: rank, rankCount: ranks, spins: patience.spins, yields: patience.yields)
  }

  func board(_ rank: Int) -> RankBoard {
    RankBoard(memory: boardMemory[rank], localRank: rank, rankCount: ranks)
  }

  /// The words that the barrier counts by, where they are not 0; beside them it tells who came last.
  var words: [UnsafeMutablePointer<UInt32>] {
    stride(from: 0, to: memory.byteCount / 4, by: 16).map {
      memory[0].assumingMemoryBound(to: UInt32.self) + $0
    }.filter { $0.pointee != 0 }
  }

  /// Goes through many rounds. Before each, every rank adds one to its arrivals, so that afterwards all have as many
  /// as there were rounds, or are one further: they cannot come past the next one without this rank.
  func expectOrder(rounds: Int) -> [String] {
    onThreads(ranks: ranks) { rank, complaints in
      let barrier = barrier(rank)
      let board = board(rank)
      for round in 1...UInt64(rounds) {
        // Another one is late in every round.
        if Int(round) % (ranks + 1) == rank { sched_yield() }
        board.arrive()
        barrier.wait()
        for other in 0..<ranks {
          let seen = board.arrivals(of: other)
          if seen != round && seen != round + 1 {
            complaints.add("after round \(round), rank \(rank) finds rank \(other) in round \(seen)")
          }
        }
      }
    }
  }
}

/// One after the other: they want all cores.
@Suite(.serialized) struct ServerBarrierTests {
  @Test(arguments: [1, 2, 3, 4, 8], Patience.allCases)
  func nobodyLeavesBeforeAllHaveCome(_ ranks: Int, _ patience: Patience) {
    let rounds = patience.rounds(ranks: ranks)
    let server = Server(ranks: ranks, patience)
    #expect(server.expectOrder(rounds: rounds) == [])
    #expect(server.words.map { Int($0.pointee) } == [rounds], "all that remains is the number of rounds")
  }

  @Test(arguments: [2, 3, 8], Patience.allCases)
  func whatWasWrittenBeforeIsSeenAfter(_ ranks: Int, _ patience: Patience) {
    let server = Server(ranks: ranks, patience)
    let lineWords = 24
    let written = ServerMemory(byteCount: 8 * lineWords * ranks)
    let complaints = onThreads(ranks: ranks) { rank, complaints in
      let barrier = server.barrier(rank)
      let words = UnsafeMutableBufferPointer(
        start: written[rank].assumingMemoryBound(to: Int.self), count: lineWords * ranks)
      for round in 1...patience.rounds(ranks: ranks) / 2 {
        for index in 0..<lineWords { words[lineWords * rank + index] = round &* (rank + 1) }
        barrier.wait()
        let sum = words.reduce(0, &+)
        if sum != round * lineWords * ranks * (ranks + 1) / 2 {
          complaints.add("rank \(rank) does not see in round \(round) what all have written")
        }
        barrier.wait()
      }
    }
    #expect(complaints == [])
  }

  /// The last rank comes when the system says that all others sleep. They see the barrier at addresses of their own.
  /// Each would look by itself after a tenth of a second: so many rounds would then take a minute.
  @Test(arguments: [2, 3, 8], [Patience.short, .none])
  func whoWaitsLongSleepsAndIsWoken(_ ranks: Int, _ patience: Patience) {
    let server = Server(ranks: ranks, patience, addresses: ranks)
    let complaints = onThreads(ranks: ranks, limit: 30) { rank, complaints in
      let barrier = server.barrier(rank)
      let board = server.board(rank)
      RankBoard.show(threadNumber(), at: board.place)
      barrier.wait()
      for round in 1...UInt64(600) {
        if rank == 0 {
          for other in 1..<ranks {
            while board.arrivals(of: other) < round || !isAsleep(thread: board.place(of: other)) {
              sched_yield()
            }
          }
          // Long enough for all to look by themselves, and to sleep again.
          if round == 1 { usleep(300_000) }
        }
        board.arrive()
        barrier.wait()
        if (1..<ranks).contains(where: { board.arrivals(of: $0) < round }) || board.arrivals(of: 0) < round {
          complaints.add("rank \(rank) has left round \(round) too early")
        }
      }
    }
    #expect(complaints == [])
    #expect(server.words.count == 1, "nobody is still counted as waiting or sleeping")
  }

  /// All find the same rank that came last and when it came; it alone finds how much later than the last but one.
  @Test(arguments: [2, 3, 8], Patience.allCases) func whoCameLast(_ ranks: Int, _ patience: Patience) {
    let server = Server(ranks: ranks, patience)
    let openings = ServerMemory(byteCount: 8 * ranks)
    let complaints = onThreads(ranks: ranks, limit: 60) { rank, complaints in
      let barrier = server.barrier(rank)
      let board = server.board(rank)
      let seen = openings[0].assumingMemoryBound(to: UInt64.self)
      var unknown = 0
      for round in 1...UInt64(40) {
        let late = Int(round) % ranks
        if rank == late {
          for other in 0..<ranks where other != rank {
            while board.arrivals(of: other) < round { sched_yield() }
          }
          usleep(2_000)
        }
        let arrived = Ticks.now
        board.arrive()
        let opening = barrier.wait(arrived: arrived)
        // Between its word and the barrier another may lose its core.
        if opening.isOwn != (opening.last == rank) { complaints.add("rank \(rank): \(opening)") }
        if opening.isOwn && opening.delay > opening.ticks { complaints.add("\(opening)") }
        // Or between the barrier and the word that says when it came.
        if opening.last == late, rank == late, opening.delay == 0 { unknown += 1 }
        if opening.last == late, rank != late, opening.ticks < arrived {
          complaints.add("round \(round): rank \(rank) came before rank \(late), and is told the contrary")
        }
        seen[rank] = opening.ticks
        barrier.wait()
        if (0..<ranks).contains(where: { seen[$0] != opening.ticks }) {
          complaints.add("round \(round): they do not agree on when it was opened")
        }
        barrier.wait()
      }
      if unknown > 20 / ranks { complaints.add("rank \(rank) was late \(unknown) times by nothing") }
    }
    #expect(complaints == [])
  }

  /// After 2³² rounds, some hours of short steps, their number begins again at 0.
  @Test(arguments: [2, 3], Patience.allCases)
  func theNumberOfRoundsMayOverflow(_ ranks: Int, _ patience: Patience) throws {
    let server = Server(ranks: ranks, patience)
    try #require(server.expectOrder(rounds: 1) == [])
    let word = try #require(server.words.first)
    word.pointee = UInt32.max - 9
    let complaints = onThreads(ranks: ranks) { rank, complaints in
      let barrier = server.barrier(rank)
      let board = server.board(rank)
      for round in 2...UInt64(30) {
        board.arrive()
        barrier.wait()
        if (0..<ranks).contains(where: { board.arrivals(of: $0) < round }) {
          complaints.add("rank \(rank) has left round \(round) too early")
        }
      }
    }
    #expect(complaints == [])
    #expect(word.pointee == 19)
  }

  /// What comes after them can be neither read nor written.
  @Test func itKeepsWithinItsBytes() async {
    await #expect(processExitsWith: .success) {
      let page = sysconf(Int32(_SC_PAGESIZE))
      let memory = ServerMemory(byteCount: 2 * page)
      try #require(mprotect(memory[0] + page, page, PROT_NONE) == 0)
      let complaints = onThreads(ranks: 3) { rank, _ in
        let barrier = ServerBarrier(
          memory: memory[rank] + page - ServerBarrier.byteCount, localRank: rank, rankCount: 3, spins: 0,
          yields: 0)
        for _ in 0..<100 { barrier.wait() }
      }
      #expect(complaints == [])
    }
  }

  @Test func whoSharesCoresDoesNotSpin() {
    for value in [nil, "", "0", "false", "no", "2"] {
      let own = ServerBarrier.patience(hasOwnCores: true, yieldsWhenIdle: value)
      #expect(own.spins > 1000 && own.yields > 0, "\(value ?? "nil")")
      #expect(ServerBarrier.patience(hasOwnCores: false, yieldsWhenIdle: value).spins == 0)
    }
    for value in ["1", "true", "True", "YES", "enabled"] {
      #expect(ServerBarrier.patience(hasOwnCores: true, yieldsWhenIdle: value).spins == 0, "\(value)")
    }
  }
}
