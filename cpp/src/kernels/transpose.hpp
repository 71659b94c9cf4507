// Transposed copies: squares of one vector a side in registers, the edges element by element.
#pragma once

#include "kernels.hpp"
#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// The lanes of the low, or high, halves of a and b in turn: a0 b0 a1 b1 ...
template <bool high, class R>
CMLP_INLINE R interleave(R a, R b) {
    constexpr int size = sizeof(R) / sizeof(a[0]), h = high ? size / 2 : 0;
    if constexpr (size == 2)
        return __builtin_shufflevector(a, b, h, h + 2);
    else if constexpr (size == 4)
        return __builtin_shufflevector(a, b, h, h + 4, h + 1, h + 5);
    else if constexpr (size == 8)
        return __builtin_shufflevector(a, b, h, h + 8, h + 1, h + 9, h + 2, h + 10, h + 3, h + 11);
    else
        return __builtin_shufflevector(a, b, h, h + 16, h + 1, h + 17, h + 2, h + 18, h + 3, h + 19, h + 4,
                                       h + 20, h + 5, h + 21, h + 6, h + 22, h + 7, h + 23);
}

// A square of as many vectors as each has lanes: row i interleaved with row i + size / 2, log2(size) times over.
template <class T>
CMLP_INLINE void transpose_square(Vec<T> (&square)[Vec<T>::size]) {
    constexpr int size = Vec<T>::size;
    typename Ops<T>::Register to[size];
#pragma GCC unroll 4
    for (int stage = 1; stage < size; stage *= 2) {
#pragma GCC unroll 8
        for (int i = 0; i < size / 2; ++i) {
            to[2 * i] = interleave<false>(square[i].r, square[i + size / 2].r);
            to[2 * i + 1] = interleave<true>(square[i].r, square[i + size / 2].r);
        }
#pragma GCC unroll 16
        for (int i = 0; i < size; ++i) square[i].r = to[i];
    }
}

template <class T>
CMLP_INLINE void transpose_square(const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    Vec<T> square[Vec<T>::size];
#pragma GCC unroll 16
    for (int i = 0; i < Vec<T>::size; ++i) square[i] = Vec<T>::load(x + i * x_row);
    transpose_square<T>(square);
#pragma GCC unroll 16
    for (int i = 0; i < Vec<T>::size; ++i) square[i].store(y + i * y_row);
}

// Up to a vector's lanes of rows as one vector a column, 0 behind them, and back; `blocks` vectors hold a row.
template <int blocks, class T>
CMLP_INLINE void load_columns(const T* x, ptrdiff_t x_row, ptrdiff_t rows, ptrdiff_t cols, Vec<T>* y) {
    constexpr int size = Vec<T>::size;
    for (int first = 0; first < blocks * size; first += size) {
        Vec<T> square[size];
        for (int i = 0; i < size; ++i)
            square[i] = i < rows ? Vec<T>::load_n(x + i * x_row + first, cols - first) : Vec<T>(T(0));
        transpose_square<T>(square);
        for (int i = 0; i < size; ++i) y[first + i] = square[i];
    }
}

template <int blocks, class T>
CMLP_INLINE void store_columns(const Vec<T>* y, T* x, ptrdiff_t x_row, ptrdiff_t rows, ptrdiff_t cols) {
    constexpr int size = Vec<T>::size;
    for (int first = 0; first < blocks * size; first += size) {
        Vec<T> square[size];
        for (int i = 0; i < size; ++i) square[i] = y[first + i];
        transpose_square<T>(square);
        for (int i = 0; i < rows; ++i) square[i].store_n(x + i * x_row + first, cols - first);
    }
}

template <class T>
CMLP_INLINE void transpose_elements(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    for (ptrdiff_t c = 0; c < shape.cols; ++c)
        for (ptrdiff_t r = 0; r < shape.rows; ++r) y[c * y_row + r] = x[r * x_row + c];
}

template <class T>
void transpose(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    constexpr ptrdiff_t side = Vec<T>::size > 1 ? Vec<T>::size : 16;
    for (ptrdiff_t i = 0; i < shape.rows; i += side)
        for (ptrdiff_t j = 0; j < shape.cols; j += side) {
            const Shape part = {shape.rows - i < side ? shape.rows - i : side,
                                shape.cols - j < side ? shape.cols - j : side};
            const T* from = x + i * x_row + j;
            T* to = y + j * y_row + i;
            if constexpr (Vec<T>::size > 1)
                if (part.rows == side && part.cols == side) {
                    transpose_square(from, x_row, to, y_row);
                    continue;
                }
            transpose_elements(part, from, x_row, to, y_row);
        }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
