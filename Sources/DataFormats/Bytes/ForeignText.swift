// Recognises text that is no table: markup, JSON, ARFF, svmlight, pickles of Python 1, pointers of Git LFS.
import System

func foreignText(_ all: UnsafeRawBufferPointer) -> ForeignFile? {
  var text = Text(
    rest: all.starts(with: [0xEF, 0xBB, 0xBF]) ? UnsafeRawBufferPointer(rebasing: all[3...]) : all)
  if text.begins("version https://git-lfs.github.com/spec/") { return .gitLFS }
  if isOldPickle(text) { return .pickle }
  text.skipBlanks()
  guard let first = text.rest.first else { return nil }
  switch first {
  case UInt8(ascii: "<"):
    let pages: [StaticString] = ["<!doctype html", "<html", "<head", "<body", "<table", "<div", "<style"]
    if pages.contains(where: text.begins) { return .html }
    // A page may begin with a comment, or as XML.
    if text.begins("<?xml") || text.begins("<!--") {
      return text.has("<html") || text.has("<!doctype html") ? .html : .xml
    }
    return nil
  case UInt8(ascii: "{"):
    text.advance()
    text.skipBlanks()
    guard let next = text.rest.first, next == UInt8(ascii: "\"") || next == UInt8(ascii: "}") else {
      return nil
    }
    return isObjectALine(text) ? .jsonLines : .json
  case UInt8(ascii: "["):
    text.advance()
    text.skipBlanks()
    let isValue =
      text.rest.first.map { "{[\"-]0123456789".utf8.contains($0) } ?? false
      || text.begins("true") || text.begins("false") || text.begins("null")
    // "[1],[2]" may be a header; an array goes on after its first value.
    return isValue && !text.headerLike ? .json : nil
  case UInt8(ascii: "%"), UInt8(ascii: "@"):
    return text.has("@relation") && text.has("@attribute") ? .arff : nil
  default: return isSVMLight(text) ? .svmlight : nil
  }
}

/// Text that is looked at from its front; letters are compared without their case.
private struct Text {
  var rest: UnsafeRawBufferPointer

  mutating func advance() { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst()) }

  mutating func skipBlanks() {
    while let byte = rest.first, byte == 0x20 || (9...13).contains(byte) { advance() }
  }

  func begins(_ word: StaticString) -> Bool { matches(word, at: 0) }

  func has(_ word: StaticString) -> Bool {
    guard rest.count >= word.utf8CodeUnitCount else { return false }
    return (0...rest.count - word.utf8CodeUnitCount).contains { matches(word, at: $0) }
  }

  private func matches(_ word: StaticString, at offset: Int) -> Bool {
    guard rest.count - offset >= word.utf8CodeUnitCount else { return false }
    return (0..<word.utf8CodeUnitCount).allSatisfy { index in
      let byte = rest[offset + index]
      return ((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) == word.utf8Start[index]
    }
  }

  /// Lines that are whole within what is known, or the last one too where it is all there is.
  var lines: [UnsafeRawBufferPointer] {
    var lines: [UnsafeRawBufferPointer] = []
    for line in rest.split(maxSplits: 8, whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
      lines.append(UnsafeRawBufferPointer(rebasing: line))
    }
    return Array(lines.prefix(8))
  }

  /// Whether the first line is names in brackets, as `[m],[kg]`: what follows the bracket stands on a line that closes
  /// and opens brackets beside each other, without quotes or braces.
  var headerLike: Bool {
    guard let line = lines.first else { return false }
    var depth = 1
    for (index, byte) in line.enumerated() {
      switch byte {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return index + 1 < line.count && ",;\t".utf8.contains(line[index + 1]) }
      case UInt8(ascii: "{"), UInt8(ascii: "\""): return false
      default: break
      }
    }
    return false
  }
}

/// Whether objects begin on the first two lines. `text` stands behind the first brace.
private func isObjectALine(_ text: Text) -> Bool {
  let lines = text.lines
  guard lines.count >= 2 else { return false }
  func last(_ line: UnsafeRawBufferPointer) -> UInt8? { line.last { $0 != 0x20 && $0 != 0x09 } }
  return last(lines[0]) == UInt8(ascii: "}")
    && lines[1].first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "{")
}

/// Protocol 0 and 1, of lists, dictionaries and objects: all of them name things by lines of their own.
private func isOldPickle(_ text: Text) -> Bool {
  let starts: [StaticString] = [
    "(lp0\n", "(lp1\n", "(dp0\n", "(dp1\n", "ccopy_reg\n", "cpandas", "cnumpy", "ccopyreg\n", "cbuiltins\n",
    "ccollections\n", "csklearn", "c__builtin__\n", "i__main__\n", "c__main__\n",
  ]
  if starts.contains(where: { text.begins($0) }) { return true }
  // `]q\0` and `}q\0`: a list or dictionary of protocol 1.
  let rest = text.rest
  return rest.count > 3 && (rest[0] == 0x5D || rest[0] == 0x7D) && rest[1] == 0x71 && rest[2] <= 1
}

/// Lines of a target and `index:value` pairs with rising indices.
private func isSVMLight(_ text: Text) -> Bool {
  var lines = text.lines
  if text.rest.count >= 1 << 12, lines.count > 1 { lines.removeLast() }
  var pairs = 0
  var rows = 0
  for line in lines where line.first != UInt8(ascii: "#") {
    let fields = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 0x20 || $0 == 0x09 }
    guard let target = fields.first else { continue }
    guard target.allSatisfy({ "+-.,eE0123456789".utf8.contains($0) }) else { return false }
    var last = -1
    for field in fields.dropFirst() {
      guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return false }
      let value = field[(colon + 1)...]
      if field[..<colon].elementsEqual("qid".utf8) { continue }
      guard let index = Int(String(decoding: field[..<colon], as: UTF8.self)), index > last, !value.isEmpty,
        value.allSatisfy({ "+-.eE0123456789nafi".utf8.contains($0) })
      else { return false }
      last = index
      pairs += 1
    }
    rows += 1
  }
  // "1 12:30" is a time: one pair in each line is not enough to tell.
  return rows > 0 && pairs > rows
}
