// Sizes that are computed from sizes: a product is refused before it wraps around.
#pragma once

#include <cmlp/base/error.hpp>

#include <cstddef>
#include <limits>
#include <string_view>

namespace cmlp::inline v0_1 {

using Index = std::ptrdiff_t;

/// Numbers that no memory can hold: a sixteenth of what Index can count, so that sums of a few sizes can be
/// counted.
inline constexpr Index most_numbers = std::numeric_limits<Index>::max() / 16;

/// a * b; throws std::invalid_argument, `what` beginning the message, when a size is negative or the product
/// above most_numbers.
inline Index size_product(std::string_view what, Index a, Index b) {
    require(a >= 0 && b >= 0 && (b == 0 || a <= most_numbers / b), what, ": ", a, " x ", b,
            " numbers are more than any memory holds");
    return a * b;
}

}  // namespace cmlp::inline v0_1
