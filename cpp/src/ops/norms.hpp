// Row-wise and column-wise operations of layers on matrix views: blocks over the threads, each one call
// through the table.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <cstdint>
#include <span>

namespace cmlp::inline v0_1::ops {

template <class T>
void log_softmax_forward(MatrixView<const T> x, MatrixView<T> y);
template <class T>
void log_softmax_backward(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx);

/// u = (x - m) * rstd (batch), rstd = 1 / sqrt(mean((x - m)^2) + eps), m the row's mean, or 0 without `center`.
template <class T>
void normalize_rows(MatrixView<const T> x, T eps, bool center, MatrixView<T> u, T* rstd);
/// dx from du; dx may be du.
template <class T>
void normalize_rows_backward(MatrixView<const T> u, MatrixView<const T> du, const T* rstd, bool center,
                             MatrixView<T> dx);

/// y = x * scale + shift, both (cols) or null.
template <class T>
void affine(MatrixView<const T> x, const T* scale, const T* shift, MatrixView<T> y);
/// out (cols) = or += the column sums of a * b, in an order that depends on the rows alone.
template <class T>
void column_products(MatrixView<const T> a, MatrixView<const T> b, T* out, bool add);

/// Mean and mean squared deviation of each column, both (cols).
template <class T>
void column_moments(MatrixView<const T> x, T* mean, T* variance);
template <class T>
void normalize_columns(MatrixView<const T> x, const T* mean, const T* rstd, MatrixView<T> u);
/// dx = factor * (dy - mean - u * along), the last three (cols).
template <class T>
void normalize_columns_backward(MatrixView<const T> u, MatrixView<const T> dy, const T* factor, const T* mean,
                                const T* along, MatrixView<T> dx);

/// out[i] = random word first + i of the stream (key, step).
void random_words(std::uint64_t key, std::uint64_t step, std::uint64_t first, std::span<std::uint32_t> out);

}  // namespace cmlp::inline v0_1::ops
