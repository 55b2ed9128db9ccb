// What may become of a file's bytes on their way.
import RandomNumbers

extension Array where Element == UInt8 {
  /// One to four changes: a flipped bit, a random or special byte, an inserted, deleted or repeated range, a cut;
  /// every tenth one is nothing but noise behind the first bytes. The same `iteration` gives the same damage.
  public func damaged(_ random: Philox, _ iteration: UInt64) -> [UInt8] {
    var bytes = self
    var draw = iteration * 64
    func next(_ bound: Int) -> Int {
      draw += 1
      return random.integer(draw, below: Swift.max(bound, 1))
    }
    if next(10) == 0 {
      let kept = next(13)
      return Array(bytes.prefix(kept))
        + (0..<next(200)).map { _ in UInt8(random.bits(UInt64(next(1 << 40))) & 255) }
    }
    let special: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x2C, 0x2D, 0x2E, 0x39, 0x65]
    for _ in 0...next(4) where !bytes.isEmpty {
      let at = next(bytes.count)
      switch next(7) {
      case 0: bytes[at] ^= 1 << UInt8(next(8))
      case 1: bytes[at] = UInt8(next(256))
      case 2: bytes[at] = special[next(special.count)]
      case 3: bytes.insert(special[next(special.count)], at: at)
      case 4: bytes.removeSubrange(at..<Swift.min(bytes.count, at + 1 + next(8)))
      case 5: bytes.insert(contentsOf: bytes[at..<Swift.min(bytes.count, at + 1 + next(16))], at: at)
      default: bytes.removeLast(next(bytes.count))
      }
    }
    return bytes
  }
}
