// Vector logarithms: log, log1p.
#pragma once

#include "math_exp.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace math {

/// x = 2^k m with 2/3 <= m < 4/3 for a positive normal x; `biased` is k plus half the exponents.
template <class V>
struct Binade {
    V mantissa;
    typename V::Int biased;
};

template <class T>
struct LogBias {
    using Integer = typename Vec<T>::Int::Scalar;
    static constexpr Integer exponent = sizeof(T) == 4 ? 128 : 1024;
    static constexpr T magic = Ops<T>::magic + T(exponent);
};

template <class V>
CMLP_INLINE Binade<V> binade(V x) {
    using T = typename V::Scalar;
    using I = typename V::Int;
    using Integer = typename I::Scalar;
    const I low = bits(V(T(2) / 3));
    const I i = bits(x) - low + I(LogBias<T>::exponent << V::mantissa_bits);
    Binade<V> b;
    b.biased = shift_right_logical(i, V::mantissa_bits);
    b.mantissa = from_bits((i & I((Integer(1) << V::mantissa_bits) - 1)) + low);
    return b;
}

/// k as a float, given k plus half the exponents.
template <class V>
CMLP_INLINE V exponent(typename V::Int biased) {
    using T = typename V::Scalar;
    return from_bits(biased | typename V::Int(Ops<T>::magic_bits)) - V(LogBias<T>::magic);
}

/// k ln 2 + log(1 + f)
template <class V>
CMLP_INLINE V log_sum(V k, V f) {
    using C = Coefficients<typename V::Scalar>;
    const V low = fma(k, V(C::ln2_low), f * f * even_odd(f, C::log));
    return fma(k, V(C::ln2), f + low);
}

/// y where 0 < x < infinity; infinity and NaN of x themselves, -infinity at 0, NaN below.
template <class V>
CMLP_INLINE V log_ends(V x, V y) {
    using T = typename V::Scalar;
    const V infinity = T(__builtin_inf());
    const V end = select(x == V(0), -infinity, V(T(__builtin_nan(""))));
    return select(x <= V(0), end, select(x < infinity, y, x));
}

template <class V>
CMLP_INLINE V log(V x) {
    using T = typename V::Scalar;
    constexpr T normal = sizeof(T) == 4 ? T(1.17549435e-38f) : T(2.2250738585072014e-308);
    constexpr T lift = T(int64_t(1) << V::mantissa_bits);
    const auto tiny = x < V(normal);
    const auto b = binade(select(tiny, x * V(lift), x));
    const V k = exponent<V>(b.biased) - select(tiny, V(T(V::mantissa_bits)), V(0));
    return log_ends(x, log_sum(k, b.mantissa - V(1)));
}

/// log(1 + x); f = (1 + x) 2^-k - 1 is rounded once, from x itself.
template <class V>
CMLP_INLINE V log1p(V x) {
    using T = typename V::Scalar;
    using I = typename V::Int;
    constexpr auto bias = 2 * LogBias<T>::exponent + 1;
    const V u = x + V(1);
    const auto b = binade(u);
    const V power = from_bits((I(bias) - b.biased) << V::mantissa_bits);  // 2^(2 - k), never subnormal
    const V f = V(T(0.25)) * fma(x, power, power - V(4));
    return copysign(log_ends(u, log_sum(exponent<V>(b.biased), f)), x);
}

}  // namespace math
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
