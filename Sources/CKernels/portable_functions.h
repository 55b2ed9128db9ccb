// The functions of activations and losses, without libm: one expression of IEEE 754's operations in binary32 each, so
// that vectors and single numbers have the same bits. fmaf is a fused multiply-add; nothing else is fused.
//
// The polynomials are those of Tests/Arithmetic/fit_polynomials.py; Tests/Arithmetic/check measures the largest errors
// over all binary32 numbers.
#pragma once

PART float with_sign(float x, float of) { return of_bits((bits_of(x) & 0x7fffffff) | (bits_of(of) & 0x80000000)); }

// 2^n, for a normal number.
PART float power_of_two(int32_t n) { return of_bits((uint32_t)(n + 127) << 23); }

// eˣ = high + low, high rounded to nearest but for the polynomial's error. NaN stays NaN.
PART float exponential_parts(float x, float *low) {
  x = x > 89 ? 89 : x;
  x = x < -105 ? -105 : x;
  // x = n·ln 2 + r: the sum with 1.5·2²³ has the nearest whole number in its last bits.
  const float shifted = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f);
  const float n = shifted - 0x1.8p+23f;
  // r in two parts, the larger one exact.
  const float most = fmaf(n, -0x1.62e4p-1f, x), least = n * -0x1.7f7d1cp-20f;
  const float r = most + least;
  float p = 0x1.9ffcc0p-13f;
  p = fmaf(p, r, 0x1.6db094p-10f);
  p = fmaf(p, r, 0x1.1111d4p-7f);
  p = fmaf(p, r, 0x1.555460p-5f);
  p = fmaf(p, r, 0x1.555554p-3f);
  p = fmaf(p, r, 0x1.000000p-1f);
  // 1 + r + r²·p(r), with what the first sum loses.
  const float sum = 1 + most;
  const float rest = fmaf(p, r * r, least + (most - (sum - 1)));
  const float high = sum + rest;
  // Two factors: 2ⁿ alone may be too large or too small. Only the second may round.
  const int32_t whole = (int32_t)(bits_of(shifted) - 0x4b400000), half = whole >> 1;
  const float first = power_of_two(half), second = power_of_two(whole - half);
  *low = (rest - (high - sum)) * first * second;
  return high * first * second;
}

PART float exponential(float x) {
  float low;
  return exponential_parts(x, &low);
}

// log(1 + x) + e·ln 2, x from -1/4 to 1/2.
PART float logarithm_of_parts(float x, float e) {
  float p = 0x1.3073eep-5f;
  p = fmaf(p, x, -0x1.77d12ep-4f);
  p = fmaf(p, x, 0x1.e47c38p-4f);
  p = fmaf(p, x, -0x1.058c58p-3f);
  p = fmaf(p, x, 0x1.242a84p-3f);
  p = fmaf(p, x, -0x1.54fadap-3f);
  p = fmaf(p, x, 0x1.999828p-3f);
  p = fmaf(p, x, -0x1.00010ap-2f);
  p = fmaf(p, x, 0x1.55555cp-2f);
  p = fmaf(p, x, -0x1.fffffep-2f);
  // x + e·ln 2 with what its rounding loses: e·0x1.62e4p-1 is exact.
  const float whole = e * 0x1.62e4p-1f;
  const float sum = whole + x;
  const float lost = (whole - (sum - (sum - whole))) + (x - (sum - whole));
  return sum + fmaf(e, 0x1.7f7d1cp-20f, fmaf(p, x * x, lost));
}

PART float logarithm(float x) {
  // A subnormal number is made a normal one.
  const bool is_small = x < 0x1p-126f;
  const float scaled = is_small ? x * 0x1p+23f : x;
  const int32_t exponent = (int32_t)(bits_of(scaled) - 0x3f400000) >> 23;
  const float m = of_bits(bits_of(scaled) - ((uint32_t)exponent << 23)) - 1;
  const float result = logarithm_of_parts(m, (float)(exponent - (is_small ? 23 : 0)));
  const float infinity = of_bits(0x7f800000);
  const float special = x == 0 ? -infinity : x < 0 ? of_bits(0x7fc00000) : x;
  return x > 0 && x < infinity ? result : special;
}

