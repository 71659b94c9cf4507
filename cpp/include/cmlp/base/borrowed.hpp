// Borrowed runs of elements that refuse to look at what is gone at the end of the statement.
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <type_traits>

namespace cmlp::inline v0_1 {

namespace detail {

/// What owns its elements and is about to be destroyed.
template <class R>
concept DyingOwner = !std::is_lvalue_reference_v<R> && !std::ranges::borrowed_range<std::remove_cvref_t<R>>;

}  // namespace detail

/// A std::span of elements that are read, valid while they exist; a temporary vector or array does not compile.
template <class E>
class Borrowed : public std::span<const E> {
    using Span = std::span<const E>;

public:
    Borrowed() = default;
    Borrowed(const E* data, std::size_t size) : Span(data, size) {}
    template <class R>
        requires(std::convertible_to<R&&, Span> && !detail::DyingOwner<R> &&
                 !std::same_as<std::remove_cvref_t<R>, Borrowed>)
    Borrowed(R&& elements) : Span(elements) {}
    template <class R>
        requires(std::convertible_to<R&&, Span> && detail::DyingOwner<R>)
    Borrowed(R&& elements) = delete;
};

}  // namespace cmlp::inline v0_1
