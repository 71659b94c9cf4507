// Vector functions of the normal distribution: erf, erfc, normal_cdf, gelu; gelu_tanh beside it.
#pragma once

#include "math_exp.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace math {

/// Phi(-t) = 2^n (1 + rest) (ratio + ratio_low), t >= 0: a density times Mills' ratio, in 16 pieces.
template <class V>
struct NormalTail {
    V ratio, ratio_low, rest, n;

    /// Phi(-t), every part used.
    CMLP_INLINE V accurate() const { return scale(ratio + fma(ratio, rest, ratio_low), n); }
    /// v e^(-t^2/2) for a factor v.
    CMLP_INLINE V times_density(V v) const { return scale(fma(v, rest, v), n); }
};

/// t from the pieces' centre is t * factor + low - centre, where -t^2 factor^2 / 2 = square + square_low.
template <class V>
CMLP_INLINE NormalTail<V> normal_tail(V t, V factor, V low, V square, V square_low) {
    using T = typename V::Scalar;
    using C = Coefficients<T>;
    const V v = fma(t, V(C::tail_scale) * factor, V(C::tail_start));
    const auto piece = shift_right_logical(bits(v), V::mantissa_bits - C::tail_bits);
    const V u = fma(t, factor, -V::lookup(C::tail[0], piece)) + low;
    constexpr int last = int(sizeof(C::tail) / sizeof(C::tail[0])) - 1;
    V p = V::lookup(C::tail[last], piece);
#pragma GCC unroll 32
    for (int k = last - 1; k > 1; --k) p = fma(p, u, V::lookup(C::tail[k], piece));
    const V lead = V::lookup(C::tail[1], piece);
    const auto e = exponential(square, square_low);
    NormalTail<V> tail;
    tail.ratio = fma(p, u, lead);
    tail.ratio_low = fma(p, u, lead - tail.ratio);
    tail.rest = e.rest;
    tail.n = e.n;
    return tail;
}

/// Of |x|, clamped.
template <class V>
CMLP_INLINE NormalTail<V> normal_tail(V x) {
    using T = typename V::Scalar;
    const V t = at_most(abs(x), Coefficients<T>::tail_limit);
    const V half = V(T(-0.5)) * t, square = half * t;
    return normal_tail(t, V(1), V(0), square, fma(half, t, -square));
}

/// erfc(|x|) = 2 Phi(-sqrt(2) |x|): n is one more.
template <class V>
CMLP_INLINE NormalTail<V> erfc_tail(V x) {
    using T = typename V::Scalar;
    using C = Coefficients<T>;
    const V t = at_most(abs(x), T(C::tail_limit / 1.4143));
    const V square = -t * t;
    auto tail = normal_tail(t, V(C::sqrt_2), t * V(C::sqrt_2_low), square, fma(-t, t, -square));
    tail.n += V(1);
    return tail;
}

template <class V>
CMLP_INLINE V normal_cdf(V x) {
    const V y = normal_tail(x).accurate();
    return select(x > V(0), V(1) - y, y);
}

template <class V>
CMLP_INLINE V erfc(V x) {
    const V y = erfc_tail(x).accurate();
    return select(x < V(0), V(2) - y, y);
}

template <class V>
CMLP_INLINE V erf(V x) {
    using C = Coefficients<typename V::Scalar>;
    const auto tail = erfc_tail(x);
    const V far = copysign(V(1) - tail.times_density(tail.ratio), x);
    const V near = fma(x, horner(x * x, C::erf), x);
    return select(abs(x) < V(1), near, far);
}

/// x Phi(x): for x < 0 the product with the tail itself, so that its relative accuracy is kept.
template <class V>
CMLP_INLINE V gelu(V x) {
    const auto tail = normal_tail(x);
    using C = Coefficients<typename V::Scalar>;
    const V t = at_least(at_most(x, C::tail_limit), -C::tail_limit);
    const V y = tail.times_density(t * tail.ratio);
    return select(x > V(0), x - y, y);
}

/// Phi(x) + x phi(x)
template <class V>
CMLP_INLINE V gelu_derivative(V x) {
    using C = Coefficients<typename V::Scalar>;
    const auto tail = normal_tail(x);
    const V t = at_most(abs(x), C::tail_limit);
    const V y = tail.times_density(fnma(t, V(C::inverse_sqrt_2pi), tail.ratio));
    return select(x > V(0), V(1) - y, y);
}

/// Where gelu_tanh's argument stops to matter.
template <class T>
struct GeluTanhRange {
    static constexpr T low = sizeof(T) == 4 ? -11 : -22;
    static constexpr T high = 8;
};

/// The sigmoid of 2 sqrt(2/pi) (x + 0.044715 x^3), whose argument needs more than one float in the tail.
template <class V>
CMLP_INLINE Sigmoid<V> gelu_tanh_sigmoid(V x) {
    using C = Coefficients<typename V::Scalar>;
    const V square = x * x;
    const V sum = square + V(C::gelu_root);
    const V sum_low = square - (sum - V(C::gelu_root)) + (fma(x, x, -square) + V(C::gelu_root_low));
    const V slope = V(C::gelu_slope) * x;
    const V slope_low = fma(V(C::gelu_slope), x, -slope) + V(C::gelu_slope_low) * x;
    const V value = slope * sum;
    return sigmoid_parts(value, fma(slope, sum, -value) + fma(slope, sum_low, slope_low * sum));
}

/// x / 2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
template <class V>
CMLP_INLINE V gelu_tanh(V x) {
    using R = GeluTanhRange<typename V::Scalar>;
    const V y = at_least(x, R::low);
    const auto s = gelu_tanh_sigmoid(at_most(y, R::high));
    return y * s.factor / s.denominator;
}

template <class V>
CMLP_INLINE V gelu_tanh_derivative(V x) {
    using T = typename V::Scalar;
    using C = Coefficients<T>;
    using R = GeluTanhRange<T>;
    const V y = at_most(at_least(x, R::low), R::high);
    const V slope = V(C::gelu_slope) * fma(V(3) * y, y, V(C::gelu_root) + V(C::gelu_root_low));
    return sigmoid_product_derivative(gelu_tanh_sigmoid(y), y * slope);
}

}  // namespace math
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
