// Softmax over rows, and the sum of exponentials that log-softmax and the losses of classes share.
#pragma once

#include "map.hpp"
#include "math.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// e = exp(x - max) of one row, e null: only the sum, over 16 lanes joined in a fixed tree.
template <class T>
CMLP_INLINE T exponentials(const T* x, ptrdiff_t n, T largest, T* e) {
    using V = Vec<T>;
    Lanes<T> lanes(T(0));
    lanes.fold(n, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        const V value = math::exp(V::load_n(x + j, left) - V(largest));
        if (e) value.store_n(e + j, left);
        return lane + value;
    });
    return lanes.sum();
}

template <class T>
void softmax(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T* in = x + r * x_row;
        T* out = y + r * y_row;
        const V sum(exponentials(in, shape.cols, row_max(in, shape.cols), out));
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            (V::load_n(out + j, left) / sum).store_n(out + j, left);
        });
    }
}

// dx = y * (dy - sum_j y_j dy_j)
template <class T>
void softmax_backward(Shape shape, const T* y, ptrdiff_t y_row, const T* dy, ptrdiff_t dy_row, T* dx,
                      ptrdiff_t dx_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *out = y + r * y_row, *d = dy + r * dy_row;
        Lanes<T> lanes(T(0));
        lanes.fold(shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            return fma(V::load_n(out + j, left), V::load_n(d + j, left), lane);
        });
        const V dot(lanes.sum());
        T* in = dx + r * dx_row;
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            (V::load_n(out + j, left) * (V::load_n(d + j, left) - dot)).store_n(in + j, left);
        });
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
