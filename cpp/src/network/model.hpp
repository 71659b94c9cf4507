// All that decides what a network computes: its layers, their numbers, and the settings of its passes.
#pragma once

#include <cmlp/ops/precision.hpp>

#include "network/flat_parameters.hpp"

namespace cmlp::detail {

template <class T>
struct Model {
    explicit Model(std::vector<NamedLayer> layers) : structure(std::move(layers)), parameters(structure) {}

    Structure structure;
    FlatParameters<T> parameters;
    std::uint64_t seed = 0, step = 0;
    bool training = true;
    double dropout = 1;
    Precision precision = Precision::own;
};

}  // namespace cmlp::detail
