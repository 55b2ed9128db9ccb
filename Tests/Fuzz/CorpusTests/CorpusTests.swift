// The kept corpus of the fuzzer through its readers, in every run of the tests and without libFuzzer.
import Foundation
import FuzzTargets
import TestSupport
import Testing

@Suite struct CorpusTests {
  /// A file that ends the reader in a trap ends the tests: it is read alone with `Tests/Fuzz/run TARGET FILE`.
  @Test(arguments: FuzzTarget.allCases)
  func everyFileEndsWell(target: FuzzTarget) throws {
    let folder = packageFolder + "/Tests/Fuzz/corpus/" + target.rawValue
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(names.count >= 3, "\(folder) has \(names)")
    let input = FuzzInput()
    for name in names {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
      // Cut short as well, which also takes the reader through its other ways.
      for count in Set([bytes.count, bytes.count - 1, bytes.count / 2]).sorted() where count >= 0 {
        do {
          try bytes.prefix(count).withUnsafeBytes { try input.with($0) { try target.read($0) } }
        } catch {
          Issue.record("\(target) \(name), \(count) bytes: \(error)")
        }
      }
    }
  }
}
