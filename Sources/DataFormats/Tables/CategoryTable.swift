// The different texts of a column, numbered in the order in which they come.
import Glibc
import System
import Text

/// The most texts that a column of categories may have.
let maximumCategoryCount = 4096

/// The texts that one part of a column has; bytes of the file are looked up without a copy.
///
/// Open addressing with linear probing; a text's number is found by one key and mostly one comparison.
final class CategoryTable {
  /// A text of the column.
  struct Category {
    fileprivate let bytes: UnsafeBufferPointer<UInt8>
    /// Fields that have it.
    fileprivate(set) var uses = 0
    /// Of the first of them, as the part counts.
    let line: Int
    /// Whether it is a word that means a missing value.
    let isMissing: Bool

    var text: String { fieldText(bytes) }
  }

  private struct Slot {
    var key: UInt64 = 0
    /// Of the category; −1 where there is none.
    var number = -1
    var uses = 0
    /// The number, or NaN for a word that means a missing value.
    var value = 0.0
  }

  /// More texts have come than a column may have, of which no more are kept.
  private(set) var isFull = false
  private let missing: MissingWords
  private let limit: Int
  // Unchecked: asking the runtime at every field took a tenth of the time, and no access here is within another.
  /// A power of two.
  @exclusivity(unchecked) private var slots = CategoryTable.empty(64)
  /// Without the uses.
  @exclusivity(unchecked) private var found: [Category] = []
  private var copies: [UnsafeMutableBufferPointer<UInt8>] = []

  init(missing: MissingWords, limit: Int) {
    self.missing = missing
    self.limit = limit
  }

  deinit {
    for copy in copies { copy.deallocate() }
    slots.deallocate()
  }

  /// In the order in which they came.
  var categories: [Category] {
    var result = found
    for slot in slots where slot.number >= 0 { result[slot.number].uses = slot.uses }
    return result
  }

  /// The number of a field's text, or NaN where it means that the value is missing.
  /// - Parameters:
  ///   - key: `CategoryTable.key` of the bytes.
  ///   - isKept: whether the bytes live as long as this table.
  @inline(__always)
  func value(of bytes: UnsafeBufferPointer<UInt8>, key: UInt64, line: Int, isKept: Bool) -> Double {
    let place = place(of: key) { key >> 56 <= 7 || isEqual(found[$0].bytes, bytes) }
    guard slots[place].number >= 0 else { return add(bytes, key, line, isKept) }
    slots[place].uses += 1
    return slots[place].value
  }

  /// What tells a text from all others of at most seven bytes, and from most others.
  static func key(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var rest = UnsafeRawBufferPointer(bytes)
    guard rest.count > 7 else {
      return shortKey(rest.reversed().reduce(0) { $0 << 8 | UInt64($1) }, count: rest.count)
    }
    var hash = UInt64(rest.count)
    while rest.count >= 8 {
      hash = mixed(hash, UInt64(littleEndian: rest.loadUnaligned(as: UInt64.self)))
      rest = UnsafeRawBufferPointer(rebasing: rest[8...])
    }
    // The last eight bytes, some of them again.
    let last = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
    return mixed(hash, UInt64(littleEndian: last)) | 0xFF << 56
  }

  /// The key of a text of at most seven bytes, the first of which is the lowest of `text`.
  @inline(__always)
  static func shortKey(_ text: UInt64, count: Int) -> UInt64 { text | UInt64(count) &<< 56 }

  /// One step of a hash over eight bytes at a time.
  @inline(__always)
  private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }

  private static func empty(_ count: Int) -> UnsafeMutableBufferPointer<Slot> {
    let slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: count)
    slots.initialize(repeating: Slot())
    return slots
  }

  /// The slot of a key, or where it is to be put.
  @inline(__always)
  private func place(of key: UInt64, isSame: (Int) -> Bool) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: CategoryTable.mixed(0, key)) & mask
    while slots[place].number >= 0 {
      if slots[place].key == key, isSame(slots[place].number) { break }
      place = (place + 1) & mask
    }
    return place
  }

  private func isEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    a.count == b.count && memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
  }

  @inline(never)
  private func add(
    _ bytes: UnsafeBufferPointer<UInt8>, _ key: UInt64, _ line: Int, _ isKept: Bool
  ) -> Double {
    guard found.count <= limit else {
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
    if 2 * (found.count + 1) > slots.count { grow() }
    let isMissing = missing.contains(fieldText(kept), amongNumbers: false)
    let value = isMissing ? Double.nan : Double(found.count)
    slots[place(of: key) { _ in false }] = Slot(key: key, number: found.count, uses: 1, value: value)
    found.append(Category(bytes: kept, line: line, isMissing: isMissing))
    return value
  }

  private func grow() {
    let old = slots
    slots = CategoryTable.empty(4 * old.count)
    for slot in old where slot.number >= 0 { slots[place(of: slot.key) { _ in false }] = slot }
    old.deallocate()
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
