// The data of a run in 16 digits: a run that is resumed on other data would not be the same run.
import DistributedSGD
import System
import Text

/// XXH64 of what is trained and evaluated on, in memory that lives as long as the job.
package struct DataFingerprint: @unchecked Sendable {
  /// Some bytes, and where they are.
  fileprivate struct Piece {
    var bytes: UnsafeRawBufferPointer
    /// nil: in memory.
    var file: MappedFile?
    /// Whether it is the user's file, which may be larger than anybody wants to read before it is needed.
    var isUsersFile = false
  }

  // Unchecked: the bytes are those of data sets, which nobody changes.
  private let pieces: [Piece]

  init(_ sets: [Dataset]) { pieces = sets.flatMap(\.pieces) }

  /// Reads all data in memory once, and samples of a mapped file. Each piece's hash is the seed of the next one's.
  package var digits: String {
    hexadecimal(
      pieces.reduce(0) { seed, piece in
        piece.isUsersFile ? sampled(piece.bytes, seed: seed) : hash(piece, seed: seed)
      })
  }

  /// Of each piece by itself: of every set its features, and its targets. Reads all of the data once.
  var parts: [String] { pieces.map { hexadecimal(hash($0, seed: 0)) } }

  /// What stays in its file is read in its order, and given back.
  private func hash(_ piece: Piece, seed: UInt64) -> UInt64 {
    guard let file = piece.file else { return xxh64(piece.bytes, seed: seed) }
    return xxh64(piece.bytes, seed: seed) { next in
      if next.lowerBound % (256 << 20) == 0 { file.release() }
      file.announce(next)
    }
  }

  /// How many places are looked at, and bytes at each.
  private static let (places, size) = (4096, 4096)

  /// Of the number of bytes, and those at the beginning, at the end, and at a place in each of 4,096 equal parts, which
  /// does not lie at the same distance in all of them.
  private func sampled(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let part = bytes.count / Self.places
    guard part > Self.size else { return xxh64(bytes, seed: seed) }
    var result = withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { xxh64($0, seed: seed) }
    for number in 0..<Self.places {
      let jitter =
        Int(truncatingIfNeeded: (UInt64(number) &* 0x9E37_79B9_7F4A_7C15) >> 32) % (part - Self.size)
      let start = number == 0 ? 0 : number * part + jitter
      result = xxh64(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.size]), seed: result)
    }
    return xxh64(UnsafeRawBufferPointer(rebasing: bytes.suffix(Self.size)), seed: result)
  }
}

extension Dataset {
  /// The features, the targets, and the weights where there are any.
  fileprivate var pieces: [DataFingerprint.Piece] {
    let values = count * featureCount
    let featureBytes =
      switch features {
      case .float32(let start): UnsafeRawBufferPointer(start: start, count: 4 * values)
      case .uint8(let start, _): UnsafeRawBufferPointer(start: start, count: values)
      }
    return [
      DataFingerprint.Piece(bytes: featureBytes, file: mapping, isUsersFile: areInUsersFile),
      DataFingerprint.Piece(
        bytes: UnsafeRawBufferPointer(start: targetMemory, count: 4 * count * targetCount)),
    ] + (weights.map { [.init(bytes: UnsafeRawBufferPointer(start: $0, count: 4 * count))] } ?? [])
  }
}
