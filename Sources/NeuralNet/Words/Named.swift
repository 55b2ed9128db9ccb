// What a user can name on a command line, and a checkpoint or a model file after her.

/// What has a word of its own, by which command lines, checkpoints and model files speak of it.
public protocol Named: Sendable, CustomStringConvertible {
  /// The names under which a word is one of these; mostly one.
  static var names: [String] { get }
  /// How one writes it, for help: `huber:delta=1`.
  static var form: String { get }
  /// - Throws: `WordError` that says what is wrong with the word's arguments.
  init(_ word: Word) throws(WordError)
  /// The whole word, from which an equal one can be made.
  var description: String { get }
}

/// What has a word without arguments.
public protocol PlainlyNamed: Named {
  /// The only one there is.
  init()
}

extension PlainlyNamed {
  public static var form: String { names[0] }
  public var description: String { Self.form }

  public init(_ word: Word) throws(WordError) {
    self.init()
    try WordReader(word).end()
  }
}
