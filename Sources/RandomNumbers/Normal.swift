// Standard normal numbers from counter-based uniforms, the same bits with every C library.

extension Philox {
  /// Draw number `index`, standard normal (Box & Muller 1958, the cosine half).
  public func normal(_ index: UInt64) -> Double {
    let w = words(index)
    let u = (Double(UInt64(w[0]) | UInt64(w[1] & 0x1F_FFFF) << 32) + 1) * 0x1p-53  // (0, 1]
    let v = Double(UInt64(w[2]) | UInt64(w[3] & 0x1F_FFFF) << 32) * 0x1p-53  // [0, 1)
    return (-2 * logarithm(u)).squareRoot() * cosine(turns: v)
  }
}
