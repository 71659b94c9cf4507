// Residuals and ensembles as brackets among the layers: which form a group.
#pragma once

#include <cmlp/network/parameter.hpp>

#include <vector>

namespace cmlp::inline v0_1::detail {

/// A layer that is a bracket, with the indices of others of its group; every field is -1 for any other layer.
struct Bracket {
    Index begin = -1, end = -1;      ///< the group's first and last bracket
    Index previous = -1, next = -1;  ///< neighbours in the group, -1 at its ends
    Index member = -1;               ///< whose layers end here; -1 at the beginning
};

/// The brackets of the layers, one entry for each layer. Throws std::invalid_argument unless every group begins and
/// ends, and every member of an ensemble has layers.
std::vector<Bracket> match_brackets(const std::vector<NamedLayer>& layers);

/// What the group of a bracket is called in messages: "a residual" or "an ensemble".
const char* group_name(const Layer& bracket);

}  // namespace cmlp::inline v0_1::detail
