// What a layer that keeps the width and has no parameters need not say, and the helpers that layers share.
#pragma once

#include <array>
#include <cmath>

#include "layers/call.hpp"
#include "ops/bf16.hpp"
#include "ops/norms.hpp"
#include "ops/ops.hpp"
#include "ops/sparse.hpp"
#include "runtime/parallel.hpp"

// Functions of a layer are found by name in this namespace, so that a layer without one of its own does not compile.
namespace cmlp::inline v0_1::layer {

template <class T>
using In = MatrixView<const T>;

template <class L>
std::vector<ParameterSpec> specs(const L&) {
    return {};
}
template <class L>
Index width(const L&, Index in, std::string_view) {
    return in;
}
template <class L>
Index required_width(const L&) {
    return 0;
}
template <class L>
Index narrowing(const L&) {
    return 1;
}
template <class L>
std::optional<Activation> activation_of(const L&) {
    return {};
}
template <class T, class L>
void reset(const L&, std::span<const MatrixView<T>>, std::uint64_t, Index, Activation) {}

inline Index require_width(std::string_view type, Index expected, Index in, std::string_view name) {
    require(in == expected, type, ".forward: x has ", in, " columns, the layer '", name, "' expects ",
            expected);
    return in;
}

inline void require_features(std::string_view type, std::string_view what, Index features) {
    require(features > 0, type, ": ", what, " is ", features, ", it must be at least 1");
    require(features <= most_numbers, type, ": ", what, " is ", features,
            ", no memory holds so many numbers");
}

inline void require_eps(std::string_view type, double eps) {
    require(eps >= 0 && std::isfinite(eps), type, ": eps is ", eps, ", it must be finite and not negative");
}

// f(i) for every row; `cost` is the work of one element.
template <class F>
void each_row(Index rows, Index cols, double cost, F f) {
    parallel_for(rows, 1, threads_for(double(rows) * double(cols) * cost), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) f(i);
    });
}

// f(i, first, count, words) over stretches of each row, words the random numbers of its elements.
template <class T, class F>
void with_random_words(Index rows, Index cols, const LayerCall<T>& call, F f) {
    each_row(rows, cols, 16, [&, key = call.draws.key()](Index i) {
        std::array<std::uint32_t, 256> words;
        const std::uint64_t first = ops::row_name(call.draws.rows, i) * std::uint64_t(cols);
        for (Index j = 0; j < cols; j += std::ssize(words)) {
            const Index count = std::min(std::ssize(words), cols - j);
            ops::random_words(key, call.draws.step, first + std::uint64_t(j), {words.data(), size_t(count)});
            f(i, j, count, words.data());
        }
    });
}

}  // namespace cmlp::inline v0_1::layer
