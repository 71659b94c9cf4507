// The arithmetic of linear layers' products.
#pragma once

namespace cmlp::inline v0_1 {

/// How linear layers multiply: in the network's own numbers, or with both factors rounded to bfloat16 and
/// their products added up in float32, pair by pair, where subnormal numbers count as 0.
enum class Precision { own, bf16 };

}  // namespace cmlp::inline v0_1
