// One update of the weights from one batch or several: forward, loss, backward, penalties, clipping, the optimizer.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <algorithm>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

// Rows as they are trained on; where they were mixed in pairs, with the targets and weights of the second of each.
template <class T>
struct Batch {
    Data<T> data;
    Target<T> second = {};
    std::span<const T> second_weight = {};
    double share = 1;  // of the first of each pair

    bool mixed() const { return second.rows() > 0; }
};

// Throw std::invalid_argument on a value below 0 or NaN; the second on infinity, too; the third on any of the options.
void check_limit(const char* name, double value, std::string_view what);
void check_factor(const char* name, double value, std::string_view what);
void check_step_options(const StepOptions& options, std::string_view what);

// Multiplications or so of the largest job in a step over that many rows.
template <class T>
double step_work(const Network<T>& network, Index rows) {
    return std::max(network.pass_work(rows), ops::work_of_update * double(network.values().size()));
}

// Throws NonFiniteError: `what` is not finite at the step of that number, from 1.
[[noreturn]] void fail_non_finite(std::string_view what, Index step, std::string_view where);

// The first of the input and the layers' outputs of the last forward pass that is not finite, in words.
template <class T>
std::string first_nonfinite_output(const Network<T>& network);

// The factor that makes a mean of a sum of that weight; 0 where no row counts.
inline double inverse_weight(double weight) { return weight > 0 ? 1 / weight : 0; }

template <class T>
class Step {
public:
    // The gradients of the mean over all batches of an update, not of the mean of their means.
    struct Value {
        double loss, weight;  // weight: what the mean divided by, 1 where the loss is a sum
    };

    Step(Network<T>& network, const Loss& loss, Optimizer<T>& optimizer, const StepOptions& options,
         LossResult<T>& result);

    // Forward, loss and backward of one of the batches of an update; `several`: there is another one.
    void add(const Batch<T>& batch, bool several);
    // The update, once all its batches are added.
    Value update();

private:
    void evaluate(const Batch<T>& batch);
    double penalty();
    bool clip();
    Index number() const { return optimizer_.steps() + 1; }

    Network<T>& network_;
    detail::NetworkParts<T>& parts_;
    const Loss& loss_;
    Optimizer<T>& optimizer_;
    const StepOptions& options_;
    LossResult<T>& result_;
    LossResult<T> second_;         // of mixed batches
    std::vector<size_t> weights_;  // parameters that penalties and max_norm are about
    const bool mean_;
    double sum_ = 0, weight_ = 0;
    double rows_ = 0;  // weight of the rows of all batches
    bool begun_ = false, several_ = false;
};

}  // namespace cmlp::inline v0_1
