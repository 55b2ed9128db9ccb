// An event file of TensorBoard: records that are collected, and written together once a second.
import Glibc
import MPI
import System
import Text

/// A file that TensorBoard reads while it grows.
package final class EventFile {
  private let output: CollectedOutput

  /// What the names of all event files begin with.
  private static let prefix = "events.out.tfevents."

  /// Creates a file behind those that the folder has.
  /// - Parameter firstStep: the first step that a run which goes on tells anew; later files are read after earlier ones,
  ///   and of what these tell of this step and later ones nothing is left.
  /// - Throws: `DistsgdError` (`cannotCreate`, `inputOutput`).
  package init(in folder: String, goingOnAt firstStep: Int? = nil) throws {
    guard let place = OpenFolder(folder, followsLink: true) else {
      throw DistsgdError(
        .cannotCreate, "--tensorboard: cannot open the folder '\(folder)': \(errorText(errno))")
    }
    // TensorBoard reads files in the order of their names.
    let newest = place.entries().compactMap { name in
      name.hasPrefix(Self.prefix) ? Int(name.dropFirst(Self.prefix.count).prefix { $0 != "." }) : nil
    }.max()
    let now = wallSeconds()
    let second = max(Int(now), (newest ?? 0) + 1)
    let host = hostName().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
    let digits = String(second)
    let number = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    let name = "\(Self.prefix)\(number).\(host.isEmpty ? "host" : host).\(getpid()).0"
    output = CollectedOutput(to: try TextFile(creating: "\(folder)/\(name)", in: place))
    appendRecord(EventMessage.version(at: now), to: &output.bytes)
    if let firstStep { appendRecord(EventMessage.restart(step: firstStep, at: now), to: &output.bytes) }
    try flush()
  }

  /// - Throws: `DistsgdError` (`inputOutput`), for example when the disk is full.
  package func write(_ summary: Summary, step: Int) throws {
    guard !summary.isEmpty else { return }
    appendRecord(EventMessage.summary(summary, step: step, at: wallSeconds()), to: &output.bytes)
    try output.flushIfDue()
  }

  package func flush() throws { try output.flush() }
}
