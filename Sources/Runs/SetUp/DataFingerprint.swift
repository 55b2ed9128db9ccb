// The data of a run in 16 digits: a run that is resumed on other data would not be the same run.
import DistributedSGD
import System
import Text

/// XXH64 of what is trained and evaluated on, in memory that lives as long as the job.
struct DataFingerprint: @unchecked Sendable {
  // Unchecked: the bytes are those of data sets, which nobody changes.
  private let pieces: [UnsafeRawBufferPointer]

  init(_ sets: [Dataset]) { pieces = sets.flatMap(\.bytes) }

  /// Reads all of the data once. Each piece's hash is the seed of the next one's.
  var digits: String {
    hexadecimal(pieces.reduce(0) { xxh64($1, seed: $0) })
  }

  /// Of each piece by itself: of every set its features, and its targets.
  var parts: [String] { pieces.map { hexadecimal(xxh64($0)) } }
}

extension Dataset {
  /// The features' bytes, the targets', and the weights' where there are any.
  fileprivate var bytes: [UnsafeRawBufferPointer] {
    let values = count * featureCount
    let featureBytes =
      switch features {
      case .float32(let start): UnsafeRawBufferPointer(start: start, count: 4 * values)
      case .uint8(let start, _): UnsafeRawBufferPointer(start: start, count: values)
      }
    return [featureBytes, UnsafeRawBufferPointer(start: targetMemory, count: 4 * count * targetCount)]
      + (weights.map { [UnsafeRawBufferPointer(start: $0, count: 4 * count)] } ?? [])
  }
}
