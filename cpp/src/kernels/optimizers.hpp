// One struct an update rule: prepare(settings, step) makes the numbers of one step in double, at(...) updates one vector.
// `h` are the settings in the order of the rule's row in optimizers.def, `c` the prepared numbers.
#pragma once

#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace opt {

// b^n by squaring: the same products everywhere, where libm's pow depends on the library.
CMLP_INLINE double power(double b, int64_t n) {
    double result = 1;
    for (; n > 0; n /= 2, b *= b)
        if (n % 2) result *= b;
    return result;
}

struct sgd {
    enum { lr, momentum, dampening, weight_decay, nesterov, maximize };
    static constexpr int max_slots = 1;
    static int slots(const double* h) { return h[momentum] != 0; }
    // c: sign, weight_decay, momentum, share of g in the velocity (all of it in the first step), weights of v and g
    template <class T>
    static void prepare(const double* h, int64_t step, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(h[momentum]);
        c[3] = T(step > 1 ? 1 - h[dampening] : 1);
        c[4] = T(h[nesterov] ? h[lr] * h[momentum] : h[lr]);
        c[5] = T(h[nesterov] ? h[lr] : 0);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* v, const T* c) {
        g = fma(V(c[1]), w, V(c[0]) * g);
        if (c[2] == T(0)) return fnma(V(c[4] + c[5]), g, w);
        v[0] = fma(V(c[2]), v[0], V(c[3]) * g);
        return fnma(V(c[4]), v[0], fnma(V(c[5]), g, w));
    }
};

// Both decays of the weights: added to the gradient (Adam) or taken off the weights (AdamW).
template <bool decoupled>
struct adam_rule {
    enum { lr, beta1, beta2, eps, weight_decay, maximize, eps_mode };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    // c: sign, decay into g, decay of w, beta1, 1 - beta1, beta2, 1 - beta2, step size, factor of sqrt(v), eps
    template <class T>
    static void prepare(const double* h, int64_t step, T* c) {
        const double correction1 = 1 - power(h[beta1], step);
        const double root2 = __builtin_sqrt(1 - power(h[beta2], step));
        const bool outside =
            h[eps_mode] == 0;  // PyTorch: sqrt(v / (1 - beta2^s)) + eps; otherwise sqrt(v) + eps
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(decoupled ? 0 : h[weight_decay]);
        c[2] = T(decoupled ? 1 - h[lr] * h[weight_decay] : 1);
        c[3] = T(h[beta1]);
        c[4] = T(1 - h[beta1]);
        c[5] = T(h[beta2]);
        c[6] = T(1 - h[beta2]);
        c[7] = T(outside ? h[lr] / correction1 : h[lr] * root2 / correction1);
        c[8] = T(outside ? 1 / root2 : 1);
        c[9] = T(h[eps]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &v = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        m = fma(V(c[3]), m, V(c[4]) * g);
        v = fma(V(c[5]), v, V(c[6]) * g * g);
        return V(c[2]) * w - V(c[7]) * m / fma(sqrt(v), V(c[8]), V(c[9]));
    }
};

struct adam : adam_rule<false> {};
struct adamw : adam_rule<true> {};

}  // namespace opt

// One step over n weights with as many arrays of state as the settings ask for.
template <class O, int slots, class T>
void update_with(int count, ptrdiff_t n, T* w, const T* g, T* const* state, const T* c) {
    if constexpr (slots > 0) {
        if (count < slots) return update_with<O, slots - 1>(count, n, w, g, state, c);
    }
    using V = Vec<T>;
    sweep<T>(n, [&](ptrdiff_t j, ptrdiff_t left) {
        V kept[O::max_slots + 1] = {};
        for (int s = 0; s < slots; ++s) kept[s] = V::load_n(state[s] + j, left);
        O::at(V::load_n(w + j, left), V::load_n(g + j, left), kept, c).store_n(w + j, left);
        for (int s = 0; s < slots; ++s) kept[s].store_n(state[s] + j, left);
    });
}

template <class O, class T>
void update(int count, ptrdiff_t n, T* w, const T* g, T* const* state, const T* c) {
    update_with<O, O::max_slots>(count, n, w, g, state, c);
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
