// JSON: any value passed over, and the forms that the program's own files have.
import System

func readJSON(_ input: FuzzInput) throws {
  let reads: [(inout JSONScanner) throws -> Void] = [
    { try $0.skipValue() },
    { scanner in try scanner.object { scanner, _ in try scanner.skipValue() } },
    { scanner in try scanner.object { scanner, _ in _ = try scanner.string() } },
    { scanner in try scanner.object { scanner, _ in _ = try scanner.naturalNumbers() } },
    { scanner in _ = try scanner.array { try $0.number() } },
  ]
  for read in reads {
    var scanner = JSONScanner(input.bytes)
    do {
      try read(&scanner)
      try scanner.end()
    } catch let failure as JSONScanner.Failure {
      guard 0...input.bytes.count ~= failure.offset else {
        throw Finding("'\(failure.what)' lies at byte \(failure.offset) of \(input.bytes.count)")
      }
    }
  }
}
