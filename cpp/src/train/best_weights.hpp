// The weights of the best epoch, put back whatever ends a training.
#pragma once

#include <cmlp/network/network.hpp>

#include <algorithm>
#include <vector>

namespace cmlp::inline v0_1 {

// Its destructor restores what was kept last: after the last epoch, a stop, or an exception (a callback's, a signal's).
template <class T>
class BestWeights {
public:
    explicit BestWeights(Network<T>& network) : network_(network) {}
    ~BestWeights() {
        if (kept()) std::copy(values_.begin(), values_.end(), network_.state().begin());
    }
    BestWeights(const BestWeights&) = delete;

    void take(const std::vector<double>& values) { values_.assign(values.begin(), values.end()); }
    void keep() { values_.assign(network_.state().begin(), network_.state().end()); }
    bool kept() const { return !values_.empty(); }

private:
    Network<T>& network_;
    std::vector<T> values_;
};

}  // namespace cmlp::inline v0_1
