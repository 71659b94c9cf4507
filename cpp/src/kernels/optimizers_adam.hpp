// The rules of Adam's family. One struct a rule: prepare(settings, step, memory) makes the numbers of one
// step in double, at(...) updates one vector. `h` are the settings in the order of the rule's row in
// optimizers.def, `c` the prepared numbers, `memory` what prepare keeps from step to step.
#pragma once

#include "map.hpp"
#include "math.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace opt {

// b^n by squaring: the same products everywhere, where libm's pow depends on the library. Without branches:
// no processor foresees the bits of n.
CMLP_INLINE double power(double b, int64_t n) {
    double result = 1;
    for (; n > 0; n /= 2, b *= b) {
        const double factor[] = {1, b};
        result *= factor[n % 2];
    }
    return result;
}

// b^x for b > 0 from the functions of math.hpp, for the same reason.
CMLP_INLINE double real_power(double b, double x) {
    return first(math::exp(Vec<double>(x) * math::log(Vec<double>(b))));
}

// Both decays of the weights: added to the gradient (Adam) or taken off the weights (AdamW).
template <bool always_decoupled>
struct adam_rule {
    enum { lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, eps_mode, decoupled_weight_decay };
    static constexpr int max_slots = 3;
    static int slots(const double* h) { return h[amsgrad] ? 3 : 2; }
    // c: sign, decay into g, decay of w, beta1, 1 - beta1, beta2, 1 - beta2, step size, factor of sqrt(v), eps, amsgrad
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        bool decoupled = always_decoupled;
        if constexpr (!always_decoupled) decoupled = h[decoupled_weight_decay] != 0;
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
        c[10] = T(h[amsgrad]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &v = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        m = fma(V(c[3]), m, V(c[4]) * g);
        v = fma(V(c[5]), v, V(c[6]) * g * g);
        if (c[10] != T(0)) state[2] = max(v, state[2]);
        const V scale = c[10] != T(0) ? state[2] : v;
        return V(c[2]) * w - V(c[7]) * m / fma(sqrt(scale), V(c[8]), V(c[9]));
    }
};

struct adam : adam_rule<false> {};
struct adamw : adam_rule<true> {};

// What is no matrix, by AdamW; matrices have a step of their own above the kernels.
struct muon : adamw {
    enum {
        lr,
        weight_decay,
        momentum,
        nesterov,
        ns_a,
        ns_b,
        ns_c,
        eps,
        ns_steps,
        adjust_lr_fn,
        beta1,
        beta2,
        adam_eps
    };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    template <class T>
    static void prepare(const double* h, int64_t step, double* memory, T* c) {
        const double adam[] = {h[lr], h[beta1], h[beta2], h[adam_eps], h[weight_decay], 0, 0, 0};
        adamw::prepare(adam, step, memory, c);
    }
};

