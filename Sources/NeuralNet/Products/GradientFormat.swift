// What sums of gradients are rounded to.
import CKernels

/// The numbers that a sum of gradients may have.
///
/// Those of 16 bits are rounded to the nearest, of two as near to the even one. `bf16` has the range of a float and 8 bits of
/// precision. `fp16` is IEEE binary16 of 2^10 times the number, since gradients are small: 11 bits of precision from 2^-24 on,
/// multiples of 2^-34 below; and infinite from 64 on.
public enum GradientFormat: String, Sendable, CaseIterable {
  /// Floats, as they are added up.
  case fp32
  /// The upper half of a float.
  case bf16
  /// IEEE binary16 of 2^10 times the number.
  case fp16

  /// Bytes of a number.
  package var byteCount: Int { self == .fp32 ? 4 : 2 }
  /// Whether numbers have 16 bits.
  package var isHalf: Bool { self != .fp32 }

  private var half: ckernels_half { self == .bf16 ? CKERNELS_BF16 : CKERNELS_FP16 }

  /// x ← R(x), with R for what the format makes of a float.
  @inline(__always)
  package func round(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
    if isHalf { ckernels_half_round(half, x, count) }
  }

  /// c ← R(a + b)
  @inline(__always)
  package func sum(
    _ c: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
  ) {
    if isHalf { ckernels_half_sum(half, c, a, b, count) } else { ckernels_sum(c, a, b, count) }
  }

  /// a ← R(a + b)
  @inline(__always)
  package func add(_ a: UnsafeMutablePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) {
    if isHalf { ckernels_half_add(half, a, b, count) } else { ckernels_add(a, b, count) }
  }

  /// The 16 bits of some numbers.
  package func pack(_ to: UnsafeMutablePointer<UInt16>, _ from: UnsafePointer<Float>, _ count: Int) {
    precondition(isHalf)
    ckernels_half_pack(half, to, from, count)
  }

  /// The numbers that have these bits.
  package func unpack(_ to: UnsafeMutablePointer<Float>, _ from: UnsafePointer<UInt16>, _ count: Int) {
    precondition(isHalf)
    ckernels_half_unpack(half, to, from, count)
  }

  /// w ← before + R(w − before), and the bits of that difference.
  package func step(
    _ w: UnsafeMutablePointer<Float>, before: UnsafePointer<Float>, _ step: UnsafeMutablePointer<UInt16>,
    _ count: Int
  ) {
    precondition(isHalf)
    ckernels_half_step(half, w, before, step, count)
  }

  /// w ← w + what has these bits.
  package func follow(_ w: UnsafeMutablePointer<Float>, _ step: UnsafePointer<UInt16>, _ count: Int) {
    precondition(isHalf)
    ckernels_half_follow(half, w, step, count)
  }
}
