// The sets of instructions that compute the portable arithmetic, all of them with the same bits.
import CKernels
import Glibc

/// A set of instructions that this processor has.
public struct Instructions: Sendable, Equatable, CustomStringConvertible {
  /// The environment's word for the one to take.
  public static let variable = "DISTSGD_INSTRUCTIONS"
  /// All there are, the best ones first.
  public static let names = ["avx512", "avx2", "neon", "scalar"]

  /// A constant table.
  nonisolated(unsafe) let kernels: UnsafePointer<ckernels_instructions>

  private init?(_ kernels: UnsafePointer<ckernels_instructions>?) {
    guard let kernels else { return nil }
    self.kernels = kernels
  }

  /// nil where there is no such set, or this processor does not have it.
  public init?(named name: String) { self.init(ckernels_instructions_named(name)) }

  /// The best of this processor, or the one that the environment names; nil where that is none of this processor's.
  public static var chosen: Instructions? { chosen(by: getenv(variable).map { String(cString: $0) }) }

  /// - Parameter word: nil: the best.
  public static func chosen(by word: String?) -> Instructions? {
    if let word { Instructions(named: word) } else { Instructions(ckernels_best_instructions()) }
  }

  /// The best of this processor.
  static let best = Instructions(ckernels_best_instructions())

  /// Those of this processor, the best ones first.
  public static var available: [Instructions] { names.compactMap { Instructions(named: $0) } }

  /// Makes about as many operations as asked for, multiplications and additions in registers alone: as fast as a core can.
  package func computeAtPeak(operations: Int) {
    let rounds = (operations + kernels.pointee.operations_of_fuse - 1) / kernels.pointee.operations_of_fuse
    let result = kernels.pointee.fuse(0.5, rounds)
    precondition(result.isFinite)
  }

  public var description: String { String(cString: kernels.pointee.name) }
}
