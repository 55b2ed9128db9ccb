// Classes that have names: numbered anew for the examples that are left, or as a model numbers them.
import System
import Text

extension RawExamples {
  /// The same with only those classes that have an example.
  mutating func dropEmptyClasses() {
    guard let names = classNames, let targets else { return }
    var isUsed = [Bool](repeating: false, count: names.count)
    for target in targets { isUsed[Int(target)] = true }
    guard isUsed.contains(false) else { return }
    var numbers = [Double](repeating: 0, count: names.count)
    var left: [String] = []
    for (number, name) in names.enumerated() where isUsed[number] {
      numbers[number] = Double(left.count)
      left.append(name)
    }
    classNames = left
    self.targets = targets.map { numbers[Int($0)] }
  }

  /// The same with the numbers that others give these classes.
  ///
  /// - Parameter known: the names by number; nil where classes are called by their numbers.
  /// - Throws: `badData` for a class that is none of them.
  mutating func number(as known: [String]?) throws(DistsgdError) {
    guard let names = classNames, let targets, known != names else { return }
    let places = Dictionary(
      (known ?? []).enumerated().map { ($1, Double($0)) }, uniquingKeysWith: { first, _ in first })
    let numbers = names.map { known == nil ? Int($0).map(Double.init) : places[$0] }
    if let row = targets.firstIndex(where: { numbers[Int($0)] == nil }) {
      throw DistsgdError(
        .badData,
        "class '\(printable(names[Int(targets[row])]))', \(source) example \(row + 1): the classes are \(known.map { listed($0) } ?? "numbers from 0 up")"
      )
    }
    self.targets = targets.map { numbers[Int($0)]! }
    classNames = known
  }
}
