// Evaluation of rows that a training evaluates again and again.
#pragma once

#include <cmlp/train/trainer.hpp>

namespace cmlp::inline v0_1 {

// evaluate() of data that match the network and the loss; does not check them.
template <class T>
std::vector<double> evaluate_checked(const Network<T>& network, const Data<T>& data, const Loss& loss,
                                     const std::vector<MetricKind>& metrics);

}  // namespace cmlp::inline v0_1
