// The optimizer object that Python holds; training takes it too.
#pragma once

#include <cmlp/losses/loss.hpp>
#include <cmlp/network/network.hpp>
#include <cmlp/optim/optimizer.hpp>

#include <memory>
#include <vector>

template <class T>
struct PyOptimizer {
    cmlp::Optimizer<T> optimizer;
    std::vector<std::shared_ptr<cmlp::Network<T>>> networks;  // whose weights it borrows
    cmlp::LossResult<T> scratch = {};                         // of train_step
};
