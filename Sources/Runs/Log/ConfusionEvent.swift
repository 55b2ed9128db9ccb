// What the classes of the validation set were taken for, as the event that ends metrics.jsonl has it.
import DistributedSGD
import System

extension JSONLine {
  /// Of more classes a line would be longer than all else, and nobody would look at them.
  private static let confusionLimit = 50

  /// Sets `classes` and `confusion`, a row for each true class, where the evaluation has them.
  /// - Parameter className: a class by its number.
  mutating func setConfusion(of evaluation: Evaluation?, className: (Int) -> String) {
    for case .matrix("confusion", let counts) in evaluation?.tables ?? [] {
      let classes = Int(Double(counts.count).squareRoot())
      guard 2...Self.confusionLimit ~= classes, classes * classes == counts.count else { return }
      self["classes"] = (0..<classes).map(className)
      let rows = (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) }
      // Weights may have a fraction.
      if counts.allSatisfy({ $0 == $0.rounded() && $0 < 0x1p53 }) {
        self["confusion"] = rows.map { $0.map { Int($0) } }
      } else {
        self["confusion"] = rows
      }
    }
  }
}
