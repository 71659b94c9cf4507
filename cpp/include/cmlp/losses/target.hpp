// What a network should have given: a matrix of targets, or one label a row.
#pragma once

#include <cmlp/base/borrowed.hpp>
#include <cmlp/base/matrix.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace cmlp::inline v0_1 {

/// Class indices, borrowed if they are std::int64_t that exist long enough, otherwise converted once.
struct Labels {
    Borrowed<std::int64_t> view;
    std::shared_ptr<const std::vector<std::int64_t>> converted = {};
};

/// What the network should have given: a matrix, or one class index a row. Borrowed.
template <class T>
struct Target {
    MatrixView<const T> dense = {};                                   ///< (batch, targets)
    Borrowed<std::int64_t> label = {};                                ///< (batch)
    std::shared_ptr<const std::vector<std::int64_t>> converted = {};  ///< where `label` is, unless borrowed

    Target() = default;
    Target(MatrixView<const T> targets, Borrowed<std::int64_t> labels = {}) : dense(targets), label(labels) {}
    Target(const Labels& labels) : label(labels.view), converted(labels.converted) {}
    template <class M>
        requires(std::same_as<std::remove_const_t<M>, Matrix<T>>)
    Target(M&& temporary, Borrowed<std::int64_t> labels = {}) = delete;

    Index rows() const { return label.empty() ? dense.rows() : std::ssize(label); }
    Target middle_rows(Index first, Index n) const {
        if (label.empty()) return {dense.middle_rows(first, n), {}};
        return {{}, label.subspan(static_cast<size_t>(first), static_cast<size_t>(n))};
    }
};

/// Targets of any loss: a matrix (rows, targets), or numbers, one a row. Borrowed.
template <class M>
    requires std::convertible_to<const M&, MatrixView<const typename M::Scalar>>
[[nodiscard]] Target<typename M::Scalar> targets(const M& matrix) {
    return {MatrixView<const typename M::Scalar>(matrix), {}};
}
template <class T>
Target<T> targets(const Matrix<T>&& temporary) = delete;
template <std::ranges::contiguous_range R>
    requires(std::floating_point<std::ranges::range_value_t<R>> && !detail::DyingOwner<R>)
[[nodiscard]] Target<std::ranges::range_value_t<R>> targets(R&& numbers) {
    using T = std::ranges::range_value_t<R>;
    return {MatrixView<const T>(std::ranges::data(numbers), std::ranges::ssize(numbers), 1), {}};
}

/// Labels of any integer type. std::int64_t that exist long enough are borrowed, others are converted once.
template <std::ranges::forward_range R>
    requires std::integral<std::ranges::range_value_t<R>>
[[nodiscard]] Labels labels(R&& values) {
    if constexpr (std::convertible_to<R&&, std::span<const std::int64_t>> && !detail::DyingOwner<R>) {
        return {values};
    } else {
        auto converted = std::make_shared<std::vector<std::int64_t>>();
        for (const auto value : values) converted->push_back(static_cast<std::int64_t>(value));
        return {*converted, converted};
    }
}

}  // namespace cmlp::inline v0_1
