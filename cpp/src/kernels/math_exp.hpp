// Vector functions built on e^x: exp, expm1, tanh, sigmoid, softplus, log_sigmoid, silu, mish.
#pragma once

#include "math_coefficients.hpp"
#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace math {

/// c[0] + c[1] x + ..., one chain.
template <class V, class T, int n>
CMLP_INLINE V horner(V x, const T (&c)[n]) {
    V y = c[n - 1];
#pragma GCC unroll 32
    for (int i = n - 2; i >= 0; --i) y = fma(y, x, V(c[i]));
    return y;
}

/// c[0] + c[1] x + ..., even and odd powers in two chains.
template <class V, class T, int n>
CMLP_INLINE V even_odd(V x, const T (&c)[n]) {
    const V x2 = x * x;
    V a = c[n - 1], b = c[n - 2];
#pragma GCC unroll 32
    for (int i = n - 3; i > 0; i -= 2) {
        a = fma(a, x2, V(c[i]));
        b = fma(b, x2, V(c[i - 1]));
    }
    if constexpr (n % 2 == 0) return fma(a, x, b);
    return fma(b, x, fma(a, x2, V(c[0])));
}

/// Bounds, with NaN kept.
template <class V>
CMLP_INLINE V at_least(V x, typename V::Scalar low) {
    return max(V(low), x);
}
template <class V>
CMLP_INLINE V at_most(V x, typename V::Scalar high) {
    return min(V(high), x);
}

/// Arguments and exponents beyond which results no longer change.
template <class T>
struct Range {
    static constexpr bool single = sizeof(T) == 4;
    static constexpr T exp_low = single ? -104 : -746;
    static constexpr T exp_high = single ? 89 : 710;
    static constexpr T product_low = single ? -110 : -760;  // x e^x rounds to 0 below
    static constexpr T scaled_low = single ? -170 : -1380;  // the least argument of scale(..., n)
    static constexpr T log_1p_high = single ? 20 : 40;      // log(1 + e^-x) rounds to e^-x above
    static constexpr T sigmoid_high = 60;
    static constexpr T tanh_high = single ? 9.25 : 19.5;
    static constexpr T split = single ? 64 : 512;  // half the exponents
};

/// e^x = 2^n (1 + rest), |rest| < 0.42; `shifted` is n + power_magic.
template <class V>
struct Exponential {
    V rest, n, shifted;
};

/// e^(x + low) for |low| far below 1: Cody and Waite's reduction by n ln 2.
template <class V>
CMLP_INLINE Exponential<V> exponential(V x, V low) {
    using C = Coefficients<typename V::Scalar>;
    Exponential<V> e;
    e.shifted = fma(x, V(C::log2_e), V(V::power_magic));
    e.n = e.shifted - V(V::power_magic);
    const V high = fnma(e.n, V(C::ln2), x);
    const V small = fnma(e.n, V(C::ln2_low), low);
    const V r = high + small;
    e.rest = high + fma(r * r, horner(r, C::exp), small);
    return e;
}

template <class V>
CMLP_INLINE V exp(V x, V low) {
    using R = Range<typename V::Scalar>;
    const auto e = exponential(at_most(at_least(x, R::exp_low), R::exp_high), low);
    return scale(V(1) + e.rest, e.n);
}
template <class V>
CMLP_INLINE V exp(V x) {
    return exp(x, V(0));
}

/// What rounding took off x = a * b or a / b, where e^x is not at its ends: there, and for a NaN, 0.
template <class V>
CMLP_INLINE V rest_of(V x, V low) {
    return select(abs(x) < V(-Range<typename V::Scalar>::scaled_low), low, V(0));
}

/// e^x - 1. Beyond 2^split the factor is applied in two steps, so that it does not overflow early.
template <class V>
CMLP_INLINE V expm1(V x) {
    using R = Range<typename V::Scalar>;
    const auto e = exponential(at_most(at_least(x, -R::sigmoid_high), R::exp_high), V(0));
    const V first = min(e.shifted, V(V::power_magic + R::split));
    const V power = power_of_2(first);
    const V y = fma(power, e.rest, power - V(1)) * power_of_2(e.shifted - first + V(V::power_magic));
    return copysign(y, x);
}

/// 1 - 2 / (e^2|x| + 1), and a polynomial where that would cancel.
template <class V>
CMLP_INLINE V tanh(V x) {
    using T = typename V::Scalar;
    const V t = at_most(abs(x), Range<T>::tanh_high);
    const auto e = exponential(t + t, V(0));
    const V power = power_of_2(e.shifted);
    const V far = V(1) - V(2) / fma(power, e.rest, power + V(1));
    const V x2 = x * x;
    const V near = fma(x * x2, horner(x2, Coefficients<T>::tanh), x);
    return copysign(select(t < V(T(0.55)), near, far), x);  // of -0 too
}

/// x - tanh x = x^3 (1/3 - x^2 p(x^2) / q(x^2)) near 0: a convergent of Lambert's fraction x / (1 + x^2 / (3
/// + x^2 / ...)).
template <class T>
struct TanhTail;
template <>
struct TanhTail<float> {
    static constexpr float p[] = {54054, 3069, 28}, q[] = {405405, 187110, 9450, 84};
};
template <>
struct TanhTail<double> {
    static constexpr double p[] = {5499724230, 392837445, 7438860, 44850, 66};
    static constexpr double q[] = {41247931725, 19641872250, 1240539300, 22702680, 135135, 198};
};

/// x - tanh x without its cancellation.
template <class V>
CMLP_INLINE V tanhshrink(V x) {
    using T = typename V::Scalar;
    using C = TanhTail<T>;
    const V x2 = x * x;
    const V near = x * x2 * fnma(x2, horner(x2, C::p) / horner(x2, C::q), V(T(1.0 / 3)));
    return select(abs(x) < V(T(1.25)), near, x - tanh(x));
}

