// How weights start.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/registry.hpp>
#include <cmlp/runtime/rng.hpp>

namespace cmlp::inline v0_1 {

/// Fills w as (out, in), drawing its elements row by row from rng; settings as in initializers.def.
/// Throws std::invalid_argument on a setting the initialiser does not take.
template <class T>
void initialize(MatrixView<T> w, Initializer initializer, const Settings& settings, Rng& rng);

/// The same for a weight stored (in, out), as layers keep it.
template <class T>
void initialize_transposed(MatrixView<T> w, Initializer initializer, const Settings& settings, Rng& rng);

}  // namespace cmlp::inline v0_1
