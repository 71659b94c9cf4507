// Systems of equations with a symmetric positive definite matrix.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <span>

namespace cmlp::inline v0_1 {

/// The upper triangle of a (n, n) becomes R with R^T R = a, the lower one is undefined; false when a is not positive
/// definite. Blocks of 64 rows, the products by the kernels: the same bits for any threads.
bool cholesky(MatrixView<double> a);

/// b (n) becomes x with R^T R x = b.
void cholesky_solve(MatrixView<const double> r, std::span<double> b);

}  // namespace cmlp::inline v0_1
