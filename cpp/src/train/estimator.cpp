// A training by scikit-learn's rules as hooks of the loop, and many trainings side by side.
#include <cmlp/runtime/runtime.hpp>
#include <cmlp/train/estimator.hpp>

#include <chrono>
#include <cmath>
#include <exception>

#include "runtime/parallel.hpp"
#include "train/best_weights.hpp"
#include "train/evaluate.hpp"
#include "train/fit_loop.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr double smallest_rate = 1e-6, fall = 5;  // of the adaptive rate

// What a training is given.
template <class T>
struct Task {
    Network<T>& network;
    Optimizer<T>& optimizer;
    const Loss& loss;
    const EstimatorRules& rules;
    EstimatorReport& report;
    const Data<T>* held_out;  // null: none
    const EstimatorHooks& hooks;
    Index rows;
};

template <class T>
class EstimatorLoop {
public:
    // `best_weights`: of the training that this one continues, empty: the network's own.
    EstimatorLoop(const Task<T>& task, const std::vector<double>& best_weights)
        : task_(task), best_(task.network) {
        if (!task_.rules.early_stopping ||
            task_.report.state.best_score == -std::numeric_limits<double>::infinity())
            return;
        if (best_weights.empty())
            best_.keep();  // of an earlier training, which ended with them
        else
            best_.take(best_weights);
    }

    ~EstimatorLoop() {
        if (task_.rules.early_stopping) task_.report.best_kept = best_.kept();
    }
    EstimatorLoop(const EstimatorLoop&) = delete;

    bool epoch_end(const EpochRecord& record) {
        task_.report.state.rows_counted += task_.rows;
        EstimatorEpoch epoch{record.loss + task_.rules.constant};
        epoch.lr = record.lr;
        epoch.seconds = record.seconds;
        if (task_.held_out) validate(epoch);
        compare(epoch);
        if (task_.rules.learning_rate == RateRule::invscaling)
            set_rate(task_.rules.learning_rate_init /
                     std::pow(double(task_.report.state.rows_counted + 1), task_.rules.power_t));
        epoch.plateau = double(task_.report.state.no_improvement) > task_.rules.n_iter_no_change;
        if (epoch.plateau && !falls()) task_.report.ended = true;
        task_.report.epochs.push_back(epoch);
        if (task_.hooks.epoch_end && !task_.hooks.epoch_end(epoch)) task_.report.ended = true;
        return !task_.report.ended;
    }

    // The epoch that a stop cut short counts as one, by the rows of its steps.
    void end_unfinished(const Progress& progress, Index rows_a_step) {
        EstimatorState& state = task_.report.state;
        state.rows_counted += std::min((progress.step + 1) * rows_a_step, task_.rows);
        EstimatorEpoch epoch{progress.loss + task_.rules.constant};
        epoch.lr = task_.optimizer.setting("lr");
        epoch.complete = false;
        if (!task_.rules.early_stopping) state.best_loss = std::min(state.best_loss, epoch.loss);
        task_.report.epochs.push_back(epoch);
    }

private:
    void validate(EstimatorEpoch& epoch) const {
        std::vector<MetricKind> metrics;
        if (task_.rules.metric) metrics.push_back(*task_.rules.metric);
        const std::vector<double> values =
            evaluate_checked<T>(task_.network, *task_.held_out, task_.loss, metrics);
        epoch.val_loss = values.front() + task_.rules.val_constant;
        if (task_.rules.metric && std::isfinite(values.back())) epoch.val_score = values.back();
        if (!task_.rules.metric && task_.hooks.score) epoch.val_score = task_.hooks.score();
    }

    // A value that is no number counts as an improvement, as it does there.
    void compare(const EstimatorEpoch& epoch) {
        EstimatorState& state = task_.report.state;
        bool improved = !(epoch.loss > state.best_loss - task_.rules.tol);
        if (task_.rules.early_stopping) {
            improved = !(epoch.val_score < state.best_score + task_.rules.tol);
            if (epoch.val_score > state.best_score) {
                state.best_score = epoch.val_score;
                best_.keep();
            }
        } else {
            state.best_loss = std::min(state.best_loss, epoch.loss);
        }
        state.no_improvement = improved ? 0 : state.no_improvement + 1;
    }

