// The loops that run activations over blocks.
#pragma once

#include "activations_piecewise.hpp"
#include "activations_smooth.hpp"
#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// The loops over full vectors are all that is made for each activation; rows, tails and chunks are made once. The empty
// statement keeps the compiler from making a loop for each case of p.
template <class T>
CMLP_INLINE bool is_given(const T* p) {
    asm("" : "+r"(p));
    return p != nullptr;
}

// y = f(z), or z + share (f(z) - z)
template <class A, class T>
void forward_vectors(ptrdiff_t n, const T* z, const T* share, T* y, const T* p) {
    using V = Vec<T>;
    for (ptrdiff_t j = 0; j < n; j += V::size) {
        const V x = V::load(z + j);
        V f = A::forward(x, p);
        if (is_given(share)) f = x + V::load(share + j) * (f - x);
        f.store(y + j);
    }
}

// dz = dy f'(z), or with a share dy + share (dy f'(z) - dy), and sum += dy (f(z) - z)
template <class A, class T>
void backward_vectors(ptrdiff_t n, const T* kept, const T* dy, const T* share, T* dz, T* sum, const T* p) {
    using V = Vec<T>;
    for (ptrdiff_t j = 0; j < n; j += V::size) {
        const V x = V::load(kept + j), d = V::load(dy + j);
        V f = x, df = d;
        if constexpr (A::keep == Keep::input) df = A::backward(x, d, p);
        if (is_given(share)) f = A::forward(x, p);
        if constexpr (A::keep == Keep::output) df = A::backward(f, d, p);
        if (is_given(share)) {
            fma(f - x, d, V::load(sum + j)).store(sum + j);
            df = d + V::load(share + j) * (df - d);
        }
        df.store(dz + j);
    }
}

// A vector whose lanes from `left` on are 0, in memory.
template <class T>
struct Padded {
    T lane[Vec<T>::size] = {};

    Padded() = default;
    CMLP_INLINE Padded(const T* p, ptrdiff_t left) { Vec<T>::load_n(p, left).store(lane); }
};

template <class T, class Vectors>
__attribute__((noinline)) void forward_rows(Vectors vectors, Shape shape, const T* z, ptrdiff_t z_row,
                                            const T* share, T* y, ptrdiff_t y_row, const T* p) {
    if (!share && z_row == shape.cols && y_row == shape.cols) shape = {1, shape.rows * shape.cols};
    const ptrdiff_t left = shape.cols % Vec<T>::size, n = shape.cols - left;
    for (ptrdiff_t r = 0; r < shape.rows; ++r, z += z_row, y += y_row) {
        vectors(n, z, share, y, p);
        if (left == 0) continue;
        const Padded<T> in(z + n, left), own = share ? Padded<T>(share + n, left) : Padded<T>();
        Padded<T> out;
        vectors(Vec<T>::size, in.lane, share ? own.lane : nullptr, out.lane, p);
        Vec<T>::load(out.lane).store_n(y + n, left);
    }
}

template <class T, class Vectors>
__attribute__((noinline)) void backward_rows(Vectors vectors, const ActivationGradient<T>& g, const T* p) {
    Shape shape = g.shape;
    if (!g.share && g.kept_row == shape.cols && g.dy_row == shape.cols && g.dz_row == shape.cols)
        shape = {1, shape.rows * shape.cols};
    const ptrdiff_t left = shape.cols % Vec<T>::size, n = shape.cols - left;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *kept = g.kept + r * g.kept_row, *dy = g.dy + r * g.dy_row;
        T* dz = g.dz + r * g.dz_row;
        vectors(n, kept, dy, g.share, dz, g.sum, p);
        if (left == 0) continue;
        const Padded<T> in(kept + n, left), d(dy + n, left);
        const Padded<T> own = g.share ? Padded<T>(g.share + n, left) : Padded<T>();
        Padded<T> out;
        vectors(Vec<T>::size, in.lane, d.lane, g.share ? own.lane : nullptr, out.lane,
                g.share ? g.sum + n : nullptr, p);
        Vec<T>::load(out.lane).store_n(dz + n, left);
    }
}

template <class A, class T>
void activation_forward(Shape shape, const T* z, ptrdiff_t z_row, const T* share, T* y, ptrdiff_t y_row,
                        const T* p) {
    forward_rows<T>(forward_vectors<A, T>, shape, z, z_row, share, y, y_row, p);
}

template <class A, class T>
void activation_backward(const ActivationGradient<T>& g, const T* p) {
    backward_rows<T>(backward_vectors<A, T>, g, p);
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
