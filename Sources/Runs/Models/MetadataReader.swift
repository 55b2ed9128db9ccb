// The metadata of a model file, entry by entry, and how raw columns stand in them.
import DataFormats
import System
import Text

/// The metadata of a file; an entry that is missing or makes no sense is told with the file.
struct MetadataReader {
  let entries: [String: String]
  let path: String

  func text(_ key: String) throws(DistsgdError) -> String {
    guard let value = entries[key] else {
      throw DistsgdError(
        .badData,
        "'\(path)' has no metadata entry '\(key)': it was not written by distsgd; use the model.safetensors of a run"
      )
    }
    return value
  }

  func parsed<Value>(_ key: String, _ parse: (String) -> Value?) throws(DistsgdError) -> Value {
    let text = try text(key)
    guard let value = parse(text) else {
      throw DistsgdError(
        .badData, "'\(path)': the metadata entry '\(key)' is '\(printable(text))', which makes no sense")
    }
    return value
  }

  func count(_ key: String, in range: ClosedRange<Int>) throws(DistsgdError) -> Int {
    try parsed(key) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  func texts(_ key: String) throws(DistsgdError) -> [String] {
    try parsed(key) { parseArray($0) { try $0.string() } }
  }

  func numbers(_ key: String) throws(DistsgdError) -> [Double] {
    try parsed(key) { parseArray($0) { try $0.number() } }
  }
}

extension Preprocessing {
  /// The columns as metadata. What only columns of text, missing values, several targets or names of classes need
  /// stands there only where there are any.
  var metadata: [String: String] {
    var words = [
      "featureNames": jsonText(featureNames), "featureMeans": jsonText(featureMeans),
      "featureDeviations": jsonText(featureDeviations), "targetName": targetName,
      "targetMean": "\(targetMean)", "targetDeviation": "\(targetDeviation)",
    ]
    if !isNumeric {
      words["categories"] = jsonText(
        columns.map { column -> [String] in
          if case .category(let values) = column.encoding { values } else { [] }
        })
    }
    if columns.contains(where: { $0.missing != nil }) {
      words["missing"] = jsonText(
        columns.map { column in
          switch column.missing {
          case nil: ""
          case .number(let value): "\(value)"
          case .category(let value): value
          }
        })
    }
    if targets.count > 1 {
      words["targetNames"] = jsonText(targets.map(\.name))
      words["targetMeans"] = jsonText(targets.map(\.mean))
      words["targetDeviations"] = jsonText(targets.map(\.deviation))
    }
    words["classNames"] = classNames.map(jsonText)
    return words
  }
}

extension MetadataReader {
  func preprocessing() throws(DistsgdError) -> Preprocessing {
    func fails(_ what: String) -> DistsgdError { DistsgdError(.badData, "'\(path)': \(what)") }
    var result = Preprocessing(
      featureNames: try texts("featureNames"), featureMeans: try numbers("featureMeans"),
      featureDeviations: try numbers("featureDeviations"), targetName: try text("targetName"),
      targetMean: try parsed("targetMean") { Double($0).flatMap { $0.isFinite ? $0 : nil } },
      targetDeviation: try parsed("targetDeviation") { Double($0).flatMap { isDeviation($0) ? $0 : nil } })
    guard result.featureDeviations.allSatisfy(isDeviation) else {
      throw fails("not all its featureDeviations are numbers above 0")
    }
    let width = result.columns.count
    guard try numbers("featureMeans").count == width, try numbers("featureDeviations").count == width else {
      throw fails("it has not as many featureMeans as featureDeviations")
    }
    if entries["categories"] != nil {
      let categories = try parsed("categories") { parseArray($0) { try $0.array { try $0.string() } } }
      guard categories.count == width else { throw fails("its categories are not those of \(width) columns") }
      for (column, values) in categories.enumerated() where !values.isEmpty {
        result.columns[column].encoding = .category(values)
      }
    }
    if entries["missing"] != nil {
      let fills = try texts("missing")
      guard fills.count == width else {
        throw fails("its missing values are not those of \(width) columns")
      }
      for (column, fill) in fills.enumerated() where !fill.isEmpty {
        if case .category = result.columns[column].encoding {
          result.columns[column].missing = .category(fill)
        } else {
          guard let value = Double(fill), value.isFinite else {
            throw fails("'\(printable(fill))' in its metadata entry 'missing' is no number")
          }
          result.columns[column].missing = .number(value)
        }
      }
    }
    if entries["targetNames"] != nil {
      let names = try texts("targetNames")
      let (means, deviations) = (try numbers("targetMeans"), try numbers("targetDeviations"))
      guard !names.isEmpty, names.count == means.count, names.count == deviations.count,
        deviations.allSatisfy(isDeviation)
      else { throw fails("its targetNames, targetMeans and targetDeviations do not fit together") }
      result.targets = names.indices.map {
        TargetColumn(name: names[$0], mean: means[$0], deviation: deviations[$0])
      }
    }
    if entries["classNames"] != nil { result.classNames = try texts("classNames") }
    return result
  }
}

/// What a column may have been divided by.
private func isDeviation(_ value: Double) -> Bool { value.isFinite && value > 0 }

func jsonText(_ value: some JSONValue) -> String {
  var bytes: [UInt8] = []
  value.appendJSON(to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

/// The elements of a JSON array, or nil if `text` is none.
func parseArray<Element>(
  _ text: String, _ element: (inout JSONScanner) throws -> Element
) -> [Element]? {
  var text = text
  return text.withUTF8 { utf8 in
    var scanner = JSONScanner(UnsafeRawBufferPointer(utf8))
    guard let elements = try? scanner.array(element), (try? scanner.end()) != nil else { return nil }
    return elements
  }
}
