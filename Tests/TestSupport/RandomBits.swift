// Reproducible random bits, a folder for one test, and the error that a body throws.
import Foundation
import System

/// SplitMix64 (Steele et al. 2014): the same samples in every run.
public struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  public init(state: UInt64) { self.state = state }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Calls `body` with a new folder, removed afterwards.
public func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("distsgd-\(UUID().uuidString)")
    .path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

/// The error that `body` throws; `nil` when it throws none.
public func thrown(_ body: () throws -> Void) throws -> DistsgdError? {
  do {
    try body()
    return nil
  } catch let error as DistsgdError {
    return error
  }
}
