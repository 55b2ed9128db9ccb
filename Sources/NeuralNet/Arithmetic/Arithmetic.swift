// Who computes the products and functions of a network, and so which bits they have.

/// The arithmetic of a network: handed to it, and to its loss, when it is made.
public enum Arithmetic: Sendable, Equatable {
  /// Products by OpenBLAS, functions by the mathematics library: the last bits are those of this processor with these
  /// libraries.
  case blas
  /// Our own kernels: the bits are defined, and every set of instructions has the same.
  case portable(Instructions)

  /// Of the portable arithmetic: another number has other bits.
  public static let portableVersion = 1

  /// What runs and checkpoints call it.
  public var name: String {
    switch self {
    case .blas: BLASProducts.name
    case .portable: PortableProducts.name
    }
  }

  /// nil: by libraries.
  public var instructions: Instructions? {
    switch self {
    case .blas: nil
    case .portable(let instructions): instructions
    }
  }

  /// For one network, and so for one thread.
  func makeProducts() -> any MatrixProducts {
    switch self {
    case .blas: BLASProducts()
    case .portable(let instructions): PortableProducts(instructions)
    }
  }
}

/// The words for an arithmetic, before the processor's instructions are known.
public enum ArithmeticName: String, Sendable, CaseIterable {
  /// Libraries: fast on the processors that they know.
  case blas
  /// Kernels of our own, with the same bits on any machine.
  case portable

  /// - Parameter word: of `Instructions.variable`; nil where that is not set.
  /// - Returns: nil where this processor does not have the instructions that `word` names.
  package func arithmetic(instructions word: String?) -> Arithmetic? {
    switch self {
    case .blas: .blas
    case .portable: Instructions.chosen(by: word).map { .portable($0) }
    }
  }
}
