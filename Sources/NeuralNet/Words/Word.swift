// Words by which a user names things: `adam:beta1=0.9`, `dense:256`, `residual(dense:8 relu dense:8)`.
import Text

/// A name, arguments behind a colon, and other words in parentheses.
public struct Word: Sendable, Equatable {
  /// `256`, or `beta1=0.9`.
  public struct Argument: Sendable, Equatable {
    /// What stands before the `=`; nil for an argument known by its place.
    public let key: String?
    /// As it was written.
    public let value: String
  }

  /// What stands before the colon.
  public let name: String
  /// Behind the colon, in the order in which they were written.
  public let arguments: [Argument]
  /// Those in parentheses.
  public let words: [Word]
  /// As it was written.
  public let text: String

  /// Words in words in words …: what a block of a block needs is looked up again for each.
  private static let maximumDepth = 8

  /// The only word of `text`.
  /// - Throws: `WordError`, also when there is none, or more than one.
  public init(parsing text: String) throws(WordError) {
    let words = try Word.list(parsing: text)
    guard words.count == 1 else {
      throw WordError(text, words.isEmpty ? "a name is missing" : "one word is wanted, without blanks")
    }
    self = words[0]
  }

  /// The words of `text`, which blanks separate.
  public static func list(parsing text: String) throws(WordError) -> [Word] {
    var rest = Array(text.utf8)[...]
    let words = try list(&rest, depth: 0)
    guard rest.isEmpty else { throw WordError(")", "closes nothing") }
    return words
  }

  private init(name: String, arguments: [Argument], words: [Word], text: String) {
    self.name = name
    self.arguments = arguments
    self.words = words
    self.text = text
  }

  /// Words up to the end or a `)`, which stays.
  private static func list(_ rest: inout ArraySlice<UInt8>, depth: Int) throws(WordError) -> [Word] {
    var words: [Word] = []
    while true {
      rest = rest.drop { blanks.contains($0) }
      guard let next = rest.first, next != UInt8(ascii: ")") else { return words }
      words.append(try word(&rest, depth: depth))
    }
  }

  private static func word(_ rest: inout ArraySlice<UInt8>, depth: Int) throws(WordError) -> Word {
    let start = rest
    rest = rest.drop { !blanks.contains($0) && !brackets.contains($0) }
    let head = String(decoding: start[..<rest.startIndex], as: UTF8.self)
    var words: [Word] = []
    if rest.first == UInt8(ascii: "(") {
      guard depth < maximumDepth else { throw WordError(head, "too many parentheses in each other") }
      rest = rest.dropFirst()
      words = try list(&rest, depth: depth + 1)
      guard rest.first == UInt8(ascii: ")") else {
        throw WordError(String(decoding: start, as: UTF8.self), "its parenthesis is not closed")
      }
      rest = rest.dropFirst()
    }
    let text = String(decoding: start[..<rest.startIndex], as: UTF8.self)
    let parts = head.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, !name.isEmpty else { throw WordError(text, "it has no name") }
    guard parts.count == 2 else { return Word(name: String(name), arguments: [], words: words, text: text) }
    var arguments: [Argument] = []
    for part in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard pair.allSatisfy({ !$0.isEmpty }) else {
        throw WordError(text, "something is missing at '\(part)'")
      }
      arguments.append(Argument(key: pair.count == 2 ? pair[0] : nil, value: pair[pair.count - 1]))
    }
    return Word(name: String(name), arguments: arguments, words: words, text: text)
  }

  private static let blanks = Set(" \t\n\r".utf8)
  private static let brackets = Set("()".utf8)
}

/// What is wrong with a word that a user has written.
public struct WordError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The word at fault, as it was written.
  public let token: String
  /// What is wrong with it, and what would be right.
  public let reason: String
  /// A name that is not there, and those that are; for whoever can guess which was meant.
  package let unknown: String?
  /// The names that are there.
  package let known: [String]

  /// - Parameter token: the word at fault, as it was written.
  public init(_ token: String, _ reason: String) {
    self.init(token: token, reason: reason, unknown: nil, known: [])
  }

  /// There is no `kind` of this name.
  init(unknown word: Word, kind: String, known: [String]) {
    self.init(
      token: word.text, reason: "there is no \(kind) '\(word.name)'", unknown: word.name, known: known)
  }

  private init(token: String, reason: String, unknown: String?, known: [String]) {
    self.token = token
    self.reason = reason
    self.unknown = unknown
    self.known = known
  }

  /// This error, where the word could have been one of these names of a model too.
  func naming(_ models: [String]) -> WordError {
    guard let unknown else { return self }
    return WordError(
      token: token, reason: "there is no model '\(unknown)'", unknown: unknown, known: models + known)
  }

  public var description: String { "'\(token)': \(reason)" }
}

