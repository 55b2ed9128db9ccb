// What a rank shows on the board of its server, and what the others read there.
import Foundation
import MPI
import Testing

/// All that a board shows of a rank.
private struct Sight: Equatable {
  var arrivals: UInt64 = 0
  var place: UInt64 = 0
  var pulse: UInt64 = 0
  var isPunctual = false
  var isWaiting = false
  var ending: Int32?
}

extension RankBoard {
  fileprivate var sights: [Sight] {
    (0..<rankCount).map {
      Sight(
        arrivals: arrivals(of: $0), place: place(of: $0), pulse: pulse(of: $0), isPunctual: isPunctual($0),
        isWaiting: isWaiting($0), ending: ending(of: $0))
    }
  }
}

/// A server's memory, and the board as each of its ranks has it.
private struct Server: Sendable {
  let memory: ServerMemory
  let ranks: Int

  /// - Parameter bytesAfter: of memory that is not the board's.
  init(ranks: Int, bytesAfter: Int = 0) {
    self.ranks = ranks
    memory = ServerMemory(byteCount: RankBoard.byteCount(ranks: ranks) + bytesAfter)
  }

  func board(_ rank: Int) -> RankBoard {
    RankBoard(memory: memory[rank], localRank: rank, rankCount: ranks)
  }

  var boards: [RankBoard] { (0..<ranks).map(board) }
}

