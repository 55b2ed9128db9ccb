// Columns of dates become columns of their parts, as the model has them.
import System

extension RawExamples {
  /// - Parameter dates: columns of seconds since 1970; each becomes year, month, day and weekday, and hour and minute
  ///   where a time stands in any row.
  func takingApart(_ dates: [Int]) throws(DistsgdError) -> RawExamples {
    guard case .doubles(let values) = features else { return self }
    var sources: [(column: Int, part: DatePart?)] = []
    for column in 0..<featureCount {
      guard dates.contains(column) else {
        sources.append((column, nil))
        continue
      }
      let hasTime = (0..<count).contains {
        values[$0 * featureCount + column].truncatingRemainder(dividingBy: 86_400) != 0
          && !values[$0 * featureCount + column].isNaN
      }
      sources += (hasTime ? DatePart.allCases : DatePart.ofDay).map { (column, $0) }
    }
    return try selectingColumns(sources)
  }

  /// The columns in a model's order, where dates are among them.
  /// - Parameters:
  ///   - found: the file's column of each of the model's.
  ///   - read: the file's column of each that was read.
  func columnsOf(_ model: Preprocessing, found: [Int], read: [Int]) throws(DistsgdError) -> RawExamples {
    guard found != read else { return self }
    let sources = zip(model.columns, found).map { column, place in
      let part = column.name.lastIndex(of: ".")
        .flatMap { DatePart(rawValue: String(column.name[column.name.index(after: $0)...])) }
      return (column: read.firstIndex(of: place)!, part: part)
    }
    return try selectingColumns(sources)
  }

  private func selectingColumns(_ sources: [(column: Int, part: DatePart?)]) throws(DistsgdError)
    -> RawExamples
  {
    guard case .doubles(let values) = features else { return self }
    var result = self
    result.featureCount = sources.count
    result.features = .doubles(
      try Numbers(capacity: count * sources.count, inFile: values.isInFile, source: source) {
        buffer, initialized in
        for row in 0..<count {
          for source in sources {
            let value = values[row * featureCount + source.column]
            buffer.initializeElement(
              at: initialized, to: value.isNaN ? value : source.part?.value(value) ?? value)
            initialized += 1
          }
        }
      })
    result.featureNames = sources.map { source in
      featureNames[source.column] + (source.part.map { ".\($0.rawValue)" } ?? "")
    }
    if !categories.isEmpty { result.categories = sources.map { categories[$0.column] } }
    return result
  }
}
