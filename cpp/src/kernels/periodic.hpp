// PeriodicEmbedding of one column: cosines of all frequencies, their product with a small matrix, and the gradients.
#pragma once

#include "kernels.hpp"
#include "map.hpp"
#include "math_trig.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Frequencies whose cosines are made before they are multiplied, and outputs that are summed side by side.
constexpr ptrdiff_t periodic_block = 32;
constexpr int periodic_outputs = 3;

// Of one frequency: x w + phase / (2 pi), in turns.
template <class T>
CMLP_INLINE math::Turns<Vec<T>> periodic_turns(const PeriodicCall<T>& call, Vec<T> x, ptrdiff_t j) {
    return math::Turns<Vec<T>>(fma(x, Vec<T>(call.w[j]), Vec<T>(call.phase[j] * Coefficients<T>::turn)));
}

// D outputs from d on of one vector of rows: chains over the frequencies j ... j + count - 1, from the bias on.
template <int D, class T>
CMLP_INLINE void periodic_chains(const PeriodicCall<T>& call, const Vec<T>* h, ptrdiff_t j, ptrdiff_t count,
                                 ptrdiff_t d, T* y, ptrdiff_t y_row, ptrdiff_t left) {
    using V = Vec<T>;
    V sum[D];
    for (int e = 0; e < D; ++e) sum[e] = j == 0 ? V(call.bias[d + e]) : V::load_n(y + (d + e) * y_row, left);
    for (ptrdiff_t q = 0; q < count; ++q) {
        const T* w = call.weight + (j + q) * call.weight_row + d;
        for (int e = 0; e < D; ++e) sum[e] = fma(h[q], V(w[e]), sum[e]);
    }
    for (int e = 0; e < D; ++e) sum[e].store_n(y + (d + e) * y_row, left);
}

// f.operator()<D>(d) for all outputs, D of them at a time: three, as many as the default has.
template <class F>
CMLP_INLINE void by_outputs(ptrdiff_t outputs, F f) {
    ptrdiff_t d = 0;
    for (; d + periodic_outputs <= outputs; d += periodic_outputs) f.template operator()<periodic_outputs>(d);
    for (; d < outputs; ++d) f.template operator()<1>(d);
}

template <class T>
void periodic_forward(const PeriodicCall<T>& call, T* y, ptrdiff_t y_row) {
    using V = Vec<T>;
    sweep<T>(call.rows, [&](ptrdiff_t r, ptrdiff_t left) {
        const V x = V::load_n(call.x + r, left);
        V h[periodic_block];
        for (ptrdiff_t j = 0; j < call.frequencies; j += periodic_block) {
            const ptrdiff_t rest = call.frequencies - j,
                            count = rest < periodic_block ? rest : periodic_block;
            for (ptrdiff_t q = 0; q < count; ++q) h[q] = periodic_turns(call, x, j + q).cos();
            by_outputs(call.outputs, [&]<int D>(ptrdiff_t d) __attribute__((always_inline)) {
                periodic_chains<D>(call, h, j, count, d, y + r, y_row, left);
            });
        }
        x.store_n(y + call.outputs * y_row + r, left);
    });
}

// Sums over rows: row r belongs to lane r % 16 on every set, and what is behind the last row counts as 0.
template <class T>
struct RowSums {
    using V = Vec<T>;
    V reg[Lanes<T>::registers];

    CMLP_INLINE RowSums() {
        for (V& v : reg) v = V(T(0));
    }
    CMLP_INLINE void store(T* out, T factor, bool add) const {
        Lanes<T> lanes(T(0));
        for (int i = 0; i < Lanes<T>::registers; ++i) lanes.reg[i] = reg[i];
        *out = add ? *out + factor * lanes.sum() : factor * lanes.sum();
    }
};

template <class T>
CMLP_INLINE Vec<T> load_rows(const T* p, ptrdiff_t left) {
    return left > 0 ? Vec<T>::load_n(p, left) : Vec<T>(T(0));
}

// f(register, row, rows left) for each vector of rows, up to a multiple of 16.
template <class T, class F>
CMLP_INLINE void each_row_vector(ptrdiff_t rows, F f) {
    for (ptrdiff_t r = 0; r < rows; r += Lanes<T>::count)
        for (int i = 0; i < Lanes<T>::registers; ++i) f(i, r + i * Vec<T>::size, rows - r - i * Vec<T>::size);
}

