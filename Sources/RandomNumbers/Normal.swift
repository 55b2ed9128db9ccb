// Standard normal numbers from counter-based uniforms.
import Glibc

extension Philox {
  /// Draw number `index`, standard normal (Box & Muller 1958, the cosine half).
  ///
  /// Computed in double precision: after rounding to `Float` a last-bit difference between two
  /// libraries' logarithms is gone but once in some 10^8 draws.
  public func normal(_ index: UInt64) -> Double {
    let w = words(index)
    let u = (Double(UInt64(w[0]) | UInt64(w[1] & 0x1F_FFFF) << 32) + 1) * 0x1p-53  // (0, 1]
    let v = Double(UInt64(w[2]) | UInt64(w[3] & 0x1F_FFFF) << 32) * 0x1p-53  // [0, 1)
    return (-2 * log(u)).squareRoot() * cos(2 * Double.pi * v)
  }
}
