// The vector functions behind activations and losses, on arrays.
#pragma once

#include <cmlp/runtime/registry.hpp>

#include <span>

namespace cmlp::inline v0_1 {

/// y[i] = f(x[i]) for a function of functions.def; y may be x. Throws std::invalid_argument when the sizes differ.
template <class T>
void apply(Function f, std::span<const T> x, std::span<T> y);

}  // namespace cmlp::inline v0_1
