// Classes: which there are, what they are called, and the number of each example's.
import System
import Text

/// The most classes a classification target may have.
let maximumClassCount = 65_536

/// The classes that a training knows.
struct Classes: Equatable {
  /// In order; nil: they are called by their numbers, from 0 up.
  var names: [String]?
  var count: Int

  init(names: [String]?, count: Int) {
    self.names = names
    self.count = count
  }

  /// The different values among the training examples: numbers in their order, texts in theirs. None is without an
  /// example, but for sets that have a fixed number of them.
  ///
  /// - Throws: `badData` for numbers that are not whole, and for one class alone.
  init(of raw: RawExamples) throws(DistsgdError) {
    let targets = raw.targets ?? []
    if let row = targets.firstIndex(where: { $0 != $0.rounded() || abs($0) > 0x1p53 }) {
      throw DistsgdError(
        .badData,
        "label \(targets[row]) is not a whole number, \(raw.source) example \(row + 1): classes are texts or whole numbers; --task regression predicts numbers"
      )
    }
    let values = distinct(targets)
    if let fixed = raw.fixedClassCount {
      self.init(names: nil, count: max(fixed, Int(values.last ?? 0) + 1))
      return
    }
    guard values.count <= maximumClassCount else {
      throw DistsgdError(
        .badData,
        "\(grouped(values.count)) different labels, \(raw.source): there can be \(grouped(maximumClassCount)) classes at most; --task regression predicts numbers"
      )
    }
    let texts = raw.targetTexts
    guard values.count > 1 else {
      let name = values.first.map { texts?[Int($0)] ?? shortest($0) } ?? ""
      let all = raw.count == 1 ? "the only example is" : "all \(raw.count) examples are"
      throw DistsgdError(
        .badData,
        "\(all) of one class, '\(printable(name))', \(raw.source): there is nothing to tell apart; give examples of two classes at least"
      )
    }
    let isCounted = texts == nil && values.enumerated().allSatisfy { Double($0) == $1 }
    self.init(
      names: isCounted ? nil : values.map { texts?[Int($0)] ?? shortest($0) }, count: values.count)
  }

  /// The number of every example's class, shape (count).
  ///
  /// - Throws: `badData` naming an example whose class is none of these.
  func labels(of raw: RawExamples) throws(DistsgdError) -> [Int32] {
    try labels(of: raw.targets ?? [], texts: raw.targetTexts, source: raw.source)
  }

  func labels(of targets: [Double], texts: [String]?, source: String) throws(DistsgdError) -> [Int32] {
    var numbers: [Double: Int32] = [:]
    if let names {
      let places = Dictionary(names.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
      for value in distinct(targets) {
        numbers[value] = places[texts.map { value.isNaN ? "" : $0[Int(value)] } ?? shortest(value)]
      }
    } else if let texts {
      for value in distinct(targets) where !value.isNaN {
        numbers[value] = Int32(texts[Int(value)]).flatMap { 0..<Int32(count) ~= $0 ? $0 : nil }
      }
    }
    var result: [Int32] = []
    result.reserveCapacity(targets.count)
    for (row, value) in targets.enumerated() {
      if names == nil, texts == nil {
        guard value >= 0, value < Double(count), value == value.rounded() else {
          throw unknown(texts?[Int(value)] ?? shortest(value), row, source)
        }
        result.append(Int32(value))
      } else {
        guard let number = numbers[value] else {
          throw unknown(value.isNaN ? "" : texts?[Int(value)] ?? shortest(value), row, source)
        }
        result.append(number)
      }
    }
    return result
  }

  private func unknown(_ label: String, _ row: Int, _ source: String) -> DistsgdError {
    let known = names.map { listed($0) } ?? "0 to \(count - 1)"
    return DistsgdError(
      .badData,
      "label '\(printable(label))' is no class of the training examples, \(source) example \(row + 1): these have the classes \(known); leave its row out, or train with examples of it"
    )
  }
}

/// The different values, in their order; those of bytes and other small numbers at the cost of a look at each.
private func distinct(_ values: [Double]) -> [Double] {
  var isThere: [Bool] = []
  var others: Set<Double> = []
  for value in values where !value.isNaN {
    if value >= 0, value < Double(maximumClassCount), value == value.rounded() {
      let place = Int(value)
      if place >= isThere.count {
        isThere += [Bool](repeating: false, count: max(64, place + 1, 2 * isThere.count) - isThere.count)
      }
      isThere[place] = true
    } else {
      others.insert(value)
    }
  }
  return (isThere.indices.filter { isThere[$0] }.map(Double.init) + others).sorted()
}
