// What Python holds of a rule that sees all rows at once; training takes it too.
#pragma once

#include <cmlp/train/full_batch.hpp>

#include <vector>

#include "bindings.hpp"
#include "members.hpp"

template <class T>
std::vector<cmlp::Parameter<T>> parameters_of(const Members<T>& members) {
    std::vector<cmlp::Parameter<T>> parameters;
    for (const auto& member : members) parameters.push_back(parameter_of(member));
    return parameters;
}

template <class T>
struct PyFullBatch {
    Members<T> members;  // kept alive: the rule borrows their numbers

    virtual ~PyFullBatch() = default;
    virtual cmlp::FullBatchRule<T>& rule() = 0;

protected:
    explicit PyFullBatch(Members<T> all) : members(std::move(all)) {}
};