@Suite struct RankBoardTests {
  /// Each word of each rank: it changes what all see of this rank, and nothing else.
  @Test(arguments: [1, 2, 8]) func whatARankWritesAllRead(_ ranks: Int) {
    let boards = Server(ranks: ranks).boards
    var expected = [Sight](repeating: Sight(), count: ranks)
    func expectSights(_ what: String, _ rank: Int, _ change: (inout Sight) -> Void) {
      change(&expected[rank])
      for board in boards { #expect(board.sights == expected, "\(what) of rank \(rank)") }
    }
    for (rank, board) in boards.enumerated() {
      #expect(board.localRank == rank && board.rankCount == ranks)
      expectSights("nothing", rank) { _ in }
      for count in 1...3 {
        board.arrive()
        expectSights("an arrival", rank) { $0.arrivals = UInt64(count) }
      }
      RankBoard.show(0x1234_5678_9abc_def0 + UInt64(rank), at: board.place)
      expectSights("the place", rank) { $0.place = 0x1234_5678_9abc_def0 + UInt64(rank) }
      for count in 1...2 {
        board.beat()
        expectSights("a beat", rank) { $0.pulse = UInt64(count) }
      }
      board.isPunctual = true
      expectSights("punctual", rank) { $0.isPunctual = true }
      let result = board.waits {
        expectSights("waiting", rank) { $0.isWaiting = true }
        return 17
      }
      #expect(result == 17)
      expectSights("no longer waiting", rank) { $0.isWaiting = false }
      let code = Int32(rank)
      board.end(code)
      expectSights("the end", rank) { $0.ending = code }
      #expect(board.isPunctual)
      board.isPunctual = false
      expectSights("not punctual", rank) { $0.isPunctual = false }
    }
  }

  @Test func everyExitCodeIsToldFromNone() {
    let boards = Server(ranks: 2).boards
    #expect(boards[1].ending(of: 0) == nil)
    for code in [0, 1, 64, 76, 137, 255] as [Int32] {
      boards[0].end(code)
      #expect(boards[1].ending(of: 0) == code)
      #expect(boards[1].ending(of: 1) == nil)
    }
  }

  /// All ranks at once, as fast as they can, with a reader that never finds a count going back.
  @Test func ranksDoNotDisturbEachOther() {
    let server = Server(ranks: 4)
    let count: UInt64 = 50_000
    let complaints = onThreads(ranks: 4) { rank, complaints in
      let board = server.board(rank)
      var before: UInt64 = 0
      for step in 1...count {
        board.arrive()
        board.beat()
        RankBoard.show(step, at: board.place)
        board.isPunctual = step % 2 == 0
        let arrivals = board.arrivals(of: (rank + 1) % 4)
        if arrivals < before || arrivals > count {
          complaints.add("rank \(rank) reads \(arrivals) after \(before)")
        }
        before = arrivals
      }
    }
    #expect(complaints == [])
    let expected = Sight(arrivals: count, place: count, pulse: count, isPunctual: true)
    #expect(server.board(0).sights == [Sight](repeating: expected, count: 4))
  }

  @Test func itKeepsWithinItsBytes() {
    let ranks = 3
    let server = Server(ranks: ranks, bytesAfter: 256)
    let byteCount = RankBoard.byteCount(ranks: ranks)
    memset(server.memory[0] + byteCount, 0xa5, 256)
    for board in server.boards {
      for word in [board.arrive, board.beat, { board.isPunctual = true }, { board.end(1) }] { word() }
      RankBoard.show(.max, at: board.place)
      _ = board.claimsTheWord()
    }
    #expect(server.memory.bytes.suffix(256).allSatisfy { $0 == 0xa5 })
  }

  @Test func theTimeoutIsAProcessesOwn() {
    let boards = Server(ranks: 2).boards
    #expect(boards.map(\.timeout) == [60, 60])
    for timeout in [0, 0.25, 3600, 1e9] {
      boards[0].timeout = timeout
      #expect(boards.map(\.timeout) == [timeout, 60])
    }
  }

  @Test func whoTakesItsTimeIsNotPunctualMeanwhile() throws {
    struct Refusal: Error {}
    let boards = Server(ranks: 2).boards
    let (rank, other) = (boards[0], boards[1])
    other.isPunctual = true
    for before in [false, true] {
      rank.isPunctual = before
      let result = rank.takesItsTime {
        #expect(!other.isPunctual(0) && !rank.isPunctual)
        rank.takesItsTime { #expect(!other.isPunctual(0)) }
        #expect(!other.isPunctual(0), "the outer work goes on")
        return "done"
      }
      #expect(result == "done")
      #expect(other.isPunctual(0) == before)
      #expect(throws: Refusal.self) { try rank.takesItsTime { throw Refusal() } }
      #expect(other.isPunctual(0) == before, "after an error too")
    }
    #expect(other.isPunctual, "another rank's is its own")
  }

  /// Every rank wants to tell at the same moment; in each of many rounds one may.
  @Test func oneOfAllHasTheWord() {
    let (ranks, rounds) = (3, 2000)
    let byteCount = RankBoard.byteCount(ranks: ranks)
    let memory = ServerMemory(byteCount: rounds * byteCount)
    let barrierMemory = ServerMemory(byteCount: ServerBarrier.byteCount)
    let score = Server(ranks: ranks)
    let complaints = onThreads(ranks: ranks) { rank, _ in
      let barrier = ServerBarrier(
        memory: barrierMemory[rank], localRank: rank, rankCount: ranks, spins: 1000, yields: 10)
      let wins = score.board(rank)
      for round in 0..<rounds {
        let board = RankBoard(memory: memory[rank] + round * byteCount, localRank: rank, rankCount: ranks)
        barrier.wait()
        if board.claimsTheWord() { wins.arrive() }
        if board.claimsTheWord() { wins.arrive() }
      }
    }
    #expect(complaints == [])
    #expect((0..<ranks).reduce(0) { $0 + score.board(0).arrivals(of: $1) } == UInt64(rounds))
  }

  /// A board of one rank whose line names another process: the words of this one are found by their values.
  @Test func theEndOfAProcessCanBePolled() throws {
    let server = Server(ranks: 2)
    let boards = server.boards
    #expect(boards.map { $0.process(of: 1) } == [getpid(), getpid()])
    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/bin/sh")
    child.arguments = ["-c", "read line"]
    let input = Pipe()
    child.standardInput = input
    try child.run()
    server.memory.places(of: UInt64(getpid()))[1].pointee = UInt64(child.processIdentifier)
    #expect(boards[0].process(of: 1) == child.processIdentifier)
    let descriptor = boards[0].processDescriptor(of: 1)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    #expect(Glibc.poll(&poll, 1, 0) == 0, "it lives")
    try input.fileHandleForWriting.close()
    #expect(Glibc.poll(&poll, 1, 60_000) == 1 && poll.revents & Int16(POLLIN) != 0, "it has ended")

    // The same process number in another container is another process.
    var status = stat()
    try #require(stat("/proc/self/ns/pid", &status) == 0)
    let namespaces = server.memory.places(of: UInt64(status.st_ino))
    try #require(namespaces.count == 2)
    let own = boards[0].processDescriptor(of: 0)
    #expect(own >= 0)
    close(own)
    server.memory.places(of: UInt64(child.processIdentifier))[0].pointee = UInt64(getpid())
    let same = boards[0].processDescriptor(of: 1)
    #expect(same >= 0)
    close(same)
    namespaces[1].pointee += 1
    #expect(boards[0].processDescriptor(of: 1) == -1)
  }
}
