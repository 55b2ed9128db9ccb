// What the data tests share: files in a temporary folder, and errors as text.
import DataFormats
import Foundation
import System
import TestSupport
import Testing

extension TemporaryFolder {
  /// Writes a file and returns its path; where that cannot be done, says so and lets the test go on to fail.
  @discardableResult
  func put(_ bytes: [UInt8], to name: String) -> String {
    do { return try write(bytes, to: name) } catch { Issue.record("cannot write \(name): \(error)") }
    return self(name)
  }

  @discardableResult
  func put(_ text: String, to name: String) -> String { put(Array(text.utf8), to: name) }
}

func options(_ data: String, _ change: (inout DataOptions) -> Void = { _ in }) -> DataOptions {
  var options = DataOptions()
  options.data = data
  change(&options)
  return options
}

/// The error that loading ends in, which must be one line.
func loadError(
  _ data: String, _ change: (inout DataOptions) -> Void = { _ in },
  sourceLocation: SourceLocation = #_sourceLocation
) -> DistsgdError {
  do {
    let loaded = try loadData(options(data, change))
    Issue.record("loaded \(loaded.summary), expected an error", sourceLocation: sourceLocation)
  } catch {
    #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    return error
  }
  return DistsgdError(.internal, "no error")
}

/// Expects that loading fails with this code and a message that contains all the parts.
func expectError(
  _ code: ExitCode, _ parts: [String], _ data: String, _ change: (inout DataOptions) -> Void = { _ in },
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = loadError(data, change, sourceLocation: sourceLocation)
  #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(
      error.description.contains(part), "'\(error)' lacks '\(part)'", sourceLocation: sourceLocation)
  }
}

extension Examples {
  var floats: [Float] {
    switch features {
    case .float32(let values): values
    case .uint8(let bytes, let scale): bytes.map { Float($0) * scale }
    }
  }
  var bytes: [UInt8]? { if case .uint8(let bytes, _) = features { bytes } else { nil } }
  var values: [Float] { if case .values(let values) = targets { values } else { [] } }
  var labels: [Int32] { if case .labels(let labels, _) = targets { labels } else { [] } }
  var classCount: Int? { if case .labels(_, let count) = targets { count } else { nil } }
}

/// The folder of the real airfoil file: $DISTSGD_DATA, else ../shared/data beside the package.
let sharedData: String? = {
  let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  let folders = [ProcessInfo.processInfo.environment["DISTSGD_DATA"], "/\(package)/../shared/data"]
  return folders.compactMap { $0 }.first {
    FileManager.default.fileExists(atPath: $0 + "/airfoil_self_noise.dat")
  }
}()
