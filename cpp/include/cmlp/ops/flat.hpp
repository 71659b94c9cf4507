// Loops over flat weights and gradients: norms, clipping, averages.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <span>

namespace cmlp::inline v0_1 {

/// Norm of all elements of all runs: norm_type 1, 2 or infinity; throws std::invalid_argument on another.
template <class T>
double total_norm(std::span<const std::span<T>> runs, double norm_type = 2);

/// Scales gradients so that their norm is at most max_norm, by max_norm / (norm + 1e-6); returns the norm before.
/// Throws std::invalid_argument on a negative max_norm.
template <class T>
double clip_norm(std::span<const std::span<T>> runs, double max_norm, double norm_type = 2);

/// Brings every element into [-limit, limit]; throws std::invalid_argument on a negative limit.
template <class T>
void clip_value(std::span<const std::span<T>> runs, double limit);

/// l1 * sum of |w| + l2 / 2 * sum of w^2; adds l1 * sign(w) + l2 * w to the gradient.
template <class T>
double add_penalty(MatrixView<const T> w, MatrixView<T> grad, double l1, double l2);

/// Scales every column whose 2-norm is larger than the limit down to it.
template <class T>
void limit_columns(MatrixView<T> w, double limit);

/// mean += share * (x - mean) for every element; share 1 copies. Throws std::invalid_argument on different sizes.
template <class T>
void average_into(std::span<T> mean, std::span<const T> x, double share);

}  // namespace cmlp::inline v0_1
