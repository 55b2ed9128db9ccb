// What the tests of this target share: reproducible random bits and a folder that is removed again.

import DistributedSGD
import Foundation

/// SplitMix64 (Steele et al. 2014): the same samples in every run.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Calls `body` with a new folder, removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("distsgd-\(UUID().uuidString)")
    .path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

/// The error that `body` throws; `nil` when it throws none.
func thrown(_ body: () throws -> Void) throws -> DistsgdError? {
  do {
    try body()
    return nil
  } catch let error as DistsgdError {
    return error
  }
}
