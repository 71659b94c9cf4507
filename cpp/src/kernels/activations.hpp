// The loops that run activations over blocks.
#pragma once

#include "activations_piecewise.hpp"
#include "activations_smooth.hpp"
#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Each loop has its activation once: with copies of it for tails, rows without gaps or shares these loops would be most
// of the library. The empty statement keeps the compiler from making a loop for each case of p.
template <class T>
CMLP_INLINE bool is_given(const T* p) {
    asm("" : "+r"(p));
    return p != nullptr;
}

// y = f(z), or z + share (f(z) - z)
template <class A, class T>
void activation_forward(Shape shape, const T* z, ptrdiff_t z_row, const T* share, T* y, ptrdiff_t y_row,
                        const T* p) {
    using V = Vec<T>;
    if (!share && z_row == shape.cols && y_row == shape.cols) shape = {1, shape.rows * shape.cols};
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T* in = z + r * z_row;
        T* out = y + r * y_row;
#pragma GCC unroll 1
        for (ptrdiff_t j = 0; j < shape.cols; j += V::size) {
            const ptrdiff_t left = shape.cols - j;
            const V x = V::load_n(in + j, left);
            V f = A::forward(x, p);
            if (is_given(share)) f = x + V::load_n(share + j, left) * (f - x);
            f.store_n(out + j, left);
        }
    }
}

// dz = dy f'(z), or with a share dy + share (dy f'(z) - dy), and sum += dy (f(z) - z) down the rows
template <class A, class T>
void activation_backward(const ActivationGradient<T>& g, const T* p) {
    using V = Vec<T>;
    Shape shape = g.shape;
    if (!g.share && g.kept_row == shape.cols && g.dy_row == shape.cols && g.dz_row == shape.cols)
        shape = {1, shape.rows * shape.cols};
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *kept = g.kept + r * g.kept_row, *dy = g.dy + r * g.dy_row;
        T* dz = g.dz + r * g.dz_row;
#pragma GCC unroll 1
        for (ptrdiff_t j = 0; j < shape.cols; j += V::size) {
            const ptrdiff_t left = shape.cols - j;
            const V x = V::load_n(kept + j, left), d = V::load_n(dy + j, left);
            V f = x, df = d;
            if constexpr (A::keep == Keep::input) df = A::backward(x, d, p);
            if (is_given(g.share)) f = A::forward(x, p);
            if constexpr (A::keep == Keep::output) df = A::backward(f, d, p);
            if (is_given(g.share)) {
                fma(f - x, d, V::load(g.sum + j)).store(g.sum + j);
                df = d + V::load_n(g.share + j, left) * (df - d);
            }
            df.store_n(dz + j, left);
        }
    }
}

// Blocks of columns, chunks of rows: the chunks' sums are folded in order. dshare = or += the sums.
template <class T>
void parametric_backward(void (*backward)(const ActivationGradient<T>&, const T*), ActivationGradient<T> g,
                         T* dshare, bool add, const T* p) {
    using V = Vec<T>;
    constexpr ptrdiff_t width = 64;
    const ActivationGradient<T> all = g;
    for (ptrdiff_t j = 0; j < all.shape.cols; j += width) {
        g.shape.cols = all.shape.cols - j < width ? all.shape.cols - j : width;
        g.share = all.share + j;
        T total[width] = {}, sum[width];
        g.sum = sum;
        for (ptrdiff_t r = 0; r < all.shape.rows; r += chunk_rows) {
            g.shape.rows = all.shape.rows - r < chunk_rows ? all.shape.rows - r : chunk_rows;
            g.kept = all.kept + r * g.kept_row + j, g.dy = all.dy + r * g.dy_row + j;
            g.dz = all.dz + r * g.dz_row + j;
            for (T& s : sum) s = T(0);
            backward(g, p);
            for (ptrdiff_t c = 0; c < width; c += V::size)
                (V::load(total + c) + V::load(sum + c)).store(total + c);
        }
        sweep<T>(g.shape.cols, [&](ptrdiff_t c, ptrdiff_t left) {
            const V sums = V::load(total + c);
            (add ? V::load_n(dshare + j + c, left) + sums : sums).store_n(dshare + j + c, left);
        });
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
