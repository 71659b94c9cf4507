// Fits by rules that see all rows at once.
#include <cmlp/train/full_batch.hpp>

#include <cmath>
#include <utility>

#include "optim/lbfgs_search.hpp"
#include "runtime/parallel.hpp"
#include "train/batches.hpp"
#include "train/fit_loop.hpp"
#include "train/step.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index block_rows = 8192;

}  // namespace

template <class T>
Index FullBatch<T>::blocks() const {
    if (normalizes_batches(network.layers())) return 1;
    return (data.rows() + block_rows - 1) / block_rows;
}

// A mean over all rows: the blocks' means by their weights; the gradients likewise.
template <class T>
double FullBatch<T>::pass(bool gradient) {
    const Index count = blocks(), size = count == 1 ? data.rows() : block_rows;
    const bool joined = count > 1 && loss.reduction() != Reduction::sum;
    double sum = 0, weight = 0;
    for (Index i = 0; i < count; ++i) {
        const Data<T> part = data.middle_rows(i * size, std::min(size, data.rows() - i * size));
        begin_block(i);
        with_team(step_work(network, part.rows()), 1, [&] {
            loss.evaluate_checked<T>(network.forward(part.x), part.target, part.weight, gradient, result);
            if (!std::isfinite(result.total)) return;
            measure(part);
            if (joined && gradient) result.gradient.view() *= static_cast<T>(result.weight);
            if (gradient) network.backward(result.gradient.view(), 0, network.layer_count(), i > 0, false);
        });
        if (!std::isfinite(result.total)) return result.total;  // its outputs are the ones to look at
        sum += joined ? result.total * result.weight : result.total;
        weight += result.weight;
        if (i + 1 < count) poll();
    }
    result.weight = weight;
    if (!joined) return sum;
    if (gradient) ops::scale<T>(network.grads(), static_cast<T>(inverse_weight(weight)));
    return sum * inverse_weight(weight);
}

template <class T>
double FullBatch<T>::value_and_gradient() {
    double total = pass(true);
    if (l2 > 0) total += parameters.add_penalty(l2);
    add_value(total);
    return total;
}

template <class T>
double FullBatch<T>::value() {
    const double total = pass(false);
    add_value(total);
    return total;
}

template <class T>
void FullBatch<T>::fail_non_finite(std::string_view what) const {
    cmlp::fail_non_finite(what, number, first_nonfinite_output(network));
}

namespace {

// The last point, unless it is out of the range of T; whether it was taken.
template <class T>
bool place_or_return(const ParameterVector<T>& parameters, std::span<const double> x,
                     std::span<const double> start) {
    parameters.place(x);
    const bool finite = std::isfinite(largest(parameters.values()));
    if (!finite) parameters.place(start);
    return finite;
}

}  // namespace

template <class T>
void LbfgsRule<T>::check(const Network<T>&, const Loss&) const {
    limits.check();
}

template <class T>
void LbfgsRule<T>::epoch(FullBatch<T>& rows) {
    const auto& parameters = this->parameters_;
    const std::vector<double> start = parameters.values();
    std::vector<double> x = start;
    bool first = true;
    const auto objective = [&](std::span<const double> at, std::span<double> gradient) {
        parameters.place(at);
        const double f = rows.value_and_gradient();
        parameters.gradient(gradient);
        const double steepest = largest(gradient);
        // The line search turns back from where it has gone too far; without one, or at the very start, nothing does.
        if (!std::isfinite(f + steepest) && (first || !limits.strong_wolfe)) rows.fail_non_finite();
        first = false;
        return f;
    };
    try {
        rule.step(x, limits, objective, rows.in_time);
    } catch (...) {
        place_or_return(parameters, x, start);
        throw;
    }
    if (!place_or_return(parameters, x, start)) rows.fail_non_finite("a weight after the update");
    this->converged_ = x == start;  // as it would be in every epoch to come
}