// log(1 + x)
PART float logarithm_of_one_plus(float x) {
  const int32_t exponent = (int32_t)(bits_of(1 + x) - 0x3f400000) >> 23;
  // (1 + x)·2⁻ᵉ - 1, where 2⁻ᵉ may be too small for a normal number.
  const float scale = power_of_two(exponent < 126 ? -exponent : -126);
  const float m = of_bits(bits_of(x) - ((uint32_t)exponent << 23)) + (scale - 1);
  const float result = logarithm_of_parts(m, (float)exponent);
  const float infinity = of_bits(0x7f800000);
  const float special = x == -1 ? -infinity : x < -1 ? of_bits(0x7fc00000) : x;
  return x > -1 && x < infinity && x != 0 ? result : special;
}

PART float hyperbolic_tangent(float x) {
  const float size = with_sign(x, 1);
  const float s = x * x;
  float p = -0x1.27f826p-11f;
  p = fmaf(p, s, 0x1.7409e0p-9f);
  p = fmaf(p, s, -0x1.167e82p-7f);
  p = fmaf(p, s, 0x1.64aa5ap-6f);
  p = fmaf(p, s, -0x1.b9fc4ap-5f);
  p = fmaf(p, s, 0x1.111084p-3f);
  p = fmaf(p, s, -0x1.555554p-2f);
  const float small = fmaf(p, x * s, x);
  // 1 - 2 / (e²ˣ + 1), with what the rounding of the sum and of the quotient loses.
  float low;
  const float high = exponential_parts(2 * (size > 10 ? 10 : size), &low);
  const float sum = high + 1;
  const float lost = low + (1 - (sum - high));
  const float quotient = 2 / sum;
  const float rest = fmaf(-quotient, lost, fmaf(-quotient, sum, 2));
  const float large = 1 - fmaf(rest, quotient * 0.5f, quotient);
  return with_sign(size < 0.8f ? small : large, x);
}

// 1 / (1 + e⁻ˣ)
PART float logistic(float x) {
  // y = e^-|x| cannot overflow: the result is 1 / (1 + y) or y / (1 + y). One step of Newton's makes up for what is
  // lost in the sum and the quotient.
  float low;
  const float y = exponential_parts(-with_sign(x, 1), &low);
  const float sum = 1 + y;
  const float lost = low + (y - (sum - 1));
  const float inverse = 1 / sum;
  const float numerator = x < 0 ? y : 1, numerator_low = x < 0 ? low : 0;
  const float quotient = numerator * inverse;
  const float rest = fmaf(-quotient, lost, fmaf(-quotient, sum, numerator) + numerator_low);
  return fmaf(rest, inverse, quotient);
}

PART float error_function_near_zero(float x) {
  const float s = x * x;
  float p = 0x1.5ce0b2p-14f;
  p = fmaf(p, s, -0x1.aa65cap-11f);
  p = fmaf(p, s, 0x1.54d1f6p-8f);
  p = fmaf(p, s, -0x1.b8107ap-6f);
  p = fmaf(p, s, 0x1.ce2e30p-4f);
  p = fmaf(p, s, -0x1.812744p-2f);
  p = fmaf(p, s, 0x1.06eba8p-3f);
  return fmaf(p, x, x);
}

// 1 - exp(-x - x·p(x))
PART float error_function_beyond(float x) {
  x = x > 4 ? 4 : x;
  float p = 0x1.4e1e02p-18f;
  p = fmaf(p, x, -0x1.84c1f0p-15f);
  p = fmaf(p, x, -0x1.750184p-15f);
  p = fmaf(p, x, 0x1.7dce5cp-9f);
  p = fmaf(p, x, -0x1.72f6fcp-6f);
  p = fmaf(p, x, 0x1.af0408p-4f);
  p = fmaf(p, x, 0x1.457334p-1f);
  p = fmaf(p, x, 0x1.0743ccp-3f);
  // The exponent in two parts: its rounding would show.
  const float most = fmaf(-p, x, -x), least = fmaf(-p, x, -x - most);
  const float power = exponential(most);
  return 1 - fmaf(power, least, power);
}

PART float error_function(float x) {
  const float size = with_sign(x, 1);
  const float small = error_function_near_zero(x);
  const float large = error_function_beyond(size);
  return with_sign(size < 0.925f ? small : large, x);
}
