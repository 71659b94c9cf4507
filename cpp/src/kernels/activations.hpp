// The loops that run activations over blocks.
#pragma once

#include "activations_piecewise.hpp"
#include "activations_smooth.hpp"
#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class A, class T>
void activation_forward(Shape shape, const T* z, ptrdiff_t z_row, T* y, ptrdiff_t y_row, const T* p) {
    using V = Vec<T>;
    const auto row = [&](ptrdiff_t r, ptrdiff_t cols) {
        const T* in = z + r * z_row;
        T* out = y + r * y_row;
        sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
            A::forward(V::load_n(in + j, left), p).store_n(out + j, left);
        });
    };
    by_row(shape, row, z_row, y_row);
}

template <class A, class T>
void activation_backward(Shape shape, const T* kept, ptrdiff_t kept_row, const T* dy, ptrdiff_t dy_row, T* dz,
                         ptrdiff_t dz_row, const T* p) {
    using V = Vec<T>;
    const auto row = [&](ptrdiff_t r, ptrdiff_t cols) {
        const T *in = kept + r * kept_row, *d = dy + r * dy_row;
        T* out = dz + r * dz_row;
        sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
            A::backward(V::load_n(in + j, left), V::load_n(d + j, left), p).store_n(out + j, left);
        });
    };
    by_row(shape, row, kept_row, dy_row, dz_row);
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