    // Continues with a smaller rate, if there is one.
    bool falls() {
        const double rate = task_.optimizer.setting("lr");
        if (task_.rules.learning_rate != RateRule::adaptive || rate <= smallest_rate) return false;
        set_rate(rate / fall);
        task_.report.state.no_improvement = 0;
        return true;
    }

    void set_rate(double rate) {
        for (Index group = 0; group < std::ssize(task_.optimizer.groups()); ++group)
            task_.optimizer.set_setting("lr", rate, group);
    }

    const Task<T> task_;
    BestWeights<T> best_;
};

}  // namespace

RateRule parse_rate_rule(std::string_view name) {
    if (name == "constant") return RateRule::constant;
    if (name == "invscaling") return RateRule::invscaling;
    if (name == "adaptive") return RateRule::adaptive;
    fail("unknown learning_rate '", name, "'; choose from constant, invscaling, adaptive");
}

template <class T>
void fit_estimator(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
                   const FitOptions& options, const EstimatorRules& rules, EstimatorReport& report,
                   const Data<T>* held_out, const EstimatorHooks& hooks, Execution execution) {
    const ExecutionScope limit(execution);
    const EstimatorState before = report.state;
    report = {};
    report.state = before;
    const typename Network<T>::Exclusive only(network, "fit");
    require(held_out || !rules.early_stopping, "fit: early_stopping needs rows that are held out");
    if (held_out) check_rows(network, loss, *held_out, "fit: validation data");
    require(options.start.best_weights.empty() ||
                std::ssize(options.start.best_weights) == std::ssize(network.state()),
            "fit: the best weights to start from are of another network");
    EstimatorLoop<T> loop({network, optimizer, loss, rules, report, held_out, hooks, data.rows()},
                          options.start.best_weights);
    FitOptions own = options;
    own.start.best_weights.clear();  // the loop has them
    own.every_steps = rules.max_steps;
    own.batches_by_rows = true;  // as scikit-learn does
    own.own_draws = false;       // the network's draws continue: partial_fit draws others in each call
    Hooks inner;
    inner.epoch_end = [&](const EpochRecord& record) { return loop.epoch_end(record); };
    inner.step_end = [&](const Progress&) { return !(report.ended = true); };  // max_steps
    inner.poll = hooks.poll;
    inner.order = hooks.order;
    FitReport done;
    const auto started = std::chrono::steady_clock::now();
    const auto write_report = [&](bool counts_unfinished) {
        if (done.unfinished && counts_unfinished)
            loop.end_unfinished(*done.unfinished, own.batch_size * own.accumulate_steps);
        report.stop = done.stop;
        report.steps = done.steps;
        report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    };
    try {
        fit<T>(network, data, loss, optimizer, own, done, nullptr, inner);
    } catch (const NonFiniteError&) {
        write_report(false);
        throw;
    } catch (...) {
        write_report(true);
        throw;
    }
    write_report(true);
}

void run_jobs(Index jobs, int threads, const std::function<void(Index)>& job) {
    const ExecutionScope limit({threads});
    if (jobs == 1) return job(0);
    std::vector<std::exception_ptr> errors(static_cast<size_t>(jobs));
    parallel_each(jobs, std::min(threads, useful_threads()), [&](Index i) {
        try {
            alone([&] { job(i); });
        } catch (...) {
            errors[static_cast<size_t>(i)] = std::current_exception();
        }
    });
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
}

#define CMLP_ESTIMATOR(T)                                                                      \
    template void fit_estimator<T>(Network<T>&, const Data<T>&, const Loss&, Optimizer<T>&,    \
                                   const FitOptions&, const EstimatorRules&, EstimatorReport&, \
                                   const Data<T>*, const EstimatorHooks&, Execution);
CMLP_ESTIMATOR(float)
CMLP_ESTIMATOR(double)
#undef CMLP_ESTIMATOR

}  // namespace cmlp::inline v0_1
