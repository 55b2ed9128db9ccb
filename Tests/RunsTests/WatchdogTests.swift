// What the watchdog concludes from what it sees, and what the ranks conclude from each other's words.
import DistributedSGD
import MPI
import Runs
import Testing

@Suite struct StallDetectorTests {
  /// Three ranks in their tenth step.
  private func sights() -> [RankSight] {
    Array(
      repeating: RankSight(arrivals: 20, place: 10, pulse: 0, isPunctual: true, isWaiting: false), count: 3)
  }

  /// Looks every tenth of a second until `end`.
  private func watch(
    _ detector: inout StallDetector, from start: Double, to end: Double, furthest: UInt64 = 0,
    _ look: (Int) -> [RankSight]
  ) {
    for tick in 0...Int(((end - start) * 10).rounded()) {
      let seen = look(tick)
      detector.observe(
        seen, furthest: max(furthest, seen.map(\.arrivals).max()!), at: start + Double(tick) / 10, gap: 1)
    }
  }

  @Test func aStoppedProcess() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 6) { tick in
      var seen = sights()
      for rank in [0, 2] { seen[rank].pulse = UInt64(tick) }
      return seen
    }
    #expect(detector.stopped(for: 5) == 1)
    #expect(detector.stopped(for: 7) == nil)
  }

  @Test func aRankThatOthersWaitFor() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 6) { tick in
      var seen = sights()
      for rank in seen.indices { seen[rank].pulse = UInt64(tick) }
      seen[0].arrivals = 21
      seen[1].arrivals = 21
      return seen
    }
    #expect(detector.stopped(for: 5) == nil)
    #expect(detector.late(for: 5) == 2)
    #expect(detector.late(for: 7) == nil)
  }

  /// Ranks of another group are further, and go on; they neither wait nor hide who is waited for.
  @Test func groupsWaitForNobodyButTheirOwn() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 6) { tick in
      var seen = sights() + sights().prefix(1)
      for rank in seen.indices {
        seen[rank].pulse = UInt64(tick)
        seen[rank].group = rank == 3 ? 2 : 1
      }
      for rank in [0, 1] { seen[rank].arrivals = 21 }
      seen[3].arrivals = 100 + UInt64(tick)
      return seen
    }
    #expect(detector.late(for: 5) == 2)
    #expect(detector.late(for: 7) == nil)
  }

  /// Long steps are nobody's fault: a rank is late only when others have waited for it.
  @Test func nobodyIsLateBeforeTheOthersHaveWaited() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 100) { _ in sights() }
    #expect(detector.late(for: 5) == nil, "nobody is further")
    watch(&detector, from: 100.1, to: 104) { _ in
      var seen = sights()
      seen[0].arrivals = 21
      return seen
    }
    #expect(detector.late(for: 5) == nil)
    watch(&detector, from: 104.1, to: 106) { _ in
      var seen = sights()
      seen[0].arrivals = 21
      return seen
    }
    #expect(detector.late(for: 5) == 1)
  }

  /// The rank that has come furthest may be on another server.
  @Test func anotherServerWaits() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 6, furthest: 21) { _ in sights() }
    #expect(detector.late(for: 5) == 0)
  }

  @Test func whoMayTakeItsTimeOrWaitsItselfIsNotLate() {
    for change in [{ $0.isPunctual = false }, { $0.isWaiting = true }] as [(inout RankSight) -> Void] {
      var detector = StallDetector()
      watch(&detector, from: 0, to: 6, furthest: 21) { _ in
        var seen = sights()
        change(&seen[2])
        return seen
      }
      #expect(detector.late(for: 5) == 0, "another one")
      watch(&detector, from: 6.1, to: 7, furthest: 21) { tick in
        var seen = sights()
        change(&seen[2])
        for rank in [0, 1] { seen[rank].place = 100 + UInt64(tick) }
        return seen
      }
      #expect(detector.late(for: 5) == nil)
    }
  }

  @Test func allWaitForMessages() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 6) { _ in
      var seen = sights()
      seen[1].isWaiting = true
      return seen
    }
    #expect(detector.allWait(for: 5))
    #expect(!detector.allWait(for: 7))
    var nobodyWaits = StallDetector()
    watch(&nobodyWaits, from: 0, to: 6) { _ in sights() }
    #expect(!nobodyWaits.allWait(for: 5))
  }

  /// Who was stopped itself cannot blame others for not having moved meanwhile.
  @Test func afterAPauseOfItsOwnNothingIsKnown() {
    var detector = StallDetector()
    detector.observe(sights(), furthest: 21, at: 0, gap: 1)
    detector.observe(sights(), furthest: 21, at: 0.5, gap: 1)
    detector.observe(sights(), furthest: 21, at: 3600, gap: 1)
    #expect(detector.stopped(for: 5) == nil)
    #expect(detector.late(for: 5) == nil)
  }

  @Test func theLongestMoveOfPunctualRanksIsKnown() {
    var detector = StallDetector()
    watch(&detector, from: 0, to: 3) { _ in sights() }
    watch(&detector, from: 3.1, to: 4) { _ in
      var seen = sights()
      seen[1].arrivals += 1
      return seen
    }
    #expect(abs(detector.longestMove - 3.1) < 1e-9)
    watch(&detector, from: 4.1, to: 9) { tick in
      var seen = sights()
      seen[1].arrivals += 1
      seen[2].isPunctual = tick >= 40
      seen[0].place = 11
      return seen
    }
    #expect(
      abs(detector.longestMove - 4.1) < 1e-9, "rank 0 took this long; rank 2 did not have to be on time")
  }
}

