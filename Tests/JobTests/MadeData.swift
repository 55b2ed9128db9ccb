// Data files made of whole numbers alone: the same bytes on every machine.
import TestSupport

/// Numerical Recipes' generator.
struct MadeNumbers {
  private var state: UInt32

  init(_ seed: UInt32) { state = seed }

  /// The upper 24 bits are good.
  mutating func next() -> UInt32 {
    state = state &* 1_664_525 &+ 1_013_904_223
    return state >> 8
  }

  /// On ±2, of 24 bits.
  mutating func float() -> Float { (Float(next()) - 0x1p23) * 0x1p-22 }

  mutating func below(_ bound: UInt32) -> UInt8 { UInt8(((next() >> 8) * bound) >> 16) }
}

extension TemporaryFolder {
  /// Rows of numbers with a number each, as `--data` takes them: a pair of npy files.
  func writeMadeNumbers(rows: Int, columns: Int) throws -> String {
    var numbers = MadeNumbers(1)
    let x = (0..<rows * columns).map { _ in numbers.float() }
    let y = (0..<rows).map { x[$0 * columns] - 0.5 * x[$0 * columns + 1] + 0.125 * numbers.float() }
    return try write(npy("<f4", [rows, columns], littleEndian(x)), to: "made-numbers-x.npy") + ","
      + write(npy("<f4", [rows], littleEndian(y)), to: "made-numbers-y.npy")
  }

  /// Rows of numbers, each of one of some classes.
  func writeMadeClasses(rows: Int, columns: Int, classes: UInt32) throws -> String {
    var numbers = MadeNumbers(2)
    let y = (0..<rows).map { row in row < classes ? UInt8(row) : numbers.below(classes) }
    let x = (0..<rows * columns).map {
      numbers.float() + Float(y[$0 / columns]) * ($0 % 2 == 0 ? 0.5 : -0.25)
    }
    let name = "made-classes-\(classes)"
    return try write(npy("<f4", [rows, columns], littleEndian(x)), to: "\(name)-x.npy") + ","
      + write(npy("|u1", [rows], y), to: "\(name)-y.npy")
  }

  /// Images of bytes in four classes.
  func writeMadeImages(rows: Int, side: Int) throws -> String {
    var numbers = MadeNumbers(3)
    let y = (0..<rows).map { UInt8($0 % 4) }
    let x = (0..<rows * side * side).map { index in
      numbers.below(index / (side * side) % 4 == index % 4 ? 256 : 64)
    }
    return try write(npy("|u1", [rows, side, side], x), to: "made-images-x.npy") + ","
      + write(npy("|u1", [rows], y), to: "made-images-y.npy")
  }

  /// A table of decimal numbers of very different sizes.
  func writeMadeTable(rows: Int) throws -> String {
    var numbers = MadeNumbers(4)
    var text = "width,height,age,price\n"
    for _ in 0..<rows {
      let (a, b, c) = (Int(numbers.below(200)), Int(numbers.below(250)), Int(numbers.below(90)))
      text += "\(a).\(b),\(b - 125)e-3,\(1000 + c),\(3 * a - 7 * c).5\n"
    }
    return try write(text, to: "made-table.csv")
  }
}
