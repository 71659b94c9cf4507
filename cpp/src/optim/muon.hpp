// Muon's step of one weight matrix.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <span>

namespace cmlp::inline v0_1 {

/// w -= lr * the nearest orthogonal matrix to the momentum (Jordan et al., 2024); `settings` in the order of the row.
/// `transposed`: w is stored (in, out).
template <class T>
void muon_step(std::span<const double> settings, bool transposed, MatrixView<T> w, MatrixView<const T> g,
               MatrixView<T> momentum);

}  // namespace cmlp::inline v0_1
