// Columns of numbers and of categories as a model's inputs: standard units, and ones among zeros.
import System
import Text

/// Where each raw column's inputs are, and which input each of its texts is.
struct Encoder {
  private struct Column {
    var input: Int
    /// Of a column of numbers.
    var mean = 0.0
    var deviation = 1.0
    /// Of the raw column's texts: which of the column's inputs is 1; −1 for a text that the model does not know.
    var places: [Int]?
  }

  private let columns: [Column]
  private let inputCount: Int

  init(_ raw: RawExamples, _ preprocessing: Preprocessing) {
    var input = 0
    columns = preprocessing.columns.enumerated().map { number, column in
      defer { input += column.inputCount }
      switch column.encoding {
      case .number(let mean, let deviation): return Column(input: input, mean: mean, deviation: deviation)
      case .category(let values):
        return Column(
          input: input,
          places: places(of: number < raw.categories.count ? raw.categories[number] : [], in: values))
      }
    }
    inputCount = input
  }

  /// - Parameter values: shape (rows, columns); numbers of texts where these are categories, −1 for an unknown one.
  /// - Returns: shape (rows, inputs), or the place among the values of a number that Float cannot hold.
  /// - Throws: where no file can be made for what is made of numbers in a file.
  func inputs(_ values: Numbers, source: String) throws(DistsgdError) -> Inputs {
    let width = columns.count
    let rows = width == 0 ? 0 : values.count / width
    var result = try Inputs(count: rows * inputCount, inFile: values.isInFile, source: source) { buffer in
      values.withUnsafeBufferPointer { values in
        inParallel(over: rows, least: max(1, 1 << 18 / max(1, inputCount))) { rows in
          for row in rows {
            let base = row * inputCount
            for column in 0..<width {
              let value = values[row * width + column]
              let target = columns[column]
              guard let places = target.places else {
                buffer.initializeElement(
                  at: base + target.input, to: Float((value - target.mean) / target.deviation))
                continue
              }
              let end = column + 1 < width ? columns[column + 1].input : inputCount
              for input in target.input..<end { buffer.initializeElement(at: base + input, to: 0) }
              let text = value >= 0 ? Int(value) : -1
              if text >= 0, places[text] >= 0 { buffer[base + target.input + places[text]] = 1 }
            }
          }
        }
      }
    }
    if let input = result.overflow {
      let (row, place) = input.quotientAndRemainder(dividingBy: inputCount)
      result.overflow = row * width + (columns.lastIndex { $0.input <= place } ?? 0)
    }
    return result
  }
}

/// Raw inputs, texts among them, as a model's.
func encoded(_ raw: RawExamples, _ preprocessing: Preprocessing) throws(DistsgdError) -> Inputs {
  guard case .doubles(let values) = raw.features else {
    throw DistsgdError(
      .badData,
      "the model takes columns of texts, which \(raw.source) does not have: give a table with the columns \(listed(preprocessing.featureNames))"
    )
  }
  let inputCount = preprocessing.inputCount
  if !values.isInFile {
    try requireMemory(
      bytes: 4 * Double(raw.count) * Double(inputCount),
      for: "\(raw.source) with \(counted(inputCount, "input")) an example",
      instead: "fewer texts: --exclude leaves columns out")
  }
  let inputs = try Encoder(raw, preprocessing).inputs(
    values, source: "\(raw.source) with \(counted(inputCount, "input")) an example")
  guard let overflow = inputs.overflow else { return inputs }
  let (row, column) = overflow.quotientAndRemainder(dividingBy: raw.featureCount)
  throw tooLarge(values[overflow], raw.source, raw.columnName(column), row)
}

/// Where each text is among a model's.
private func places(of texts: [String], in values: [String]) -> [Int] {
  let known = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
  return texts.map { known[$0] ?? -1 }
}

/// The columns of a model that is trained on these rows.
func inputColumns(
  _ training: RawExamples, _ statistics: ColumnStatistics, _ fills: [InputColumn.Fill?]
) -> [InputColumn] {
  (0..<training.featureCount).map { column in
    let texts = training.categories.isEmpty ? [] : training.categories[column]
    return InputColumn(
      name: column < training.featureNames.count ? training.featureNames[column] : "",
      encoding: texts.isEmpty
        ? .number(mean: statistics.means[column], deviation: statistics.deviations[column])
        : .category(training.texts(of: column)),
      missing: column < fills.count ? fills[column] : nil)
  }
}

extension RawExamples {
  /// The texts that a column has in these rows.
  fileprivate func texts(of column: Int) -> [String] {
    guard case .doubles(let values) = features else { return categories[column] }
    var isThere = [Bool](repeating: false, count: categories[column].count)
    for row in 0..<count {
      let value = values[row * featureCount + column]
      if value >= 0 { isThere[Int(value)] = true }
    }
    return categories[column].indices.filter { isThere[$0] }.map { categories[column][$0] }
  }

  /// How many fields of each column have a text that the model does not know, and one of these texts.
  func unknownTexts(_ model: Preprocessing) -> [(column: Int, count: Int, text: String)] {
    guard case .doubles(let values) = features, !categories.isEmpty else { return [] }
    var found: [(column: Int, count: Int, text: String)] = []
    for column in categories.indices where column < model.columns.count {
      guard case .category(let known) = model.columns[column].encoding else { continue }
      let places = places(of: categories[column], in: known)
      guard places.contains(-1) else { continue }
      var number = 0
      var first: Int?
      for row in 0..<count {
        let value = values[row * featureCount + column]
        if value >= 0, places[Int(value)] < 0 {
          number += 1
          if first == nil { first = Int(value) }
        }
      }
      if let first { found.append((column, number, categories[column][first])) }
    }
    return found
  }
}
