// The arithmetic of linear layers' products.
#pragma once

#include <cmlp/base/matrix.hpp>

namespace cmlp {

/// How linear layers multiply: in the network's own numbers, or with both factors rounded to bfloat16 and their products
/// added up in float32, pair by pair, where subnormal numbers count as 0.
enum class Precision { own, bf16 };

/// Memory of a product in bfloat16: its factors in pairs, the left one, the right one, and one to be transposed.
struct Bf16Pairs {
    Matrix<float> left, right, turned;
};

}  // namespace cmlp
