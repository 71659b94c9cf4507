// What random numbers follow from: any integer, and no bool, which would be an argument in the wrong place.
#pragma once

#include <concepts>
#include <cstdint>

namespace cmlp::inline v0_1 {

class Seed {
public:
    constexpr Seed() = default;
    template <std::integral I>
        requires(!std::same_as<I, bool>)
    constexpr Seed(I value) : value_(static_cast<std::uint64_t>(value)) {}

    constexpr operator std::uint64_t() const { return value_; }

private:
    std::uint64_t value_ = 0;
};

}  // namespace cmlp::inline v0_1
