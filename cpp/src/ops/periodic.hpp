// Periodic embeddings of columns beside each other, for one chunk of rows.
#pragma once

#include <cmlp/base/matrix.hpp>

namespace cmlp::inline v0_1::ops {

/// Rows of a chunk, at most.
constexpr Index periodic_rows = 256;

/// The numbers of some columns with k frequencies each: y_i = [cos(2 pi x_i w + phase) weight + bias, x_i].
template <class T>
struct PeriodicNumbers {
    Index frequencies, dim;      // k; numbers that a column becomes
    const T *w, *phase;          // (columns k)
    MatrixView<const T> weight;  // (columns k, dim - 1)
    const T* bias;               // (columns (dim - 1))

    PeriodicNumbers from(Index column) const {
        const Index at = column * frequencies;
        return {frequencies,
                dim,
                w + at,
                phase + at,
                weight.bottom_rows(weight.rows() - at),
                bias + column * (dim - 1)};
    }
};

/// Their gradients, = or +=.
template <class T>
struct PeriodicSums {
    T *w, *phase;
    MatrixView<T> weight;
    T* bias;
    bool add;
};

/// y (rows, columns dim) for x (rows, columns); scratch (columns (1 + dim), rows or more).
template <class T>
void periodic_forward(const PeriodicNumbers<T>& numbers, MatrixView<const T> x, MatrixView<T> scratch,
                      MatrixView<T> y);
/// The gradients from dy; dx may be empty. Sums over rows are in an order that depends on the rows alone.
template <class T>
void periodic_backward(const PeriodicNumbers<T>& numbers, MatrixView<const T> x, MatrixView<const T> dy,
                       MatrixView<T> scratch, const PeriodicSums<T>& sums, MatrixView<T> dx);

}  // namespace cmlp::inline v0_1::ops
