// The one list of what a user can name: layers, losses, optimizers and schedules; and of what is measured.
import Synchronization

/// Who answers to which word. Other packages add their own at the start of a program, before anything is parsed:
/// `Catalog.add(layer: MyLayer.self)`.
public enum Catalog {
  private struct Lists {
    var layers: [any Layer.Type] = [
      Dense.self, Activation.self, Convolution.self, Pooling.self, Flatten.self, BatchNorm.self,
      LayerNorm.self,
      Dropout.self, Residual.self,
    ]
    var losses: [any Loss.Type] = [
      SquaredLoss.self, CrossEntropy.self, HuberLoss.self, BinaryCrossEntropy.self,
    ]
    var optimizers: [any Optimizer.Type] = [
      SGD.self, Adagrad.self, RMSprop.self, Adadelta.self, Adam.self, LARS.self, LAMB.self,
    ]
    var schedules: [any Schedule.Type] = [
      ConstantSchedule.self, StepSchedule.self, ExponentialSchedule.self, PolynomialSchedule.self,
      CosineSchedule.self, OneCycleSchedule.self, InverseSquareRootSchedule.self,
    ]
    var measures: [any MeasureFamily.Type] = [
      TopFive.self, LogLoss.self, AreaUnderCurve.self, ClassCounts.self, ConfusionMatrix.self,
      ErrorsOfNumbers.self,
    ]
  }

  private static let lists = Mutex(Lists())

  /// The last added first; here and below, measures apart.
  public static var layers: [any Layer.Type] { lists.withLock { $0.layers } }
  /// What `--loss` knows.
  public static var losses: [any Loss.Type] { lists.withLock { $0.losses } }
  /// What `--optimizer` knows.
  public static var optimizers: [any Optimizer.Type] { lists.withLock { $0.optimizers } }
  /// What `--schedule` knows.
  public static var schedules: [any Schedule.Type] { lists.withLock { $0.schedules } }

  /// What `evaluate` and `--validation` tell beside the loss, in this order.
  public static var measures: [any MeasureFamily.Type] { lists.withLock { $0.measures } }

  /// Tells more of every model that it has something to say of.
  public static func add(measures: any MeasureFamily.Type) { lists.withLock { $0.measures.append(measures) } }
  /// For `--model` and model files. Where two have one name, the last that was added has it; here and below.
  public static func add(layer: any Layer.Type) { lists.withLock { $0.layers.insert(layer, at: 0) } }
  /// For `--loss` and model files.
  public static func add(loss: any Loss.Type) { lists.withLock { $0.losses.insert(loss, at: 0) } }
  /// For `--optimizer` and checkpoints.
  public static func add(optimizer: any Optimizer.Type) {
    lists.withLock { $0.optimizers.insert(optimizer, at: 0) }
  }
  /// For `--schedule`.
  public static func add(schedule: any Schedule.Type) {
    lists.withLock { $0.schedules.insert(schedule, at: 0) }
  }

  /// The layer that a word asks for, with those in its parentheses.
  /// - Throws: `WordError`, also for a name that is not in the list; here and below.
  public static func layer(_ word: Word) throws(WordError) -> any Layer {
    let type = try type(named: word, among: layers, kind: "layer") { $0.names }
    guard let composite = type as? any CompositeLayer.Type, !word.words.isEmpty else {
      return try type.init(word)
    }
    var inner: [any Layer] = []
    for word in word.words { inner.append(try layer(word)) }
    return try composite.init(word, layers: inner)
  }

  /// Of a word such as `huber:delta=1`.
  public static func loss(_ text: String) throws(WordError) -> any Loss {
    let word = try Word(parsing: text)
    return try type(named: word, among: losses, kind: "loss") { $0.names }.init(word)
  }

  /// Of a word such as `adam:beta1=0.9`.
  public static func optimizer(_ text: String) throws(WordError) -> any Optimizer {
    let word = try Word(parsing: text)
    return try type(named: word, among: optimizers, kind: "optimizer") { $0.names }.init(word)
  }

  /// Of a word such as `step:every=1epoch,factor=0.1`, or of several with blanks between them: the product of their
  /// factors.
  public static func schedule(_ text: String) throws(WordError) -> any Schedule {
    let words = try Word.list(parsing: text)
    guard words.count > 1 else { return try schedule(Word(parsing: text)) }
    var schedules: [any Schedule] = []
    for word in words { schedules.append(try schedule(word)) }
    return ProductSchedule(schedules)
  }

  private static func schedule(_ word: Word) throws(WordError) -> any Schedule {
    try type(named: word, among: schedules, kind: "schedule") { $0.names }.init(word)
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
