// Files that a job is started with: options in YAML, and Open MPI's hosts.
import Doctor
import Runs

func readYAML(_ input: FuzzInput) throws {
  let mapping = try YAMLMapping(Array(input.bytes), path: "run.yaml")
  guard Set(mapping.members.map(\.key)).count == mapping.members.count else {
    throw Finding("an option stands there twice")
  }
  let lines = 1...1 + input.bytes.count
  guard mapping.members.allSatisfy({ lines ~= $0.line }) else { throw Finding("a line is beyond the end") }
  // Words, as a run writes them, are read as the same words.
  let words = mapping.members.compactMap { member in
    if case .word(let word, _) = member.value, member.isPlainKey { (member.key, word) } else { nil }
  }
  let settings = Dictionary(uniqueKeysWithValues: words)
  let again = try YAMLMapping(Array(configText(settings, comments: ["again"]).utf8), path: "again.yaml")
  let read = again.members.map { member in
    if case .word(let word, _) = member.value { (member.key, word) } else { (member.key, "") }
  }
  guard Dictionary(uniqueKeysWithValues: read) == settings else {
    throw Finding("\(settings) became \(again.members)")
  }
}

extension YAMLMapping.Member {
  /// Whether the key is one that an option may have.
  fileprivate var isPlainKey: Bool {
    key.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
      && key.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D }
  }
}

func readHostfile(_ input: FuzzInput) throws {
  if let count = slots(inHostfile: input.text), count < 1 { throw Finding("\(count) slots") }
}
