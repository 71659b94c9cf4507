// All that decides what a network computes: its layers, their numbers, and the settings of its passes.
#pragma once

#include <cmlp/ops/precision.hpp>

#include <atomic>
#include <optional>

#include "network/flat_parameters.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
struct Model {
    Model(std::vector<NamedLayer> layers, SharedState<T> shared)
        : structure(std::move(layers)), parameters(structure, std::move(shared)) {}

    Structure structure;
    FlatParameters<T> parameters;
    std::uint64_t seed = 0, step = 0;
    /// The seed and the number of the pass that a fit draws by instead.
    struct Draws {
        std::uint64_t seed, step;
    };
    std::optional<Draws> fit_draws;
    std::atomic<bool> training = true;  // read by calls before they know whether another thread trains
    double dropout = 1;
    Precision precision = Precision::own;

    Draws draws() const { return fit_draws.value_or(Draws{seed, step}); }
};

}  // namespace cmlp::inline v0_1::detail