// Memory: the product of the momenta mu_1 ... mu_s.
struct nadam {
    enum { lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    static double momentum(const double* h, int64_t step) {
        return h[beta1] * (1 - 0.5 * real_power(0.96, double(step) * h[momentum_decay]));
    }
    // c: sign, decay into g, decay of w, beta1, 1 - beta1, beta2, 1 - beta2, weights of g and m, factor of sqrt(v), eps
    template <class T>
    static void prepare(const double* h, int64_t step, double* memory, T* c) {
        const bool decoupled = h[decoupled_weight_decay] != 0;
        const double mu = momentum(h, step), next = momentum(h, step + 1);
        memory[0] = step == 1 ? mu : memory[0] * mu;
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(decoupled ? 0 : h[weight_decay]);
        c[2] = T(decoupled ? 1 - h[lr] * h[weight_decay] : 1);
        c[3] = T(h[beta1]);
        c[4] = T(1 - h[beta1]);
        c[5] = T(h[beta2]);
        c[6] = T(1 - h[beta2]);
        c[7] = T(h[lr] * (1 - mu) / (1 - memory[0]));
        c[8] = T(h[lr] * next / (1 - memory[0] * next));
        c[9] = T(1 / __builtin_sqrt(1 - power(h[beta2], step)));
        c[10] = T(h[eps]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &v = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        m = fma(V(c[3]), m, V(c[4]) * g);
        v = fma(V(c[5]), v, V(c[6]) * g * g);
        return V(c[2]) * w - fma(V(c[7]), g, V(c[8]) * m) / fma(sqrt(v), V(c[9]), V(c[10]));
    }
};

struct radam {
    enum { lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, maximize };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    // c: sign, decay into g, decay of w, beta1, 1 - beta1, beta2, 1 - beta2, step size, whether v scales it, eps
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        const bool decoupled = h[decoupled_weight_decay] != 0;
        const double decayed = power(h[beta2], step), longest = 2 / (1 - h[beta2]) - 1;
        const double length = longest - 2 * double(step) * decayed / (1 - decayed);
        double size = h[lr] / (1 - power(h[beta1], step));
        if (length > 5)  // the rectification r_t and the correction of sqrt(v)
            size *= __builtin_sqrt((length - 4) * (length - 2) * longest /
                                   ((longest - 4) * (longest - 2) * length) * (1 - decayed));
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(decoupled ? 0 : h[weight_decay]);
        c[2] = T(decoupled ? 1 - h[lr] * h[weight_decay] : 1);
        c[3] = T(h[beta1]);
        c[4] = T(1 - h[beta1]);
        c[5] = T(h[beta2]);
        c[6] = T(1 - h[beta2]);
        c[7] = T(size);
        c[8] = T(length > 5);
        c[9] = T(h[eps]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &v = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        m = fma(V(c[3]), m, V(c[4]) * g);
        v = fma(V(c[5]), v, V(c[6]) * g * g);
        if (c[8] == T(0)) return V(c[2]) * w - V(c[7]) * m;
        return V(c[2]) * w - V(c[7]) * m / (sqrt(v) + V(c[9]));
    }
};

struct adamax {
    enum { lr, beta1, beta2, eps, weight_decay, maximize };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    // c: sign, weight_decay, beta1, 1 - beta1, beta2, eps, step size
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(h[beta1]);
        c[3] = T(1 - h[beta1]);
        c[4] = T(h[beta2]);
        c[5] = T(h[eps]);
        c[6] = T(h[lr] / (1 - power(h[beta1], step)));
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &u = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        m = fma(V(c[2]), m, V(c[3]) * g);
        u = max(V(c[4]) * u, abs(g) + V(c[5]));
        return w - V(c[6]) * m / u;
    }
};

// State: means of g, of its change d and of (g + beta2 d)^2, and the gradient before.
struct adan {
    enum { lr, beta1, beta2, beta3, eps, weight_decay, no_prox, maximize };
    static constexpr int max_slots = 4;
    static int slots(const double*) { return max_slots; }
    // c: sign, share of the gradient before, beta1, beta2, beta3, the three 1 - beta, weights of m and d,
    //    factor of sqrt(n), eps, factor of w before, divisor of w after
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        const double decay = h[lr] * h[weight_decay];
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(step > 1);
        c[2] = T(h[beta1]);
        c[3] = T(h[beta2]);
        c[4] = T(h[beta3]);
        c[5] = T(1 - h[beta1]);
        c[6] = T(1 - h[beta2]);
        c[7] = T(1 - h[beta3]);
        c[8] = T(h[lr] / (1 - power(h[beta1], step)));
        c[9] = T(h[lr] * h[beta2] / (1 - power(h[beta2], step)));
        c[10] = T(1 / __builtin_sqrt(1 - power(h[beta3], step)));
        c[11] = T(h[eps]);
        c[12] = T(h[no_prox] ? 1 - decay : 1);
        c[13] = T(h[no_prox] ? 1 : 1 + decay);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &m = state[0], &d = state[1], &n = state[2], &before = state[3];
        g = V(c[0]) * g;
        const V change = c[1] != T(0) ? g - before : V(0);
        before = g;
        m = fma(V(c[2]), m, V(c[5]) * g);
        d = fma(V(c[3]), d, V(c[6]) * change);
        const V ahead = fma(V(c[3]), change, g);
        n = fma(V(c[4]), n, V(c[7]) * ahead * ahead);
        const V step = fma(V(c[8]), m, V(c[9]) * d) / fma(sqrt(n), V(c[10]), V(c[11]));
        return (V(c[12]) * w - step) / V(c[13]);
    }
};

}  // namespace opt
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
