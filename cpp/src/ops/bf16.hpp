// The products of a linear layer in bfloat16: both factors rounded, pairs of products added up in float32.
#pragma once

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

/// Memory of a product in bfloat16: its factors in pairs, the left one, the right one, and one to be transposed.
struct Bf16Pairs {
    Matrix<float> left, right, turned;
};

}  // namespace cmlp::inline v0_1

namespace cmlp::inline v0_1::ops {

/// y = factor x w + bias
void bf16_forward(MatrixView<const float> x, MatrixView<const float> w, const float* bias,
                  MatrixView<float> y, Bf16Pairs& pairs, AfterBlock after = {}, float factor = 1);
/// dw = or += factor x^T dy, in chunks of rows
void bf16_backward_weight(MatrixView<const float> x, MatrixView<const float> dy, MatrixView<float> dw,
                          bool accumulate, Bf16Pairs& pairs, float factor = 1);
/// dx = factor dy w^T
void bf16_backward_input(MatrixView<const float> dy, MatrixView<const float> w, MatrixView<float> dx,
                         Bf16Pairs& pairs, AfterBlock after = {}, float factor = 1);

}  // namespace cmlp::inline v0_1::ops
