// What Python holds of a rule that sees all rows at once; training takes it too.
#pragma once

#include <cmlp/train/full_batch.hpp>

#include <memory>
#include <vector>

#include "bindings.hpp"

template <class T>
using FullBatchMembers = std::vector<
    std::pair<std::shared_ptr<cmlp::Network<T>>, cmlp::Index>>;  // network and index of the parameter

template <class T>
std::vector<cmlp::Parameter<T>> parameters_of(const FullBatchMembers<T>& members) {
    std::vector<cmlp::Parameter<T>> parameters;
    for (const auto& [network, index] : members)
        parameters.push_back(network->parameters().at(static_cast<size_t>(index)));
    return parameters;
}

template <class T>
struct PyFullBatch {
    FullBatchMembers<T> members;  // kept alive: the rule borrows their numbers

    virtual ~PyFullBatch() = default;
    virtual cmlp::FullBatchRule<T>& rule() = 0;

protected:
    explicit PyFullBatch(FullBatchMembers<T> all) : members(std::move(all)) {}
};
