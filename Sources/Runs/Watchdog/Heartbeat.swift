// What one server tells another, as a datagram that only the servers of the same job can make.

package struct Heartbeat: Equatable {
  /// Who says it, and to whom; numbers of servers.
  package var sender: Int
  package var receiver: Int
  /// Of the sender's datagrams: none counts that is not newer than the one before.
  package var counter: UInt64
  /// Of the rank that has come furthest, anywhere.
  package var arrivals: UInt64 = 0
  /// Of the sender (`Place`).
  package var place: UInt64 = 0
  /// The longest that any rank has been seen to take from one move to the next; seconds.
  package var longestMove = 0.0
  /// Whether a rank of this server does what may take any time; the first server tells of all servers.
  package var takesItsTime = false
  /// Whether the receiver should answer at once.
  package var asks = false
  /// The code with which the job ends there; a user has been told why.
  package var ending: Int32?

  /// Of a server's last word, which any of its ranks may say: newer than all else.
  package static let lastCounter = UInt64.max

  package init(from sender: Int, to receiver: Int, counter: UInt64) {
    self.sender = sender
    self.receiver = receiver
    self.counter = counter
  }

  /// Words of 64 bits, little-endian: all but the last is what is said, the last one its keyed hash.
  private static let wordCount = 8
  package static let byteCount = 8 * wordCount

  /// `body` gets the datagram's bytes.
  package func withDatagram(sealedWith key: SipHash, _ body: (UnsafeRawBufferPointer) -> Void) {
    var words: [UInt64] = [
      UInt64(sender) << 32 | UInt64(receiver), counter, arrivals, place, longestMove.bitPattern,
      (takesItsTime ? 1 : 0) | (asks ? 2 : 0), ending.map { UInt64(UInt32(bitPattern: $0)) + 1 } ?? 0,
    ]
    words.append(key.hash(words))
    for index in words.indices { words[index] = words[index].littleEndian }
    words.withUnsafeBytes(body)
  }

  /// - Returns: nil for bytes that nobody with the key has made.
  package init?(_ datagram: UnsafeRawBufferPointer, openedWith key: SipHash) {
    guard datagram.count == Self.byteCount else { return nil }
    let words = (0..<Self.wordCount).map {
      UInt64(littleEndian: datagram.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
    }
    guard key.hash(words.dropLast()) == words.last else { return nil }
    sender = Int(words[0] >> 32)
    receiver = Int(words[0] & 0xFFFF_FFFF)
    counter = words[1]
    arrivals = words[2]
    place = words[3]
    longestMove = Double(bitPattern: words[4])
    takesItsTime = words[5] & 1 != 0
    asks = words[5] & 2 != 0
    ending = words[6] == 0 ? nil : Int32(truncatingIfNeeded: words[6] &- 1)
  }
}
