// The readers that meet bytes of unknown origin, each as a function that takes any bytes at all.
import DataFormats
import DistributedSGD
import MPI
import System
import Text

/// A reader under test. libFuzzer calls it with what it makes up, the corpus test with what was kept.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case table, npy, npz, idx, safetensors, checkpoint, json, options, datagram, file, picture, report, yaml,
    hostfile

  /// Reads the input, which must end in a value or in a `DistsgdError` of one line; a trap is a finding too.
  ///
  /// - Throws: `Finding` for any other end.
  public func read(_ input: FuzzInput) throws {
    do {
      switch self {
      case .table: try readTable(input)
      case .npy: try readNPY(input)
      case .npz: try readNPZ(input)
      case .idx: try readIDX(input)
      case .safetensors: try readSafeTensors(input)
      case .checkpoint: try readCheckpoint(input)
      case .json: try readJSON(input)
      case .options: try readOptions(input)
      case .datagram: try readDatagram(input)
      case .file: try readFile(input)
      case .picture: try readPicture(input)
      case .report: try readReport(input)
      case .yaml: try readYAML(input)
      case .hostfile: try readHostfile(input)
      }
    } catch let error as AgreedError {
      try check(error.error)
    } catch let error as DistsgdError {
      try check(error)
    }
  }

  private func check(_ error: DistsgdError) throws {
    let text = error.description
    try requireLine(text)
    guard error.code != .internal else { throw Finding("the program blames itself: \(text)") }
  }
}

/// A line for a user: short, and without anything that a terminal would obey.
func requireLine(_ text: String) throws {
  guard visible(text) == text, text.utf8.count < 2_000 else {
    throw Finding("no short line: \(text)")
  }
}

/// What must not happen.
public struct Finding: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
