// How a text table is laid out: what separates its columns, and whether its first row is a header.
import Text

/// What stands between two fields.
enum Delimiter: UInt8 {
  case comma = 0x2C
  case tab = 0x09
  case semicolon = 0x3B
  /// Any run of spaces and tabs.
  case blanks = 0x20
}

/// Line feed or carriage return.
@inline(__always)
func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

/// Finds the delimiter from the first rows: a semicolon, tab or comma that every row has equally often (in this
/// order, so that commas may be decimal marks or text), else the most frequent of the first row, else blanks.
///
/// Looks at 20 rows within 1 MB; delimiters in quotes do not count.
func findDelimiter(_ bytes: UnsafeRawBufferPointer) -> Delimiter {
  let candidates: [Delimiter] = [.semicolon, .tab, .comma]
  var rows: [[Int]] = []
  var counts = [0, 0, 0]
  var isQuoted = false
  var isBlank = true
  var hasInnerBlank = false
  for byte in bytes.prefix(1 << 20) {
    if byte == UInt8(ascii: "\"") {
      isQuoted.toggle()
      isBlank = false
    } else if isLineEnd(byte), !isQuoted {
      if !isBlank { rows.append(counts) }
      counts = [0, 0, 0]
      isBlank = true
      if rows.count == 20 { break }
    } else if !isQuoted {
      switch byte {
      case Delimiter.semicolon.rawValue: counts[0] += 1
      case Delimiter.tab.rawValue: counts[1] += 1
      case Delimiter.comma.rawValue: counts[2] += 1
      case 0x20: hasInnerBlank = true
      default: break
      }
      if byte != 0x20, byte != 0x09 { isBlank = false }
    }
  }
  // A row cut off at 1 MB or by an open quote counts only when there is no other.
  if rows.isEmpty || (rows.count < 20 && bytes.count <= 1 << 20 && !isBlank) { rows.append(counts) }
  for (index, candidate) in candidates.enumerated() {
    let first = rows[0][index]
    if first > 0, rows.allSatisfy({ $0[index] == first }) {
      // Tabs that only pad a column of blanks-separated text are blanks.
      return candidate == .tab && hasInnerBlank && rows[0][2] == 0 && looksPadded(bytes) ? .blanks : candidate
    }
  }
  if let best = rows[0].indices.max(by: { rows[0][$0] < rows[0][$1] }), rows[0][best] > 0 {
    return candidates[best] == .tab ? .blanks : candidates[best]
  }
  return .blanks
}

/// Whether the first row with content has a tab beside a space or another tab.
private func looksPadded(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var previous: UInt8 = 0
  for byte in bytes.prefix(1 << 16) {
    if isLineEnd(byte), previous != 0 { return false }
    if (byte == 0x09 && (previous == 0x20 || previous == 0x09)) || (byte == 0x20 && previous == 0x09) {
      return true
    }
    previous = isLineEnd(byte) ? 0 : byte
  }
  return false
}

/// Whether the first row names the columns: it has text where the second row has a number, or has no number
/// at all.
///
/// Words for a missing value are no names.
func isHeader(_ first: [String], second: [String]?) -> Bool {
  let isText = first.map {
    !$0.isEmpty && !missingValues.contains($0.lowercased()) && decimalNumber($0) == nil
  }
  guard isText.contains(true) else { return false }
  if let second {
    for (column, field) in second.enumerated() where column < first.count && isText[column] {
      if decimalNumber(field) != nil { return true }
    }
  }
  return !first.contains { decimalNumber($0) != nil }
}

/// Words that stand for a number that is not there, or is none.
let missingValues: Set<String> = [
  "na", "n/a", "nan", "-nan", "+nan", "null", "none", "?", "-", ".", "inf", "+inf", "-inf", "infinity",
  "-infinity", "+infinity",
]
