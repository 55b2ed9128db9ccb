// Suggests the word that a mistyped name probably meant.

/// The candidate nearest to `word`, or `nil` where none is near enough to be meant.
///
/// Distance is the number of insertions, deletions, substitutions and swaps of neighbours (Damerau 1964,
/// restricted to one edit a place), upper and lower case being equal. Near enough is at most a third of the
/// longer word, and at least one edit.
///
/// - Complexity: O(candidates × length²); more than 10,000 candidates or words over 64 bytes are not compared.
package func nearest(_ word: String, among candidates: [String]) -> String? {
  guard candidates.count <= 10_000 else { return nil }
  let wanted = Array(word.lowercased().utf8)
  guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
  var best: (distance: Int, word: String)?
  for candidate in candidates {
    let bytes = Array(candidate.lowercased().utf8)
    guard !bytes.isEmpty, bytes.count <= 64 else { continue }
    let distance = editDistance(wanted, bytes)
    let allowed = max(1, max(wanted.count, bytes.count) / 3)
    if distance <= allowed, distance < best?.distance ?? Int.max { best = (distance, candidate) }
  }
  return best?.word
}

/// Optimal string alignment distance by dynamic programming over three rows.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var twoBack = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  for i in 1...a.count {
    var current = [Int](repeating: i, count: b.count + 1)
    for j in 1...b.count {
      let substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      current[j] = min(previous[j] + 1, current[j - 1] + 1, substitution)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        current[j] = min(current[j], twoBack[j - 2] + 1)
      }
    }
    (twoBack, previous) = (previous, current)
  }
  return previous[b.count]
}

/// `"; did you mean 'x'?"` or nothing: the tail of a message about an unknown name.
package func suggestion(for word: String, among candidates: [String]) -> String {
  nearest(word, among: candidates).map { "did you mean '\(printable($0))'? " } ?? ""
}

/// A list for a message: at most `limit` names, then how many more there are.
package func listed(_ names: [String], limit: Int = 12) -> String {
  var shown = ""
  var count = 0
  // Names may be long too.
  while count < min(limit, names.count), count == 0 || shown.unicodeScalars.count < 300 {
    shown += (count > 0 ? ", " : "") + printable(names[count])
    count += 1
  }
  return names.count > count ? "\(shown) and \(names.count - count) more" : shown
}

/// Text from a file or the command line made fit for a one-line message: `visible`, and of 40 characters at most as they
/// are shown.
package func printable(_ text: String, limit: Int = 40) -> String {
  // Nearly all names are short and plain.
  if text.utf8.count <= limit, text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 }) { return text }
  var shown = ""
  var length = 0
  for scalar in text.unicodeScalars {
    let part = visible(String(scalar))
    length += part.unicodeScalars.count
    guard length <= limit else { return shown + "…" }
    shown += part
  }
  return shown
}
