// Products with a sparse left side: every output element is one chain of fma in the order of the row's entries.
#pragma once

#include "gemm.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Vectors of one output row that are summed in one loop, and how many entries ahead rows of b are fetched.
constexpr int sparse_vectors = accumulators / 3 * 2;
constexpr ptrdiff_t entries_ahead = 6;

// One row of C vectors of columns from j; the last vector has `last` columns unless it is full.
template <int C, bool full, class T>
CMLP_INLINE void sparse_row(const SparseGemm<T>& g, ptrdiff_t i, ptrdiff_t j, ptrdiff_t last) {
    using V = Vec<T>;
    const auto load = [=](const T* p, int c) {
        return full || c + 1 < C ? V::load(p + c * V::size) : V::load_part(p + c * V::size, last);
    };
    V sum[C];
    for (int c = 0; c < C; ++c) sum[c] = g.bias ? load(g.bias + j, c) : V(T(0));
    const ptrdiff_t end = g.start[i + 1] - g.start[0], all = g.start[g.m] - g.start[0];
    for (ptrdiff_t e = g.start[i] - g.start[0]; e < end; ++e) {
        if (e + entries_ahead < all) {
            const T* ahead = g.b + g.index[e + entries_ahead] * g.b_row + j;
#pragma GCC unroll 16
            for (int c = 0; c < C; ++c) __builtin_prefetch(ahead + c * V::size);
        }
        const V factor(g.value[e]);
        const T* row = g.b + g.index[e] * g.b_row + j;
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) sum[c] = fma(factor, load(row, c), sum[c]);
    }
    const bool scaled = g.factor != T(1);
    T chains[C * V::size];
    T* to = scaled ? chains : g.c + i * g.c_row + j;
    asm("" : "+r"(to));  // one loop for both
    const bool add = g.add && !scaled;
    for (int c = 0; c < C; ++c) {
        const V chain = add ? load(to, c) + sum[c] : sum[c];
        full || c + 1 < C ? chain.store(to + c * V::size) : chain.store_n(to + c * V::size, last);
    }
    if (scaled) store_scaled(g, i, j, {1, (C - 1) * V::size + last}, chains, 0);
}

template <int C, bool full, class T>
void sparse_strip(const SparseGemm<T>& g, ptrdiff_t j, ptrdiff_t last) {
    for (ptrdiff_t i = 0; i < g.m; ++i)
        if (!g.add || g.start[i] < g.start[i + 1]) sparse_row<C, full>(g, i, j, last);
}

template <int C, class T>
void narrow_sparse_strip(const SparseGemm<T>& g, ptrdiff_t j) {
    const ptrdiff_t last = g.n - j - (C - 1) * Vec<T>::size;
    if constexpr (C > 1) {
        if (last <= 0) return narrow_sparse_strip<C - 1>(g, j);
    }
    if (last == Vec<T>::size)
        sparse_strip<C, true>(g, j, last);
    else
        sparse_strip<C, false>(g, j, last);
}

template <class T>
void sparse_gemm(const SparseGemm<T>& g) {
    constexpr ptrdiff_t width = sparse_vectors * Vec<T>::size;
    ptrdiff_t j = 0;
    for (; j + width <= g.n; j += width) sparse_strip<sparse_vectors, true>(g, j, Vec<T>::size);
    if (j < g.n) narrow_sparse_strip<sparse_vectors>(g, j);
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