/// Takes a word's arguments, by place or by key; `end` refuses what nobody took.
public struct WordReader {
  private let word: Word
  private var places: [String]
  private var keys: [String: String] = [:]

  /// - Throws: `WordError` for a key that stands there twice.
  public init(_ word: Word) throws(WordError) {
    self.word = word
    places = word.arguments.filter { $0.key == nil }.map(\.value)
    for case let (key?, value) in word.arguments.map({ ($0.key, $0.value) }) {
      guard keys.updateValue(value, forKey: key) == nil else {
        throw WordError(word.text, "\(key) stands there twice")
      }
    }
  }

  /// The next whole number without a key; nil where none is left.
  public mutating func nextCount(_ what: String, in range: ClosedRange<Int>) throws(WordError) -> Int? {
    guard !places.isEmpty else { return nil }
    return try count(places.removeFirst(), what, range)
  }

  /// `key=7`, a whole number; nil where it is not said.
  public mutating func count(_ key: String, in range: ClosedRange<Int>) throws(WordError) -> Int? {
    guard let text = keys.removeValue(forKey: key) else { return nil }
    return try count(text, key, range)
  }

  /// The next number without a key; nil where none is left.
  public mutating func nextNumber(_ what: String, _ range: NumberRange) throws(WordError) -> Double? {
    guard !places.isEmpty else { return nil }
    return try number(places.removeFirst(), what, range)
  }

  /// `key=0.9`; nil where it is not said.
  public mutating func number(_ key: String, _ range: NumberRange) throws(WordError) -> Double? {
    guard let text = keys.removeValue(forKey: key) else { return nil }
    return try number(text, key, range)
  }

  /// `key=text`; nil where it is not said.
  public mutating func text(_ key: String) -> String? { keys.removeValue(forKey: key) }

  /// Whether `name` stands there, without a value.
  public mutating func flag(_ name: String) -> Bool {
    guard let index = places.firstIndex(of: name) else { return false }
    places.remove(at: index)
    return true
  }

  /// - Throws: `WordError` where the word has parentheses, or arguments that nobody took.
  public func end(allowsWords: Bool = false) throws(WordError) {
    if let argument = places.first ?? keys.keys.sorted().first {
      throw WordError(word.text, "'\(word.name)' does not know what to do with '\(argument)'")
    }
    guard allowsWords || word.words.isEmpty else {
      throw WordError(word.text, "'\(word.name)' takes no words in parentheses")
    }
  }

  private func count(_ text: String, _ what: String, _ range: ClosedRange<Int>) throws(WordError) -> Int {
    guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let value = Int(text),
      range.contains(value)
    else {
      throw WordError(
        word.text,
        "\(what) is '\(text)' and must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func number(_ text: String, _ what: String, _ range: NumberRange) throws(WordError) -> Double {
    guard let value = decimalNumber(text), range.contains(value) else {
      throw WordError(word.text, "\(what) is '\(text)' and must be a number \(range.words)")
    }
    return value
  }
}

/// Which numbers an argument may be.
public struct NumberRange: Sendable {
  fileprivate let contains: @Sendable (Double) -> Bool
  fileprivate let words: String

  /// 0 ≤ x < 1
  public static let fraction = NumberRange(contains: { $0 >= 0 && $0 < 1 }, words: "from 0 to below 1")
  /// 0 ≤ x ≤ 1
  public static let share = NumberRange(contains: { $0 >= 0 && $0 <= 1 }, words: "from 0 to 1")
  /// x > 0
  public static let positive = NumberRange(contains: { $0 > 0 && $0.isFinite }, words: "above 0")
  /// x ≥ 0
  public static let notNegative = NumberRange(contains: { $0 >= 0 && $0.isFinite }, words: "from 0 up")
  /// All finite numbers.
  public static let any = NumberRange(contains: { $0.isFinite }, words: "")
}
