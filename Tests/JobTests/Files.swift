// Data files that the jobs read.
import DataFormats
import Foundation
import RandomNumbers
import TestSupport

extension TemporaryFolder {
  /// 150 examples of 30 inputs in 10 classes, as `--data` takes them: a pair of npy files.
  func writeClasses() throws -> String {
    let random = Philox(seed: 11, purpose: .syntheticData)
    let x = (0..<150 * 30).map { Float(random.normal(UInt64($0))) }
    let y = (0..<150).map { row -> UInt8 in
      let sum = x[30 * row] + x[30 * row + 1]
      return UInt8(min(max(1.25 * (sum + 4), 0), 9))
    }
    let inputs = try write(npy("<f4", [150, 30], littleEndian(x)), to: "inputs.npy")
    let targets = try write(npy("|u1", [150], y), to: "targets.npy")
    return "\(inputs),\(targets)"
  }

  /// A table with a header: 300 rows of three inputs of very different size and a target that depends on them.
  func writeTable() throws -> String {
    let random = Philox(seed: 12, purpose: .syntheticData)
    var text = "width,\"height, mm\",age,price\n"
    for row in 0..<300 {
      let draw = { (column: Int) in random.normal(UInt64(4 * row + column)) }
      let (width, height, age) = (5 + draw(0), 1_000 + 300 * draw(1), 0.001 * draw(2))
      let price = 100 + 7 * width - 0.02 * height + 4_000 * age + draw(3)
      text += "\(Float(width)),\(Float(height)),\(Float(age)),\(Float(price))\n"
    }
    return try write(text, to: "prices.csv")
  }

  /// A table of two inputs and a class 0, 1 or 2.
  func writeClassTable() throws -> String {
    let random = Philox(seed: 13, purpose: .syntheticData)
    var text = "a,b,kind\n"
    for row in 0..<240 {
      let kind = row % 3
      let a = random.normal(UInt64(2 * row)) + Double(kind)
      let b = 10 * random.normal(UInt64(2 * row + 1)) - 20 * Double(kind % 2)
      text += "\(Float(a)),\(Float(b)),\(kind)\n"
    }
    return try write(text, to: "kinds.csv")
  }
}