@Suite struct SuspectTests {
  private let topology = Topology(serverOfRank: [0, 0, 0, 1, 1], hosts: ["a", "b"])

  @Test(
    arguments: [
      ([7, 7, 7, 7], nil, false), ([7, 7, 9, 7], 2, false), ([9, 7, 7, 7], 0, false), ([7, 9], 1, true),
      ([7, 7, 9, 9], 2, true), ([1, 2, 3], 1, true), ([5], nil, false),
    ] as [([UInt64], Int?, Bool)])
  func theMostAreRight(_ hashes: [UInt64], _ expected: Int?, _ isTie: Bool) {
    let suspect = Suspect(amongParameters: hashes) { .rank($0) }
    #expect(suspect?.party == expected.map { .rank($0) })
    #expect((suspect?.isOneOfTwo ?? false) == isTie)
  }

  @Test func words() {
    func words(_ hashes: [UInt64], _ party: (Int) -> Suspect.Party) -> String? {
      Suspect(amongParameters: hashes, party)?.words(topology: topology)
    }
    #expect(words([1, 1, 1, 2, 1], { .rank($0) }) == "rank 3 on b has other parameters than the other ranks")
    #expect(words([1, 2], { .rank($0) }) == "rank 1 on a has other parameters than rank 0")
    #expect(
      words([1, 2], { .server($0) }) == "the server b (ranks from 3) has other parameters than a")
  }

  /// What each rank leaves, and what all come to: combined by server, and then among servers.
  @Test func combinedWords() {
    func combined(
      _ all: [AgreementWords], comparesParameters: Bool = true,
      _ party: (Int) -> Suspect.Party = { .rank($0) }
    ) -> AgreementWords {
      let places = UnsafeMutableBufferPointer<UnsafeMutablePointer<AgreementWords>>.allocate(
        capacity: all.count)
      let memory = UnsafeMutablePointer<AgreementWords>.allocate(capacity: all.count)
      defer {
        places.deallocate()
        memory.deallocate()
      }
      for (index, words) in all.enumerated() {
        (memory + index).initialize(to: words)
        (places.baseAddress! + index).initialize(to: memory + index)
      }
      return AgreementWords.combined(
        UnsafeBufferPointer(places), party: party, comparesParameters: comparesParameters)
    }
    var words = AgreementWords()
    words.schedule = 5
    words.parameters = 6
    var asks = words
    asks.requests = .stop
    let same = combined([words, asks, words])
    #expect(same.suspect == nil && same.requests == .stop && same.schedule == 5 && same.parameters == 6)

    var other = words
    other.parameters = 8
    #expect(combined([words, words, other]).suspect?.party == .rank(2))
    #expect(combined([words, words, other]).suspect?.difference == .parameters)
    #expect(combined([words, words, other], comparesParameters: false).suspect == nil)

    var late = other
    late.schedule = 4
    let server = combined([words, words, late], comparesParameters: false)
    #expect(server.suspect?.difference == .schedule)
    let all = combined([words, server], { .server($0) })
    #expect(all.suspect?.party == .rank(2), "the rank is known already")
  }
}

@Suite struct FaultTests {
  @Test func forms() {
    #expect(Fault("kill:rank=3,step=50").map { [$0.rank, $0.step] } == [3, 50])
    #expect(Fault("stop:step=7,rank=0")?.kind == .stop)
    #expect(Fault("slow:rank=1,factor=2.5")?.factor == 2.5)
    #expect(Fault("full-disk:step=9").map { [$0.rank, $0.step] } == [0, 9])
    for text in [
      "", "kill", "kill:", "kill:rank=3", "kill:rank=3,step=0", "kill:rank=-1,step=2",
      "kill:rank=3,step=5,step=6",
      "kill:rank=3,step=5,factor=2", "slow:rank=1,factor=1", "slow:rank=1,factor=inf",
      "explode:rank=1,step=2",
      "kill:rank=3,step=5,", "full-disk:rank=1,step=3",
    ] {
      #expect(Fault(text) == nil, "\(text)")
    }
  }
}

@Suite struct PlaceTests {
  @Test func oneWordHoldsIt() {
    for phase in Phase.allCases {
      let place = Place(step: 123_456_789_012, after: phase)
      #expect(Place(word: place.word) == place)
      #expect(place.words == "in step 123456789012, after \(phase.name)")
    }
    #expect(Place(word: 0).words == "before its first step")
  }
}
