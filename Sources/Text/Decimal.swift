// Numbers as people write them in options.

/// The number that is the whole of `text`, in decimal digits: `0.1`, `.5`, `1e-3`; nil for anything else. The standard
/// library reads `0x10`, `nan` and `infinity` as numbers too, which in an option are slips.
package func decimalNumber(_ text: some StringProtocol) -> Double? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
  return Double(text)
}
