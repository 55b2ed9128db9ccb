// Logarithm, exponential and cosine in double precision by additions, multiplications and divisions alone, which IEEE 754 rounds the
// same everywhere: what a C library gives depends on its version and the processor. The largest error is below 1 ulp.
//
// The polynomials are those of fdlibm (Sun Microsystems 1993: e_log.c, e_exp.c, k_cos.c, k_sin.c).

/// ln x, for normal x > 0.
package func logarithm(_ x: Double) -> Double {
  // x = 2^k (1 + f), √½ < 1 + f < √2
  var k = Double(x.exponent)
  var significand = x.significand
  if significand > 1.4142135623730951 {
    significand /= 2
    k += 1
  }
  let f = significand - 1
  let s = f / (2 + f)
  let z = s * s
  let w = z * z
  let even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
  let odd =
    z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)))
  let half = 0.5 * f * f
  return k * 0.6931471803691238 - ((half - (s * (half + (odd + even)) + k * 1.9082149292705877e-10)) - f)
}

/// eˣ, for x from -700 to 700.
package func exponential(_ x: Double) -> Double {
  // x = k ln 2 + r, |r| ≤ ½ ln 2
  let k = (x * 1.4426950408889634).rounded()
  let high = x - k * 0.6931471803691238
  let low = k * 1.9082149292705877e-10
  let r = high - low
  let z = r * r
  let c =
    r - z
    * (0.16666666666666602
      + z
      * (-0.0027777777777015593
        + z * (6.613756321437934e-05 + z * (-1.6533902205465252e-06 + z * 4.1381367970572385e-08))))
  return Double(sign: .plus, exponent: Int(k), significand: 1 - ((low - (r * c) / (2 - c)) - high))
}

/// cos 2πv, for v from 0 to 1.
package func cosine(turns v: Double) -> Double {
  // v = n/4 + r, |r| ≤ 1/8
  let n = (4 * v).rounded()
  let x = 2 * Double.pi * (v - n / 4)
  switch Int(n) & 3 {
  case 0: return cosineNearZero(x)
  case 1: return -sineNearZero(x)
  case 2: return -cosineNearZero(x)
  default: return sineNearZero(x)
  }
}

/// For |x| ≤ π/4.
private func cosineNearZero(_ x: Double) -> Double {
  let z = x * x
  let high = z * (0.0416666666666666 + z * (-0.001388888888887411 + z * 2.480158728947673e-05))
  let low = z * z * (-2.7557314351390663e-07 + z * (2.087572321298175e-09 + z * -1.1359647557788195e-11))
  let half = 0.5 * z
  let w = 1 - half
  return w + (((1 - w) - half) + z * (high + z * z * low))
}

/// For |x| ≤ π/4.
private func sineNearZero(_ x: Double) -> Double {
  let z = x * x
  let r =
    0.00833333333332249
    + z
    * (-0.0001984126982985795 + z
      * (2.7557313707070068e-06 + z * (-2.5050760253406863e-08 + z * 1.58969099521155e-10)))
  return x + z * x * (-0.16666666666666632 + z * r)
}
