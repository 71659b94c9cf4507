// Update rules that divide the gradient by a running root of its square: Adagrad, Adadelta, RMSprop.
#pragma once

#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace opt {

struct adagrad {
    enum { lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize };
    static constexpr int max_slots = 1;
    static int slots(const double*) { return max_slots; }
    // c: sign, weight_decay, start of the sum (later 0), step size, eps
    template <class T>
    static void prepare(const double* h, int64_t step, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(step == 1 ? h[initial_accumulator_value] : 0);
        c[3] = T(h[lr] / (1 + double(step - 1) * h[lr_decay]));
        c[4] = T(h[eps]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* sum, const T* c) {
        g = fma(V(c[1]), w, V(c[0]) * g);
        sum[0] = fma(g, g, sum[0] + V(c[2]));
        return w - V(c[3]) * g / (sqrt(sum[0]) + V(c[4]));
    }
};

struct adadelta {
    enum { lr, rho, eps, weight_decay, maximize };
    static constexpr int max_slots = 2;
    static int slots(const double*) { return max_slots; }
    // c: sign, weight_decay, lr, rho, 1 - rho, eps
    template <class T>
    static void prepare(const double* h, int64_t, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(h[lr]);
        c[3] = T(h[rho]);
        c[4] = T(1 - h[rho]);
        c[5] = T(h[eps]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &square = state[0], &moved = state[1];
        g = fma(V(c[1]), w, V(c[0]) * g);
        square = fma(V(c[3]), square, V(c[4]) * g * g);
        const V move = sqrt(moved + V(c[5])) / sqrt(square + V(c[5])) * g;
        moved = fma(V(c[3]), moved, V(c[4]) * move * move);
        return fnma(V(c[2]), move, w);
    }
};

struct rmsprop {
    enum { lr, alpha, eps, weight_decay, momentum, centered, maximize };
    static constexpr int max_slots = 3;
    static int slots(const double* h) { return h[centered] ? 3 : h[momentum] != 0 ? 2 : 1; }
    // c: sign, weight_decay, lr, alpha, 1 - alpha, eps, momentum, centered
    template <class T>
    static void prepare(const double* h, int64_t, double*, T* c) {
        c[0] = h[maximize] ? T(-1) : T(1);
        c[1] = T(h[weight_decay]);
        c[2] = T(h[lr]);
        c[3] = T(h[alpha]);
        c[4] = T(1 - h[alpha]);
        c[5] = T(h[eps]);
        c[6] = T(h[momentum]);
        c[7] = T(h[centered]);
    }
    template <class V, class T>
    static CMLP_INLINE V at(V w, V g, V* state, const T* c) {
        V &square = state[0], &velocity = state[1], &mean = state[2];
        g = fma(V(c[1]), w, V(c[0]) * g);
        square = fma(V(c[3]), square, V(c[4]) * g * g);
        V variance = square;
        if (c[7] != T(0)) {
            mean = fma(V(c[3]), mean, V(c[4]) * g);
            variance = max(fnma(mean, mean, square), V(0));  // below 0 by rounding alone
        }
        const V move = g / (sqrt(variance) + V(c[5]));
        if (c[6] == T(0)) return fnma(V(c[2]), move, w);
        velocity = fma(V(c[6]), velocity, move);
        return fnma(V(c[2]), velocity, w);
    }
};

}  // namespace opt
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
