// Losses of one prediction and one target: value and slope of a vector of them. `c` is the column's number (1
// where there is none), `p` the parameters in the order of the loss's row in losses.def.
#pragma once

#include "softmax.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace loss {

template <class V>
struct Point {
    V value, slope;  // l(y, t) and dl/dy
};

struct Elementwise {
    static constexpr bool elementwise = true, takes_labels = false, joint = false;
    static constexpr int width = 1;
    static constexpr Column column = Column::none;
};

// -1, 0 or 1; a NaN stays.
template <class V>
CMLP_INLINE V sign(V d) {
    using T = typename V::Scalar;
    return select(d > V(T(0)), V(T(1)), select(d < V(T(0)), V(T(-1)), d));
}

struct mse : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V d = y - t;
        return {d * d, d + d};
    }
};

struct l1 : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V d = y - t;
        return {abs(d), sign(d)};
    }
};

struct smooth_l1 : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        const V d = y - t, size = abs(d), half(T(0.5)), beta(p[0]);
        const auto near = size < beta;
        return {select(near, half * d * (d / beta), size - half * beta), select(near, d / beta, sign(d))};
    }
};

struct huber : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        const V d = y - t, size = abs(d), half(T(0.5)), delta(p[0]);
        const auto near = size <= delta;
        return {select(near, half * d * d, delta * (size - half * delta)), select(near, d, delta * sign(d))};
    }
};

// With e = expm1(-|d|): log cosh d = log1p(e^2 / (2 (1 + e))), exact near 0, where |d| - log 2 + log1p((1 +
// e)^2) cancels; tanh |d| = -E / (2 + E), E = expm1(-2 |d|) = e (2 + e).
struct log_cosh : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V d = y - t, size = abs(d), one(T(1)), two(T(2)), e = math::expm1(-size), left = one + e;
        const auto near = size < one;
        const V log = math::log1p(select(near, e * e / (two * left), left * left));
        const V twice = e * (two + e), slope = copysign(-twice / (two + twice), d);
        return {select(near, log, (size - V(T(0.69314718055994530942))) + log), select(isnan(d), d, slope)};
    }
};

// Logarithms are held at -100 and the slope's denominator at 1e-12, as in PyTorch, so that y = 0 and y = 1 stay finite;
// max returns its second argument when that is a NaN, so a NaN or a y outside [0, 1] shows.
struct bce : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V one(T(1)), floor(T(-100));
        const V log_y = max(floor, math::log(y)), log_not_y = max(floor, math::log1p(-y));
        return {(t - one) * log_not_y - t * log_y, (y - t) / max((one - y) * y, V(T(1e-12)))};
    }
};

// c t softplus(-y) + (1 - t) softplus(y)
struct bce_with_logits : Elementwise {
    static constexpr Column column = Column::positive;
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V c, const T*) {
        const V zero(T(0)), one(T(1)), ct = c * t, rest = math::softplus(-abs(y));
        const V value = ct * (max(-y, zero) + rest) + (one - t) * (max(y, zero) + rest);
        return {value, fma((one - t) + ct, math::sigmoid(y), -ct)};
    }
};

struct soft_margin : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V z = -(t * y);
        return {math::softplus(z), -(t * math::sigmoid(z))};
    }
};

struct hinge : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V zero(T(0)), z = V(T(1)) - t * y;
        return {max(zero, z), select(z <= zero, zero, -t)};
    }
};

struct squared_hinge : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V z = max(V(T(0)), V(T(1)) - t * y);
        return {z * z, -((t + t) * z)};
    }
};

// t = 0 is not multiplied by its logarithm, but by y, so that a NaN shows.
struct kl_div : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        if (p[0] != T(0)) {
            const V weight = math::exp(t), zero(T(0)), d = t - y;
            return {select(((weight == zero) & !isnan(d)) | (d == zero), zero, weight * d), -weight};
        }
        return {t * (select(t == V(T(0)), t, math::log(t)) - y), -t};
    }
};

// full: Stirling's log t! for t > 1, its t log t - t beside t log_mean, which is of its size
struct poisson_nll : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        const V one(T(1)), zero(T(0)), mean = p[0] != T(0) ? math::exp(y) : y, shifted = y + V(p[2]);
        const V log_mean = p[0] != T(0) ? y : math::log(shifted);
        const V slope = p[0] != T(0) ? mean - t : one - t / shifted;
        const V rest = select(t == zero, t * y, t * log_mean);
        const V infinity = V(T(__builtin_inf()));
        const auto infinite = (mean == infinity) & (y < infinity) & !isnan(rest);  // the mean overflows alone
        const V value = select(infinite, mean, mean - rest);
        if (p[1] == T(0)) return {value, slope};
        const V log_t = math::log(t), log_2_pi(T(1.8378770664093454836));
        const V far = (mean - t) + fma(t, log_t - log_mean, V(T(0.5)) * (log_2_pi + log_t));
        return {select((t > one) & !infinite, far, value), slope};
    }
};

// Unit deviance of a compound Poisson-gamma variable, y the log of its mean.
struct tweedie : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        const V zero(T(0)), two(T(2)), a(T(1) - p[0]), b(T(2) - p[0]);
        const auto none = t == zero;
        const V grown = math::exp(b * y), product = select(none, zero, t * math::exp(a * y));
        const V constant = select(none, zero, math::exp(b * math::log(t))) / (a * b);
        return {two * ((grown / b - product / a) + constant), two * (grown - product)};
    }
};

// Unit deviance of a gamma variable, y the log of its mean: 2 (exp(d) - 1 - d), d = log t - y.
struct gamma_deviance : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T*) {
        const V two(T(2)), d = math::log(t) - y, e = math::expm1(d);
        return {two * (e - d), -(two * e)};
    }
};

// wrong^gamma: the usual 2 is a square, the rest goes by the logarithm.
template <class V, class T, class Log>
CMLP_INLINE V focus(V wrong, T gamma, Log&& log) {
    return gamma == T(0) ? V(T(1)) : gamma == T(2) ? wrong * wrong : math::exp(V(gamma) * log());
}

// Binary focal loss on log-odds, q the probability of the wrong class: weight q^gamma bce. The ends t = 0 and
// t = 1 go by log q, which does not underflow; q' / q is (1 - 2 t) r.
struct binary_focal : Elementwise {
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, V, const T* p) {
        const V one(T(1)), zero(T(0)), gamma(p[0]), alpha(p[1]), other = one - t;
        const V rest = math::softplus(-abs(y)), up = max(y, zero) + rest, down = max(-y, zero) + rest;
        const V rare = math::sigmoid(-abs(y)), common = one - rare;
        const V s = select(y < zero, rare, common), n = select(y < zero, common, rare);
        const V q = fma(t, n, other * s), bce = fma(t, down, other * up);
        const auto sure = (t == one) | (t == zero);
        const auto log_q = [&] {
            const V end = select(t == one, -up, -down);
            return all(sure) ? end : select(sure, end, math::log(q));
        };
        const V r = select(t == one, s, select(t == zero, n, s * n / q));
        const V weight = p[1] >= T(0) ? fma(alpha, t, (one - alpha) * other) : one;
        const V factor = weight * focus(q, p[0], log_q);
        const V steep = gamma * ((other - t) * r);  // 0 where bce may be infinite
        return {factor * bce, factor * (select(steep == zero, steep, bce * steep) + (other * s - t * n))};
    }
};

}  // namespace loss
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
