// A validation set held out of the training rows, the same for the same seed on every machine.
import RandomNumbers
import System
import Text

/// The number of `0.2` or `20%`; nil where it is none, as of a file's name.
package func fractionNumber(_ text: String) -> Double? {
  text.hasSuffix("%") ? decimalNumber(String(text.dropLast())).map { $0 / 100 } : decimalNumber(text)
}

/// `--validation`'s fraction.
///
/// - Throws: `usage` unless it lies in (0, 1).
func validationFraction(_ text: String) throws(DistsgdError) -> Double {
  guard let value = fractionNumber(text), value > 0, value < 1 else {
    throw DistsgdError(
      .usage,
      "--validation \(printable(text)): give a fraction between 0 and 1 such as 0.2 or 20%, a file, or 'test'"
    )
  }
  return value
}

/// Rows kept and rows held out, both in file order.
///
/// The rows held out are those with the round(fraction · count) smallest Philox draws, at least one row and at
/// most all but one.
///
/// - Throws: `usage` when there is only one row.
func holdOut(
  _ fraction: Double, of count: Int, seed: UInt64
) throws(DistsgdError) -> (kept: [Int], held: [Int]) {
  guard count >= 2 else {
    throw DistsgdError(.usage, "--validation \(fraction): one example cannot be split; give at least two")
  }
  let size = min(max(Int((fraction * Double(count)).rounded()), 1), count - 1)
  let random = Philox(seed: seed, purpose: .validationSplit)
  let draws = (0..<count).map { random.bits(UInt64($0)) }
  let order = (0..<count).sorted { (draws[$0], $0) < (draws[$1], $1) }
  var isHeld = [Bool](repeating: false, count: count)
  for row in order.prefix(size) { isHeld[row] = true }
  return ((0..<count).filter { !isHeld[$0] }, (0..<count).filter { isHeld[$0] })
}
