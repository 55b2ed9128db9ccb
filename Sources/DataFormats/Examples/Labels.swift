// Class numbers: what may be one, and the message about what may not.
import System

/// The most classes a classification target may have.
let maximumClassCount = 65_536

/// What is wrong with a class number, or `nil`.
func labelProblem(_ value: Double) -> (what: String, hint: String)? {
  let text = value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  if value != value.rounded() || !value.isFinite {
    return ("label \(text) is not a whole number", "classes are numbered 0, 1, 2, …")
  }
  if value < 0 || value >= Double(maximumClassCount) {
    return ("label \(text) out of range", "classes are numbered 0 to at most \(maximumClassCount - 1)")
  }
  return nil
}

/// Checked class numbers, shape (count).
///
/// - Parameter classCount: how many classes there are; `nil` takes one more than the largest label, and at
///   least `minimum`.
/// - Throws: `badData` naming the example.
func labels(
  from values: [Double], classCount: Int?, minimum: Int, source: String
) throws(DistsgdError) -> Examples.Targets {
  var result: [Int32] = []
  result.reserveCapacity(values.count)
  var largest: Int32 = 0
  for (index, value) in values.enumerated() {
    if let problem = labelProblem(value) {
      throw DistsgdError(
        .badData, "\(problem.what), \(source) example \(index + 1): \(problem.hint)")
    }
    if let classCount, Int(value) >= classCount {
      throw DistsgdError(
        .badData,
        "label \(Int(value)) out of range, \(source) example \(index + 1): the training data has the classes 0 to \(classCount - 1)"
      )
    }
    largest = max(largest, Int32(value))
    result.append(Int32(value))
  }
  return .labels(result, classCount: classCount ?? max(Int(largest) + 1, minimum))
}
