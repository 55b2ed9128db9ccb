// A file of options: one mapping of YAML (libyaml reads it) whose values are words or lists of words.
import CYAML
import System
import Text

/// The members of a YAML mapping, in the file's order, each with its line.
package struct YAMLMapping: Sendable {
  package struct Member: Sendable, Equatable {
    package var key: String
    package var value: Value
    /// From 1.
    package var line: Int
  }

  package enum Value: Sendable, Equatable {
    /// A word as it is written, and whether it stood in quotes.
    case word(String, isQuoted: Bool)
    case list([String])
  }

  package var members: [Member] = []

  /// - Parameters:
  ///   - path: of the file, for errors.
  /// - Throws: `DistsgdError` (`badData`), with the line, for what is no YAML, and for mappings within it, aliases, tags and
  ///   further documents.
  package init(_ bytes: [UInt8], path: String) throws(DistsgdError) {
    var reader = YAMLReader(bytes, path: path)
    defer { reader.finish() }
    members = try reader.mapping()
  }
}

/// Events of a YAML text, one by one.
private struct YAMLReader {
  /// libyaml's parser points at itself and at the text.
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private let text: UnsafeMutableBufferPointer<UInt8>
  private let path: String

  enum Event {
    case word(String, isQuoted: Bool), list, endOfList, mapping, endOfMapping, document, endOfDocument, end
  }

  init(_ bytes: [UInt8], path: String) {
    self.path = path
    text = .allocate(capacity: max(1, bytes.count))
    _ = text.initialize(from: bytes)
    parser.initialize(to: yaml_parser_t())
    yaml_parser_initialize(parser)
    yaml_parser_set_input_string(parser, text.baseAddress!, bytes.count)
  }

  mutating func finish() {
    yaml_parser_delete(parser)
    parser.deallocate()
    text.deallocate()
  }

  func mistake(_ line: Int, _ what: String) -> DistsgdError {
    DistsgdError(.badData, "--config \(path) line \(line): \(what)")
  }

  /// The next event and its line.
  private mutating func next() throws(DistsgdError) -> (Event, Int) {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) != 0 else {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        throw mistake(Int(parser.pointee.problem_mark.line) + 1, "it is no YAML: \(problem)")
      }
      defer { yaml_event_delete(&event) }
      let line = Int(event.start_mark.line) + 1
      func requirePlain(
        _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
      )
        throws(DistsgdError)
      {
        guard anchor == nil, tag == nil else {
          throw mistake(line, "anchors (&) and tags (!) are not read; write the value itself")
        }
      }
      switch event.type {
      case YAML_SCALAR_EVENT:
        let scalar = event.data.scalar
        try requirePlain(scalar.anchor, scalar.tag)
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return (
          .word(String(decoding: bytes, as: UTF8.self), isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE),
          line
        )
      case YAML_SEQUENCE_START_EVENT:
        try requirePlain(event.data.sequence_start.anchor, event.data.sequence_start.tag)
        return (.list, line)
      case YAML_SEQUENCE_END_EVENT: return (.endOfList, line)
      case YAML_MAPPING_START_EVENT:
        try requirePlain(event.data.mapping_start.anchor, event.data.mapping_start.tag)
        return (.mapping, line)
      case YAML_MAPPING_END_EVENT: return (.endOfMapping, line)
      case YAML_ALIAS_EVENT: throw mistake(line, "aliases (*) are not read; write the value itself")
      case YAML_DOCUMENT_START_EVENT: return (.document, line)
      case YAML_DOCUMENT_END_EVENT: return (.endOfDocument, line)
      case YAML_STREAM_END_EVENT: return (.end, line)
      default: continue
      }
    }
  }

  /// All of the text, which is one mapping, or nothing.
  mutating func mapping() throws(DistsgdError) -> [YAMLMapping.Member] {
    var members: [YAMLMapping.Member] = []
    switch try next() {
    case (.end, _): return []
    default: break
    }
    let (first, line) = try next()
    switch first {
    case .mapping: break
    // A file of comments alone.
    case .word("", isQuoted: false): return []
    default: throw mistake(line, "there should be options, a line each, as in 'epochs: 3'")
    }
    var lines: [String: Int] = [:]
    while case (.word(let key, _), let line) = try member() {
      if let former = lines.updateValue(line, forKey: key) {
        throw mistake(line, "'\(printable(key))' stands in line \(former) already; leave one of them out")
      }
      members.append(YAMLMapping.Member(key: key, value: try value(of: key), line: line))
    }
    _ = try next()
    let (last, end) = try next()
    guard case .end = last else {
      throw mistake(end, "there is a second document; keep one of them")
    }
    return members
  }

  /// A key, or the mapping's end.
  private mutating func member() throws(DistsgdError) -> (Event, Int) {
    let (event, line) = try next()
    switch event {
    case .word, .endOfMapping: return (event, line)
    default: throw mistake(line, "there should be the name of an option, as in 'epochs: 3'")
    }
  }

  private mutating func value(of key: String) throws(DistsgdError) -> YAMLMapping.Value {
    let (event, line) = try next()
    switch event {
    case .word(let word, let isQuoted):
      if !isQuoted, ["", "~", "null"].contains(word) {
        throw mistake(line, "'\(printable(key))' has no value; give it one, or leave the line out")
      }
      return .word(word, isQuoted: isQuoted)
    case .list:
      var words: [String] = []
      while true {
        let (event, line) = try next()
        switch event {
        case .word(let word, _): words.append(word)
        case .endOfList: return .list(words)
        default:
          throw mistake(
            line, "the list '\(printable(key))' holds more than words and numbers, which is not read")
        }
      }
    default:
      throw mistake(
        line,
        "'\(printable(key))' holds options of its own; all options stand side by side, by the names that they have on the command line"
      )
    }
  }
}
