// The products of a layer whose input is sparse, on the same chains as the dense ones: an entry that is not there would
// have added fma(0, w, sum) = sum.
#pragma once

#include <cmlp/base/sparse.hpp>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1::ops {

/// y = factor x w + bias: x (batch, in), w (in, out), bias (out) or null, y (batch, out).
template <class T>
void sparse_forward(const SparseView<T>& x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after = {}, T factor = 1);

/// dw (in, out) = or += factor x^T dy, chunk by chunk as linear_backward_weight; `scratch` holds a chunk by columns.
template <class T>
void sparse_backward_weight(const SparseView<T>& x, MatrixView<const T> dy, SparseMatrix<T>& scratch,
                            MatrixView<T> dw, bool accumulate, T factor = 1);

}  // namespace cmlp::inline v0_1::ops
