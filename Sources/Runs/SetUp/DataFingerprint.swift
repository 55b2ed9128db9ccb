// The data of a run in 16 digits: a run that is resumed on other data would not be the same run.
import DistributedSGD
import System
import Text

/// XXH64 of what is trained and evaluated on, in memory that lives as long as the job.
struct DataFingerprint: @unchecked Sendable {
  // Unchecked: the bytes are those of data sets, which nobody changes.
  private let pieces: [(bytes: UnsafeRawBufferPointer, file: MappedFile?)]

  init(_ sets: [Dataset]) { pieces = sets.flatMap(\.pieces) }

  /// Reads all of the data once. Each piece's hash is the seed of the next one's.
  var digits: String {
    hexadecimal(pieces.reduce(0) { hash($1.bytes, $1.file, seed: $0) })
  }

  /// Of each piece by itself: of every set its features, and its targets.
  var parts: [String] { pieces.map { hexadecimal(hash($0.bytes, $0.file, seed: 0)) } }

  /// What stays in its file is read in its order, and given back.
  private func hash(_ bytes: UnsafeRawBufferPointer, _ file: MappedFile?, seed: UInt64) -> UInt64 {
    guard let file else { return xxh64(bytes, seed: seed) }
    return xxh64(bytes, seed: seed) { next in
      if next.lowerBound % (256 << 20) == 0 { file.release() }
      file.announce(next)
    }
  }
}

extension Dataset {
  /// The features' bytes, with their file if they stay in it, the targets', and the weights' where there are any.
  fileprivate var pieces: [(bytes: UnsafeRawBufferPointer, file: MappedFile?)] {
    let values = count * featureCount
    let featureBytes =
      switch features {
      case .float32(let start): UnsafeRawBufferPointer(start: start, count: 4 * values)
      case .uint8(let start, _): UnsafeRawBufferPointer(start: start, count: values)
      }
    return [
      (featureBytes, mapping),
      (UnsafeRawBufferPointer(start: targetMemory, count: 4 * count * targetCount), nil),
    ] + (weights.map { [(UnsafeRawBufferPointer(start: $0, count: 4 * count), nil)] } ?? [])
  }
}
