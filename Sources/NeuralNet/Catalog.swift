// The one list of what a user can name: layers, losses, optimizers and schedules.
import Synchronization

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

/// Who answers to which word. Other packages add their own at the start of a program, before anything is parsed:
/// `Catalog.add(layer: MyLayer.self)`.
public enum Catalog {
  private struct Lists {
    var layers: [any Layer.Type] = [Dense.self, Activation.self, Dropout.self, Residual.self]
    var losses: [any Loss.Type] = [
      SquaredLoss.self, CrossEntropy.self, HuberLoss.self, BinaryCrossEntropy.self,
    ]
    var optimizers: [any Optimizer.Type] = [SGD.self, Adam.self]
    var schedules: [any Schedule.Type] = [ConstantSchedule.self, StepSchedule.self, CosineSchedule.self]
  }

  private static let lists = Mutex(Lists())

  public static var layers: [any Layer.Type] { lists.withLock { $0.layers } }
  public static var losses: [any Loss.Type] { lists.withLock { $0.losses } }
  public static var optimizers: [any Optimizer.Type] { lists.withLock { $0.optimizers } }
  public static var schedules: [any Schedule.Type] { lists.withLock { $0.schedules } }

  /// Where two have one name, the last that was added has it.
  public static func add(layer: any Layer.Type) { lists.withLock { $0.layers.insert(layer, at: 0) } }
  public static func add(loss: any Loss.Type) { lists.withLock { $0.losses.insert(loss, at: 0) } }
  public static func add(optimizer: any Optimizer.Type) {
    lists.withLock { $0.optimizers.insert(optimizer, at: 0) }
  }
  public static func add(schedule: any Schedule.Type) {
    lists.withLock { $0.schedules.insert(schedule, at: 0) }
  }

  /// - Throws: `WordError`, also for a name that is not in the list; here and below.
  public static func layer(_ word: Word) throws(WordError) -> any Layer {
    try type(named: word, among: layers, kind: "layer") { $0.names }.init(word)
  }

  public static func loss(_ text: String) throws(WordError) -> any Loss {
    let word = try Word(parsing: text)
    return try type(named: word, among: losses, kind: "loss") { $0.names }.init(word)
  }

  public static func optimizer(_ text: String) throws(WordError) -> any Optimizer {
    let word = try Word(parsing: text)
    return try type(named: word, among: optimizers, kind: "optimizer") { $0.names }.init(word)
  }

  public static func schedule(_ text: String) throws(WordError) -> any Schedule {
    let word = try Word(parsing: text)
    return try type(named: word, among: schedules, kind: "schedule") { $0.names }.init(word)
  }

  private static func type<Kind>(
    named word: Word, among types: [Kind], kind: String, names: (Kind) -> [String]
  ) throws(WordError) -> Kind {
    guard let found = types.first(where: { names($0).contains(word.name) }) else {
      throw WordError(unknown: word, kind: kind, known: types.flatMap(names))
    }
    return found
  }
}
