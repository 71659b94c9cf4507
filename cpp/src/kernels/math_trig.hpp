// Vector sine and cosine.
#pragma once

#include "math_exp.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace math {

/// sin and cos of x - quadrant pi/2, |x - quadrant pi/2| <= pi/4.
template <class V>
struct Quadrant {
    V sin, cos;
    typename V::Int number;
};

/// Accurate up to 2^20 (float) and 2^30 (double); beyond, the argument counts as 0. Infinity gives NaN.
template <class V>
CMLP_INLINE Quadrant<V> quadrant(V x) {
    using T = typename V::Scalar;
    using C = Coefficients<T>;
    x = select(abs(x) <= V(T(sizeof(T) == 4 ? 1 << 20 : 1 << 30)), x, x - x);
    const V n = round(x * V(C::two_over_pi));
    const V high = fnma(n, V(C::half_pi), x), p = n * V(C::half_pi_low);
    const V r = high - p, moved = r - high;  // Knuth's two-sum: high may be smaller than p
    const V lost = (high - (r - moved)) - (p + moved);
    const V low = fnma(n, V(C::half_pi_lower), lost - fma(n, V(C::half_pi_low), -p));
    const V r2 = r * r;
    Quadrant<V> q;
    q.sin = r + fma(r * r2, horner(r2, C::sin), low);
    q.cos = fma(r2, fma(r2, horner(r2, C::cos), V(T(-0.5))), V(1));
    q.number = to_int(n);
    return q;
}

/// sin(x - quadrant pi/2 + number pi/2)
template <class V>
CMLP_INLINE V turned(Quadrant<V> q, typename V::Int number) {
    using I = typename V::Int;
    const V value = select((number & I(1)) == I(0), q.sin, q.cos);
    return select((number & I(2)) == I(0), value, -value);
}

template <class V>
CMLP_INLINE V sin(V x) {
    const auto q = quadrant(x);
    return select(x == V(typename V::Scalar(0)), x, turned(q, q.number));  // -0 keeps its sign
}

template <class V>
CMLP_INLINE V cos(V x) {
    const auto q = quadrant(x);
    return turned(q, q.number + typename V::Int(1));
}

/// sin(2 pi x), |x| <= 1/4.
template <class V>
CMLP_INLINE V sin_of_turn(V x) {
    using C = Coefficients<typename V::Scalar>;
    const V x2 = x * x;
    return fma(x, V(C::tau), x * fma(x2, horner(x2, C::sin_turns), V(C::tau_low)));
}

/// sin(2 pi x) and cos(2 pi x): both reductions are exact but where the cosine is 1.
template <class V>
struct Turns {
    V rest;

    explicit CMLP_INLINE Turns(V x) : rest(x - round(x)) {}
    CMLP_INLINE V cos() const { return sin_of_turn(V(typename V::Scalar(0.25)) - abs(rest)); }
    CMLP_INLINE V sin() const {
        const V size = abs(rest);
        return copysign(sin_of_turn(min(size, V(typename V::Scalar(0.5)) - size)), rest);
    }
};

}  // namespace math
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
