// Matrix products on register tiles. Every output element is one chain of fma in k order, so no tile shape,
// split over threads or instruction set changes a bit.
#pragma once

#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Accumulators that fit beside one row of b and one broadcast of a: rows x vectors of the register tile.
constexpr int tile_rows = 6;
constexpr bool many_registers =
    sizeof(Ops<float>::Register) != 32 && Vec<float>::size > 1;  // 32: AVX-512, NEON
constexpr int tile_vectors = many_registers ? 4 : 2;

// Rows i .. i + R and C vectors of columns from j; the last vector has `last` columns unless it is whole.
template <int R, int C, bool whole, class T>
CMLP_INLINE void tile(const Gemm<T>& g, ptrdiff_t i, ptrdiff_t j, ptrdiff_t last) {
    using V = Vec<T>;
    const auto columns = [=](int c) { return whole || c + 1 < C ? ptrdiff_t(V::size) : last; };
    V sum[R][C];
    for (int c = 0; c < C; ++c) {
        const V start = g.bias ? V::load_n(g.bias + j + c * V::size, columns(c)) : V(T(0));
        for (int r = 0; r < R; ++r) sum[r][c] = start;
    }
    const T* a = g.a + i * g.a_row;
    const T* b = g.b + j;
    for (ptrdiff_t p = 0; p < g.k; ++p, a += g.a_col, b += g.b_row) {
        V row[C];
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) row[c] = V::load_n(b + c * V::size, columns(c));
#pragma GCC unroll 6
        for (int r = 0; r < R; ++r) {
            const V factor(a[r * g.a_row]);
#pragma GCC unroll 4
            for (int c = 0; c < C; ++c) sum[r][c] = fma(factor, row[c], sum[r][c]);
        }
    }
    for (int r = 0; r < R; ++r)
        for (int c = 0; c < C; ++c) {
            T* out = g.c + (i + r) * g.c_row + j + c * V::size;
            (g.add ? V::load_n(out, columns(c)) + sum[r][c] : sum[r][c]).store_n(out, columns(c));
        }
}

// All rows of a strip of C vectors: full tiles, then the rows left over.
template <int C, bool whole, class T>
void strip(const Gemm<T>& g, ptrdiff_t j, ptrdiff_t last) {
    ptrdiff_t i = 0;
    for (; i + tile_rows <= g.m; i += tile_rows) tile<tile_rows, C, whole>(g, i, j, last);
    switch (g.m - i) {
        case 5:
            return tile<5, C, whole>(g, i, j, last);
        case 4:
            return tile<4, C, whole>(g, i, j, last);
        case 3:
            return tile<3, C, whole>(g, i, j, last);
        case 2:
            return tile<2, C, whole>(g, i, j, last);
        case 1:
            return tile<1, C, whole>(g, i, j, last);
        default:
            return;
    }
}

// The strip narrower than a full tile: whole vectors and a masked one.
template <int C, class T>
void narrow_strip(const Gemm<T>& g, ptrdiff_t j) {
    const ptrdiff_t last = g.n - j - (C - 1) * Vec<T>::size;
    if constexpr (C > 1) {
        if (last <= 0) return narrow_strip<C - 1>(g, j);
    }
    if (last == Vec<T>::size)
        strip<C, true>(g, j, last);
    else
        strip<C, false>(g, j, last);
}

template <class T>
void gemm(const Gemm<T>& g) {
    constexpr ptrdiff_t width = tile_vectors * Vec<T>::size;
    ptrdiff_t j = 0;
    for (; j + width <= g.n; j += width) strip<tile_vectors, true>(g, j, Vec<T>::size);
    if (j < g.n) narrow_strip<tile_vectors>(g, j);
}

template <class T>
void column_sums(Shape shape, const T* x, ptrdiff_t x_row, T* out, bool add) {
    sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
        Vec<T> sum(T(0));
        for (ptrdiff_t r = 0; r < shape.rows; ++r) sum += Vec<T>::load_n(x + r * x_row + j, left);
        (add ? Vec<T>::load_n(out + j, left) + sum : sum).store_n(out + j, left);
    });
}

// In squares that fit L1, so that neither side is walked with long strides for long.
template <class T>
void transpose(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    constexpr ptrdiff_t side = 16;
    for (ptrdiff_t i = 0; i < shape.rows; i += side)
        for (ptrdiff_t j = 0; j < shape.cols; j += side) {
            const ptrdiff_t i_end = i + side < shape.rows ? i + side : shape.rows;
            const ptrdiff_t j_end = j + side < shape.cols ? j + side : shape.cols;
            for (ptrdiff_t c = j; c < j_end; ++c)
                for (ptrdiff_t r = i; r < i_end; ++r) y[c * y_row + r] = x[r * x_row + c];
        }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