namespace {

void check_full_batch(const FitOptions& options, Index rows, std::string_view name, bool takes_l2) {
    require(options.batch_size >= rows, "fit: ", name, " sees all rows at once: batch_size is ",
            options.batch_size, ", there are ", rows, " rows");
    const StepOptions& step = options.step;
    const std::pair<const char*, bool> unsupported[] = {{"accumulate_steps", options.accumulate_steps > 1},
                                                        {"clip_grad_norm", step.clip_grad_norm > 0},
                                                        {"clip_grad_value", step.clip_grad_value > 0},
                                                        {"input_noise", options.input_noise > 0},
                                                        {"l1", step.l1 > 0},
                                                        {"l2", step.l2 > 0 && !takes_l2},
                                                        {"max_norm", step.max_norm > 0},
                                                        {"mixup", options.mixup > 0},
                                                        {"penalty_per_row", step.penalty_per_row},
                                                        {"scheduler", !options.schedules.empty()}};
    for (const auto& [option, given] : unsupported) require(!given, "fit: ", name, " takes no ", option);
}

template <class T>
class FullBatchFit : public FitLoop<T> {
public:
    FullBatchFit(const FitTask<T>& task, FullBatchRule<T>& rule) : FitLoop<T>(task), rule_(rule) {
        check_full_batch(task.options, task.data.rows(), rule.name(), rule.takes_l2());
        require(rule.parameters().is_over(task.network.values()),
                "fit: the optimizer is over parameters of another network");
        require(!task.hooks.order, "fit: ", rule.name(), " sees all rows at once and takes no order of them");
        rule.check(task.network, task.loss);
    }

private:
    using FitLoop<T>::task_;

    bool train(Index epoch) override {
        counted_ = false;
        const std::uint64_t step = task_.network.pass_count();
        const auto begin_block = [&](Index i) {
            task_.network.set_pass_count(step + std::uint64_t(i));
            this->mode_.set_pass(std::uint64_t(epoch * blocks_ + i));
        };
        const auto poll = [&] { this->poll({epoch, 0, 1, this->loss_so_far()}); };
        const auto add_value = [&](double value) { count_first(value), poll(); };
        const auto in_time = [&] { return !this->out_of_time(); };
        const double l2 = task_.options.step.l2;
        const auto measure = [&](const Data<T>& part) {
            if (!counted_) this->measure(part);
        };
        FullBatch<T> rows{task_.network,          task_.data,  task_.loss, rule_.parameters(), l2,   result_,
                          task_.report.steps + 1, begin_block, measure,    add_value,          poll, in_time};
        blocks_ = rows.blocks();
        try {
            rule_.epoch(rows);
        } catch (...) {
            task_.network.set_pass_count(step);
            throw;
        }
        task_.network.set_pass_count(step + std::uint64_t(blocks_));
        this->step_done(epoch, 0, 1);
        return this->between_steps();
    }

    // The record is of the first pass: the loss before the step, as in training by batches.
    void count_first(double value) {
        if (std::exchange(counted_, true)) return;
        this->count(value, task_.loss.reduction() == Reduction::sum ? 1 : result_.weight);
    }

    double lr() const override { return rule_.lr(); }
    bool converged() const override { return rule_.converged(); }

    FullBatchRule<T>& rule_;
    LossResult<T> result_;
    bool counted_ = false;  // the epoch's first pass
    Index blocks_ = 1;
};

}  // namespace

template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, FullBatchRule<T>& rule,
         const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks,
         Execution execution) {
    const ExecutionScope limit(execution);
    report = {};
    const typename Network<T>::Exclusive only(network, "fit");
    const FitTask<T> task{network, data, loss, options, report, validation, hooks};
    task.check();
    FullBatchFit<T>(task, rule).run();
}

#define CMLP_FULL_BATCH(T)                                                                               \
    template struct FullBatch<T>;                                                                        \
    template class LbfgsRule<T>;                                                                         \
    template void fit<T>(Network<T>&, const Data<T>&, const Loss&, FullBatchRule<T>&, const FitOptions&, \
                         FitReport&, const Data<T>*, const Hooks&, Execution);
CMLP_FULL_BATCH(float)
CMLP_FULL_BATCH(double)
#undef CMLP_FULL_BATCH

}  // namespace cmlp::inline v0_1