/// 1 / (1 + e^-x) = factor / denominator: the factor 2^(split - n) keeps e^-x = 2^n (1 + rest) in range.
template <class V>
struct Sigmoid {
    V factor, denominator, minus_exp;  // minus_exp is e^-x factor
};

/// Of x + low; x in [product_low, sigmoid_high].
template <class V>
CMLP_INLINE Sigmoid<V> sigmoid_parts(V x, V low) {
    using R = Range<typename V::Scalar>;
    const auto e = exponential(-x, -low);
    const V magic = V::power_magic;
    const V power = power_of_2(min(e.shifted, magic + V(R::split)));
    Sigmoid<V> s;
    s.factor = power_of_2(min(V(2 * V::power_magic + R::split) - e.shifted, magic));
    const V sum = power + V(1);
    s.denominator = fma(power, e.rest, V(1) - (sum - power)) + sum;  // 2^24 + 1 is no float
    s.minus_exp = fma(power, e.rest, power);
    return s;
}

template <class V>
CMLP_INLINE V sigmoid(V x) {
    using R = Range<typename V::Scalar>;
    const auto s = sigmoid_parts(at_most(at_least(x, R::product_low), R::sigmoid_high), V(0));
    return s.factor / s.denominator;
}

/// x sigmoid(x)
template <class V>
CMLP_INLINE V silu(V x) {
    using R = Range<typename V::Scalar>;
    const V y = at_least(x, R::product_low);
    const auto s = sigmoid_parts(at_most(y, R::sigmoid_high), V(0));
    return y * s.factor / s.denominator;
}

/// s (1 + slope (1 - s)) for the sigmoid s.
template <class V>
CMLP_INLINE V sigmoid_product_derivative(Sigmoid<V> s, V slope) {
    const V inverse = V(1) / s.denominator;
    return fma(slope, s.minus_exp * inverse, V(1)) * inverse * s.factor;
}

template <class V>
CMLP_INLINE V silu_derivative(V x) {
    using R = Range<typename V::Scalar>;
    const V y = at_most(at_least(x, R::product_low), R::sigmoid_high);
    return sigmoid_product_derivative(sigmoid_parts(y, V(0)), y);
}

/// log(1 + e^-|x|)
template <class V>
CMLP_INLINE V log_1p_exp_minus_abs(V x) {
    using C = Coefficients<typename V::Scalar>;
    using R = Range<typename V::Scalar>;
    const auto e = exponential(at_least(-abs(x), R::exp_low), V(0));
    const V y = scale(V(1) + e.rest, e.n);
    return fma(y * y, horner(y, C::softplus), y);
}

/// log(1 + e^x)
template <class V>
CMLP_INLINE V softplus(V x) {
    return max(x, V(0)) + log_1p_exp_minus_abs(x);
}

/// log(1 + e^(beta x)) / beta. The exponential takes what rounding took off beta x; it is divided by beta before it has
/// its exponent, so that no digits are lost below the normal numbers.
template <class V>
CMLP_INLINE V softplus(V z, V beta) {
    using C = Coefficients<typename V::Scalar>;
    using R = Range<typename V::Scalar>;
    const V x = beta * z, size = abs(x), low = rest_of(x, fma(beta, z, -x));
    const auto e = exponential(at_least(-size, R::scaled_low), select(x < V(0), low, -low));
    const V grown = V(1) + e.rest, y = scale(grown, e.n);
    const V near = fma(y * y, horner(y, C::softplus), y) / beta;
    return max(z, V(0)) + select(size > V(R::log_1p_high), scale(grown / beta, e.n), near);
}

/// 1 / (1 + e^-(beta z))
template <class V>
CMLP_INLINE V sigmoid(V z, V beta) {
    using R = Range<typename V::Scalar>;
    const V x = beta * z, y = at_most(at_least(x, R::product_low), R::sigmoid_high);
    const auto s = sigmoid_parts(y, select(x == y, rest_of(x, fma(beta, z, -x)), V(0)));
    return s.factor / s.denominator;
}

/// log(1 / (1 + e^-x))
template <class V>
CMLP_INLINE V log_sigmoid(V x) {
    return min(x, V(0)) - log_1p_exp_minus_abs(x);
}

/// tanh(log(1 + e)) = w / (w + 2) with e = e^x / factor, w = e (e + 2); e stays above 2^-split.
template <class V>
struct MishParts {
    V x, e, w, factor;
};

template <class V>
CMLP_INLINE MishParts<V> mish_parts(V x) {
    using R = Range<typename V::Scalar>;
    MishParts<V> m;
    m.x = at_most(at_least(x, R::product_low), 30);  // beyond 30 the derivative is 1 and tanh is 1
    const auto e = exponential(m.x, V(0));
    const V magic = V::power_magic;
    const V power = power_of_2(max(e.shifted, magic - V(R::split))), twice = power + power;
    m.factor = power_of_2(min(e.shifted + V(R::split), magic));
    m.e = fma(power, e.rest, power);
    m.w = twice + fma(twice, e.rest, m.e * m.e);
    return m;
}

/// x tanh(softplus(x))
template <class V>
CMLP_INLINE V mish(V x) {
    const auto m = mish_parts(x);
    return max(x, m.x) * (m.w / (m.w + V(2))) * m.factor;
}

template <class V>
CMLP_INLINE V mish_derivative(V x) {
    const auto m = mish_parts(x);
    const V inverse = V(1) / (m.w + V(2));
    const V bracket = fma(V(4) * m.x * (m.e + V(1)), inverse, m.e + V(2));
    return bracket * inverse * m.e * m.factor;
}

}  // namespace math
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
