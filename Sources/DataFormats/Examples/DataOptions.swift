// What is to be read, and how: the words of the command line about data.
import System

/// What the command line says about data; `nil` means the data set's own default.
public struct DataOptions: Sendable {
  /// What the target column holds.
  public enum Task: String, Sendable { case regression, classification }

  /// A data set's name, or a path, or two paths with a comma between (inputs, targets).
  public var data = "airfoil-like"
  /// The column with the target: its name, or its number from 1, or several of them as `ColumnList` has them; a table's
  /// last one if nil.
  public var target: String?
  /// The columns with the inputs, or ranges of their numbers such as `2-13`; all others if nil.
  public var features: [String]?
  /// Columns that are neither inputs nor targets.
  public var exclude: [String]?
  /// A column that is carried into predictions.
  public var identifier: String?
  /// A column that says how much each example counts.
  public var weight: String?
  /// Whether a table's first row names its columns.
  public var header = HeaderChoice.auto
  /// What is done about missing values.
  public var missing = MissingChoice.error
  /// Fields that stand for a missing value, beside `NA`, `?` and the like.
  public var missingValues: [String] = []
  /// Whether columns of dates become year, month, day and so on.
  public var takesDates = false
  /// At most this many examples, taken from the front.
  public var examples: Int?
  /// A fraction such as `0.2`, a path, or `test`.
  public var validation: String?
  /// Whether inputs, and a regression's target, become of mean 0 and deviation 1.
  public var standardize: Bool?
  /// Regression or classification; what the target looks like if nil.
  public var task: Task?
  /// What images are resized to; nil: they are of one size as they are.
  public var imageSize: ImageSize?
  /// Of a set that is drawn, and of the examples that are held out.
  public var seed: UInt64 = 0
  /// Whether a table's numbers are in a file rather than in memory, which changes no bit.
  public var cacheFile = CacheFileChoice.auto
  /// Which ranks read the data.
  public var origin = DataOrigin.each
  /// Makes examples of the program's own, which `data` then is the name of; nil for those that `data` names.
  var own: (@Sendable () throws(DistsgdError) -> LoadedData)?

  /// The default data set with its own defaults.
  public init() {}

  /// Examples of the program's own.
  /// - Parameters:
  ///   - name: by which the run's files speak of them.
  ///   - make: called on the first rank of each server alone; gives the same on all of them.
  public init(named name: String, _ make: @escaping @Sendable () throws -> LoadedData) {
    data = name
    own = { () throws(DistsgdError) in
      do { return try make() } catch {
        throw error as? DistsgdError ?? DistsgdError(.badData, "\(name): \(error)")
      }
    }
  }
}