// What the frequency at hand has in each row: its cosine and sine, and the gradient of the cosine.
template <class T>
struct PeriodicRows {
    T cos[chunk_rows], sin[chunk_rows], dcos[chunk_rows], dx[chunk_rows];
};

template <class T>
CMLP_INLINE void periodic_waves(const PeriodicCall<T>& call, ptrdiff_t j, PeriodicRows<T>& own) {
    each_row_vector<T>(call.rows, [&](int, ptrdiff_t r, ptrdiff_t left) {
        const auto turns = periodic_turns(call, load_rows(call.x + r, left), j);
        turns.cos().store(own.cos + r);
        turns.sin().store(own.sin + r);
    });
}

// D outputs from d on: the gradient of the cosine = or += their dy times their weights, and that of the weights.
template <int D, class T>
CMLP_INLINE void periodic_weights(const PeriodicCall<T>& call, const PeriodicGradients<T>& grads, ptrdiff_t j,
                                  ptrdiff_t d, PeriodicRows<T>& own) {
    using V = Vec<T>;
    RowSums<T> sum[D];
    const T* w = call.weight + j * call.weight_row + d;
    each_row_vector<T>(call.rows, [&](int i, ptrdiff_t r, ptrdiff_t left) {
        const V h = V::load(own.cos + r);
        V dh = d == 0 ? V(T(0)) : V::load(own.dcos + r);
        for (int e = 0; e < D; ++e) {
            const V dy = load_rows(grads.dy + (d + e) * grads.dy_row + r, left);
            dh = fma(dy, V(w[e]), dh);
            sum[e].reg[i] = fma(dy, h, sum[e].reg[i]);
        }
        dh.store(own.dcos + r);
    });
    for (int e = 0; e < D; ++e) sum[e].store(grads.weight + j * grads.weight_row + d + e, T(1), grads.add);
}

// From the gradient of the cosine on: dz = -sin(z) times it.
template <class T>
CMLP_INLINE void periodic_phases(const PeriodicCall<T>& call, const PeriodicGradients<T>& grads, ptrdiff_t j,
                                 PeriodicRows<T>& own) {
    using V = Vec<T>;
    RowSums<T> phase, frequency;
    const V w(call.w[j]);
    each_row_vector<T>(call.rows, [&](int i, ptrdiff_t r, ptrdiff_t left) {
        const V dz = -(V::load(own.sin + r) * V::load(own.dcos + r));
        phase.reg[i] += dz;
        frequency.reg[i] = fma(dz, load_rows(call.x + r, left), frequency.reg[i]);
        fma(dz, w, j == 0 ? V(T(0)) : V::load(own.dx + r)).store(own.dx + r);
    });
    phase.store(grads.phase + j, T(1), grads.add);
    frequency.store(grads.w + j, Coefficients<T>::tau, grads.add);
}

template <class T>
void periodic_backward(const PeriodicCall<T>& call, const PeriodicGradients<T>& grads) {
    using V = Vec<T>;
    PeriodicRows<T> own;
    for (ptrdiff_t j = 0; j < call.frequencies; ++j) {
        periodic_waves(call, j, own);
        by_outputs(call.outputs, [&]<int D>(ptrdiff_t d) __attribute__((always_inline)) {
            periodic_weights<D>(call, grads, j, d, own);
        });
        periodic_phases(call, grads, j, own);
    }
    for (ptrdiff_t d = 0; d < call.outputs; ++d) {
        RowSums<T> sum;
        each_row_vector<T>(call.rows, [&](int i, ptrdiff_t r, ptrdiff_t left) {
            sum.reg[i] += load_rows(grads.dy + d * grads.dy_row + r, left);
        });
        sum.store(grads.bias + d, T(1), grads.add);
    }
    if (!grads.x) return;
    sweep<T>(call.rows, [&](ptrdiff_t r, ptrdiff_t left) {
        const V passed = V::load_n(grads.dy + call.outputs * grads.dy_row + r, left);
        fma(V(Coefficients<T>::tau), V::load(own.dx + r), passed).store_n(grads.x + r, left);
    });
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
