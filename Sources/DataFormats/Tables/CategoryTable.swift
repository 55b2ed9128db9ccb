// The different texts of a column, numbered in the order in which they come.
import System
import Text

/// The most texts that a column of categories may have.
let maximumCategoryCount = 4096

/// The texts that one part of a column has; bytes of the file are looked up without a copy.
///
/// Open addressing with linear probing; a text's number is found by one hash and mostly one comparison.
final class CategoryTable {
  /// A text of the column.
  struct Category {
    fileprivate var bytes: UnsafeBufferPointer<UInt8>
    /// Fields that have it.
    var uses = 0
    /// Of the first of them, as the part counts.
    let line: Int
    /// NaN for a word that means a missing value, else the number of the text.
    fileprivate var value: Double
    fileprivate let hash: UInt64

    var isMissing: Bool { value.isNaN }
    var text: String { fieldText(bytes) }
  }

  // Unchecked: asking the runtime at every field took a tenth of the time, and no access here is within another.
  @exclusivity(unchecked) private(set) var categories: [Category] = []
  /// More texts have come than a column may have, of which no more are kept.
  private(set) var isFull = false
  private let missing: MissingWords
  private let limit: Int
  /// Numbers of categories; −1 where there is none.
  @exclusivity(unchecked) private var slots: [Int32]
  private var copies: [UnsafeMutableBufferPointer<UInt8>] = []

  init(missing: MissingWords, limit: Int) {
    self.missing = missing
    self.limit = limit
    slots = [Int32](repeating: -1, count: 64)
  }

  deinit { for copy in copies { copy.deallocate() } }

  /// The number of a field's text, or NaN where it means that the value is missing.
  /// - Parameter isKept: whether the bytes live as long as this table.
  @inline(__always)
  func value(of bytes: UnsafeBufferPointer<UInt8>, line: Int, isKept: Bool) -> Double {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var rest = UnsafeRawBufferPointer(bytes)
    while rest.count >= 8 {
      hash = mixed(hash, rest.loadUnaligned(as: UInt64.self))
      rest = UnsafeRawBufferPointer(rebasing: rest[8...])
    }
    var last = UInt64(rest.count)
    for byte in rest { last = last << 8 | UInt64(byte) }
    hash = mixed(hash, last)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while slots[slot] >= 0 {
      let number = Int(slots[slot])
      if categories[number].hash == hash, isEqual(categories[number].bytes, bytes) {
        categories[number].uses += 1
        return categories[number].value
      }
      slot = (slot + 1) & mask
    }
    return add(bytes, hash, line, isKept)
  }

  /// One step of a hash over eight bytes at a time.
  @inline(__always)
  private func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }

  @inline(__always)
  private func isEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for place in 0..<a.count where a[place] != b[place] { return false }
    return true
  }

  @inline(never)
  private func add(
    _ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ line: Int, _ isKept: Bool
  ) -> Double {
    guard categories.count <= limit else {
      isFull = true
      return 0
    }
    var kept = bytes
    if !isKept {
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
      _ = copy.initialize(from: bytes)
      copies.append(copy)
      kept = UnsafeBufferPointer(copy)
    }
    let isMissing = missing.contains(fieldText(kept), amongNumbers: false)
    let value = isMissing ? Double.nan : Double(categories.count)
    categories.append(Category(bytes: kept, uses: 1, line: line, value: value, hash: hash))
    if 2 * categories.count > slots.count {
      slots = [Int32](repeating: -1, count: 4 * slots.count)
      for number in categories.indices { place(number) }
    } else {
      place(categories.count - 1)
    }
    return value
  }

  private func place(_ number: Int) {
    let mask = slots.count - 1
    let hash = categories[number].hash
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while slots[slot] >= 0 { slot = (slot + 1) & mask }
    slots[slot] = Int32(number)
  }
}

/// Names of categories and classes in the order that a person expects: numbers by their size, other texts by their
/// code points.
func naturallySorted(_ texts: [String]) -> [String] {
  let numbers = texts.map { decimalNumber($0) }
  if numbers.allSatisfy({ $0 != nil }) {
    return zip(texts, numbers).sorted { ($0.1!, $0.0) < ($1.1!, $1.0) }.map(\.0)
  }
  return texts.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
}
