// A file line by line, whoever writes on at it.
import System
import Text

/// The lines of a text file, of which nothing is kept.
struct FileLines {
  let path: String
  private let file: FileBytes
  private static let longest = 1 << 26

  /// - Throws: `DistsgdError` (`noInput`, `inputOutput`).
  init(_ path: String) throws {
    self.path = path
    file = try FileBytes(path, takesPipe: false)
  }

  /// Calls `body` with every line, its number from 1, and whether it has its end: a job that writes may be in the middle
  /// of the last one.
  func forEach(_ body: (UnsafeRawBufferPointer, Int, Bool) throws -> Void) throws {
    try withExtendedLifetime(file) {
      var rest = UnsafeRawBufferPointer(rebasing: file.bytes[...])
      var number = 0
      while !rest.isEmpty {
        number += 1
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        let count = end ?? rest.count
        guard count <= Self.longest else {
          throw fail(number, "it is longer than \(Self.longest >> 20) MiB, which no line of ours is")
        }
        try body(UnsafeRawBufferPointer(rebasing: rest[..<count]), number, end != nil)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count + 1))
      }
    }
  }

  /// An error at a line.
  func fail(_ line: Int, _ what: String) -> DistsgdError {
    DistsgdError(.badData, "\(sourceName(path)), line \(line): \(what)")
  }
}
