// The checkpoints of a run in their folder: named by step, the newest valid one found, old ones removed.
import Glibc

package struct CheckpointFolder: Sendable {
  /// `DIR/checkpoints`
  package let path: String

  package init(run: String) { path = run + "/checkpoints" }

  private static let prefix = "step-"
  private static let suffix = ".safetensors"

  /// `step-000001200.safetensors`: in the order of names is in the order of steps.
  package func file(step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, 9 - digits.count))
    return "\(path)/\(Self.prefix)\(zeros)\(digits)\(Self.suffix)"
  }

  func create() throws { try makeFolder(path) }

  /// The steps of all checkpoints, damaged or not, the newest first.
  package func steps() -> [Int] {
    entries().compactMap(Self.step).sorted(by: >)
  }

  /// The newest checkpoint that is whole. Those that are not are told to `pass` and passed over.
  package func newest(pass: (DistsgdError) -> Void) -> Checkpoint? {
    for step in steps() {
      do {
        return try Checkpoint(reading: file(step: step))
      } catch {
        pass(error as? DistsgdError ?? DistsgdError(.internal, "\(error)"))
      }
    }
    return nil
  }

  /// Removes all but the newest `keep` of the checkpoints up to `step`.
  func prune(keep: Int, upTo step: Int) {
    for old in steps().filter({ $0 <= step }).dropFirst(keep) { unlink(file(step: old)) }
  }

  /// Removes what a process that was killed had begun to write. Nobody else may be writing.
  func removeTemporaries() {
    for name in entries() where name.hasPrefix(Self.prefix) && name.contains(Self.suffix + ".tmp-") {
      unlink("\(path)/\(name)")
    }
  }

  private static func step(ofName name: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    return Int(name.dropFirst(prefix.count).dropLast(suffix.count))
  }

  private func entries() -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        })
    }
    return names
  }
}
