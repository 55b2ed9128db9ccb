// How many numbers a header claims.

/// The product of sizes, `nil` when it does not fit.
func product(_ shape: [Int]) -> Int? {
  if shape.contains(0) { return 0 }
  var size = 1
  for extent in shape {
    let (next, overflow) = size.multipliedReportingOverflow(by: extent)
    guard !overflow, next < 1 << 60 else { return nil }
    size = next
  }
  return size
}
