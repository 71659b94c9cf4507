// The update loop and the rules of optimizers.def: plain descent, sign-based rules, and the headers of the others.
#pragma once

#include "optimizers_adam.hpp"
#include "optimizers_scaled.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace opt {

struct sgd {
    enum { lr, momentum, dampening, weight_decay, nesterov, maximize, velocity_mode };
    static constexpr int max_slots = 1;
    static int slots(const double* h) { return h[momentum] != 0; }
    // c: sign, weight_decay, momentum, share of g in the velocity (all of it in the first step), weights of v and g.
    // The step size is a factor of the velocity (PyTorch) or, with velocity_mode 1, of what goes into it (Keras).
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(h[momentum]);
        const double inside = h[velocity_mode] ? h[lr] : 1, outside = h[velocity_mode] ? 1 : h[lr];
        c[3] = T(inside * (step > 1 ? 1 - h[dampening] : 1));
        c[4] = T(h[nesterov] ? outside * h[momentum] : outside);
        c[5] = T(h[nesterov] ? h[lr] : 0);
        c[6] = T(h[lr]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* v, const T* c) {
        g = fma(V(c[1]), w, V(c[0]) * g);
        if (c[2] == T(0)) return fnma(V(c[6]), g, w);
        v[0] = fma(V(c[2]), v[0], V(c[3]) * g);
        return fnma(V(c[4]), v[0], fnma(V(c[5]), g, w));
    }
};

// The average of the weights is kept beside them; memory: step size and share of the average, both for this step.
struct asgd {
    enum { lr, lambd, alpha, t0, weight_decay, maximize };
    static constexpr int max_slots = 1;
    static int slots(const double*) { return max_slots; }
    // c: sign, weight_decay, factor of w, step size, share of the new weights in the average
    template <class T>
    static void prepare(const double* h, int64_t step, double* memory, T* c) {
        double &eta = memory[0], &mu = memory[1];
        if (step == 1) eta = h[lr], mu = 1;
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(1 - h[lambd] * eta);
        c[3] = T(eta);
        c[4] = T(mu);
        eta = h[lr] / real_power(1 + h[lambd] * h[lr] * double(step), h[alpha]);
        mu = 1 / (double(step) - h[t0] > 1 ? double(step) - h[t0] : 1);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* average, const T* c) {
        g = fma(V(c[1]), w, V(c[0]) * g);
        w = fnma(V(c[3]), g, V(c[2]) * w);
        average[0] = c[4] == T(1) ? w : fma(V(c[4]), w - average[0], average[0]);
        return w;
    }
};

// -1, 0 or 1; NaN for NaN.
template <class V>
CMLP_INLINE V sign_of(V x) {
    return select(x == V(0), V(0), select(isnan(x), x, copysign(V(1), x)));
}

struct rprop {
    enum { lr, eta_minus, eta_plus, step_min, step_max, maximize };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    // c: sign, first step size (later 0), eta_minus, eta_plus, step_min, step_max
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(step == 1 ? h[lr] : 0);
        c[2] = T(h[eta_minus]);
        c[3] = T(h[eta_plus]);
        c[4] = T(h[step_min]);
        c[5] = T(h[step_max]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &previous = state[0], &size = state[1];
        g = V(c[0]) * g;
        const V turn = g * previous;
        const auto back = turn < V(0);
        const V factor = select(back, V(c[2]), select(turn > V(0), V(c[3]), V(1)));
        size = min(max((size + V(c[1])) * factor, V(c[4])), V(c[5]));
        previous = select(back, V(0), g);
        return fnma(sign_of(previous), size, w);
    }
};

struct lion {
    enum { lr, beta1, beta2, weight_decay, maximize };
    static constexpr int max_slots = 1;
    static int slots(const double*) { return max_slots; }
    // c: sign, factor of w, lr, beta1, 1 - beta1, beta2, 1 - beta2
    template <class T>
    static void prepare(const double* h, int64_t, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(1 - h[lr] * h[weight_decay]);
        c[2] = T(h[lr]);
        c[3] = T(h[beta1]);
        c[4] = T(1 - h[beta1]);
        c[5] = T(h[beta2]);
        c[6] = T(1 - h[beta2]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* m, const T* c) {
        g = V(c[0]) * g;
        const V direction = sign_of(fma(V(c[3]), m[0], V(c[4]) * g));
        m[0] = fma(V(c[5]), m[0], V(c[6]) * g);
        return fnma(V(c[2]), direction, V(c[1]) * w);
    }
};

}  // namespace opt

// One step over n weights with as many arrays of state as the settings need.
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
