// Backpropagation compared with central differences.
#pragma once

#include <cmlp/network/data.hpp>
#include <cmlp/network/network.hpp>

#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

/// The comparison for one parameter, or for the input (named "input").
struct GradcheckRow {
    std::string name;
    double
        relative_error;  ///< largest |analytic - numeric| over the largest |analytic| or |numeric| of the parameter
    double largest;  ///< largest |analytic|
    Index checked;   ///< elements of the parameter
    Index kinks =
        0;  ///< elements left out, for h up to 1e-4: within h of them the loss has a kink (ReLU at 0) or a jump
};

/// Compares every gradient with (L(w + h) - L(w - h)) / 2h. Dropout draws the same mask in every pass; the network's
/// parameters, mode and random state are left as they were.
std::vector<GradcheckRow> gradcheck(Network<double>& network, const Data<double>& data, const Loss& loss,
                                    double h = 6e-6, Execution execution = {});

}  // namespace cmlp::inline v0_1
