// What the data tests share: files in a temporary folder, errors as text, and writers of small binary files.
import DistributedSGD
import Foundation
import Glibc
import Testing

/// A folder that vanishes with the value's owner.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "distsgd-tests-" + UUID().uuidString
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) -> String {
    let file = path + "/" + name
    // With C's calls, because the fuzz test writes some 40,000 files.
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if written != bytes.count { Issue.record("cannot write \(file)") }
    close(descriptor)
    return file
  }

  @discardableResult
  func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }
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

/// An IDX file of unsigned bytes.
func idx(_ shape: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
  let sizes = shape.flatMap { size in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) }
  }
  return [0, 0, type, UInt8(shape.count)] + sizes + values
}

/// A gzip file of stored blocks (RFC 1951, 1952).
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var rest = bytes[...]
  repeat {
    let block = rest.prefix(65_535)
    rest = rest.dropFirst(block.count)
    let length = UInt16(block.count)
    result.append(rest.isEmpty ? 1 : 0)
    for word in [length, ~length] { result += [UInt8(word & 255), UInt8(word >> 8)] }
    result += block
  } while !rest.isEmpty
  for word in [crc32(bytes), UInt32(bytes.count)] {
    result += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: word >> $0) }
  }
  return result
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { crc, byte in
    (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
  }
}

/// A version 1 npy file.
func npy(_ type: String, _ shape: [Int], _ data: [UInt8], fortran: Bool = false) -> [UInt8] {
  let tuple = shape.map { "\($0)," }.joined(separator: " ")
  let order = fortran ? "True" : "False"
  let header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(tuple)), }\n"
  let length = UInt16(header.utf8.count)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
    + data
}

func littleEndian(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value.bitPattern >> $0) } }
}

/// The folder of the real airfoil file: $DISTSGD_DATA, else ../shared/data beside the package.
let sharedData: String? = {
  let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  let folders = [ProcessInfo.processInfo.environment["DISTSGD_DATA"], "/\(package)/../shared/data"]
  return folders.compactMap { $0 }.first {
    FileManager.default.fileExists(atPath: $0 + "/airfoil_self_noise.dat")
  }
}()
