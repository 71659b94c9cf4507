// The state of a network that a fit changes for its own time only.
#pragma once

#include <cmlp/train/trainer.hpp>

#include "network/parts.hpp"

namespace cmlp::inline v0_1 {

// Training mode, and dropout by the seeds of network and fit and the number of the pass (own_draws): a resumed or
// repeated fit draws the same whatever the network was used for before. The destructor restores what was there and
// drops views of the fit's data.
template <class T>
class TrainingMode {
public:
    TrainingMode(Network<T>& network, const FitOptions& options)
        : network_(network),
          model_(detail::Passes<T>::of(network).model),
          options_(options),
          training_(network.training()) {
        network_.set_training(true);
    }
    ~TrainingMode() {
        model_.fit_draws.reset();
        network_.set_training(training_);
    }
    TrainingMode(const TrainingMode&) = delete;

    // The number of the next pass, over all epochs from 0.
    void set_pass(std::uint64_t number) {
        constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio: seeds lie far apart
        if (options_.own_draws) model_.fit_draws = {model_.seed, odd * std::uint64_t(options_.seed) + number};
    }

private:
    Network<T>& network_;
    const typename Network<T>::ForgetAtEnd after_{network_};
    detail::Model<T>& model_;
    const FitOptions& options_;
    const bool training_;
};

}  // namespace cmlp::inline v0_1
