// How much an example of each class counts: `--class-weights`.
import DataFormats
import DistributedSGD
import System
import Text

/// Weights of classes, as a user gives them.
public enum ClassWeights: Sendable, Equatable, CustomStringConvertible {
  /// N / (classes · examples of the class): all classes count the same together.
  case balanced
  /// One for each class, in their order.
  case ordered([Double])
  /// By the classes' names; those without count 1.
  case named([String], [Double])

  /// `balanced`, `1,2.5,1`, or `cat=2,dog=0.5`; nil where `text` is none of them.
  public init?(_ text: String) {
    if text == "balanced" {
      self = .balanced
      return
    }
    func weight(_ text: Substring) -> Double? {
      decimalNumber(text).flatMap { $0 >= 0 && $0 <= 1e30 ? $0 : nil }
    }
    var (names, weights): ([String], [Double]) = ([], [])
    for part in ColumnList.parse(text) {
      let equals = part.lastIndex(of: "=")
      if let equals { names.append(String(part[..<equals])) }
      guard let number = weight(equals.map { part[part.index(after: $0)...] } ?? Substring(part)) else {
        return nil
      }
      weights.append(number)
    }
    guard weights.contains(where: { $0 > 0 }) else { return nil }
    if names.isEmpty {
      self = .ordered(weights)
    } else if names.count == weights.count, Set(names).count == names.count {
      self = .named(names, weights)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .balanced: "balanced"
    case .ordered(let weights): weights.map { "\($0)" }.joined(separator: ",")
    case .named(let names, let weights):
      ColumnList.text(zip(names, weights).map { "\($0)=\($1)" })
    }
  }

  /// The weight of each class.
  /// - Parameters:
  ///   - names: nil where classes are numbers.
  ///   - labels: of the training set.
  /// - Throws: `DistsgdError` (`usage`) where they do not fit the classes.
  func weights(
    classCount: Int, names: [String]?, labels: UnsafeBufferPointer<Int32>
  ) throws(DistsgdError) -> [Float] {
    switch self {
    case .balanced:
      var counts = [Int](repeating: 0, count: classCount)
      for label in labels { counts[Int(label)] += 1 }
      let present = counts.count { $0 > 0 }
      return counts.map { $0 == 0 ? 0 : Float(Double(labels.count) / Double(present * $0)) }
    case .ordered(let weights):
      guard weights.count == classCount else {
        throw DistsgdError(
          .usage,
          "--class-weights \(self): \(weights.count) weight\(weights.count == 1 ? "" : "s"), and the data have \(classCount) classes: give one for each, or name=weight"
        )
      }
      return weights.map(Float.init)
    case .named(let chosen, let weights):
      let names = names ?? (0..<classCount).map(String.init)
      var all = [Float](repeating: 1, count: classCount)
      for (name, weight) in zip(chosen, weights) {
        guard let place = names.firstIndex(of: name) else {
          let some = names.prefix(10).map { printable($0, limit: 40) }.joined(separator: ", ")
          throw DistsgdError(
            .usage,
            "--class-weights: there is no class '\(printable(name))'; there are \(some)\(names.count > 10 ? " and more" : "")"
          )
        }
        all[place] = Float(weight)
      }
      return all
    }
  }
}
