// A training as scikit-learn's MLPs do it: what counts as an improvement, when it ends, how the rate falls;
// many at once.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <optional>

namespace cmlp::inline v0_1 {

/// How the learning rate decreases: never; to learning_rate_init / (rows counted + 1)^power_t; or to a fifth
/// whenever it would end.
enum class RateRule { constant, invscaling, adaptive };

/// Throws std::invalid_argument for a name that is none of theirs.
RateRule parse_rate_rule(std::string_view name);

/// scikit-learn's arguments of the same names, and how rows held out are scored.
struct EstimatorRules {
    double tol = 1e-4;             ///< what counts as an improvement
    double n_iter_no_change = 10;  ///< it ends after more epochs than these without one; infinity: never
    bool early_stopping = false;   ///< goes by the score of the rows held out, and ends with the best weights
    RateRule learning_rate = RateRule::constant;
    double learning_rate_init = 0.001, power_t = 0.5;
    std::optional<MetricKind> metric = {};  ///< the score, larger is better; none: EstimatorHooks::score
    Index max_steps = 0;                    ///< ends in the middle of an epoch, which counts as one; 0: never
    double constant = 0, val_constant = 0;  ///< added to the losses that are recorded
};

/// The state from which the next training of the same network continues.
struct EstimatorState {
    double best_loss = std::numeric_limits<double>::infinity();
    double best_score = -std::numeric_limits<double>::infinity();
    Index no_improvement = 0;  ///< epochs in a row
    Index rows_counted = 0;
};

/// One epoch as it went; NaN where no rows are held out.
struct EstimatorEpoch {
    double loss = 0, val_loss = std::numeric_limits<double>::quiet_NaN(), val_score = val_loss;
    double lr = 0, seconds = 0;
    bool complete = true;
    bool plateau = false;  ///< no improvement for too long: training ends, or continues with a smaller rate
};

/// What a training did.
struct EstimatorReport {
    EstimatorState state = {};
    std::vector<EstimatorEpoch> epochs;
    Stop stop = Stop::completed;
    bool ended = false;      ///< by its own rules, `stop` says callback then
    bool best_kept = false;  ///< there were best weights to end with
    Index steps = 0;
    double seconds = 0;
};

/// Calls out of the training; any may be empty.
struct EstimatorHooks {
    std::function<bool(const EstimatorEpoch&)> epoch_end;  ///< false ends it
    std::function<double()> score;                         ///< of the rows held out
    std::function<void(const Progress&)> poll;
    std::function<void(Index, std::span<Index>)> order;
};

/// Trains for a number of epochs by these rules, in the calling thread. Of the options, every_steps and what stops
/// or monitors are the rules' own affair. The report starts empty but for its state, which is read, and is
/// filled as the training goes. Throws as fit does; the weights are the best so far then, too.
template <class T>
void fit_estimator(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
                   const FitOptions& options, const EstimatorRules& rules, EstimatorReport& report,
                   const Data<T>* held_out = nullptr, const EstimatorHooks& hooks = {},
                   Execution execution = {});

/// The same for whoever needs the report of a training that ended without an exception; from `state` on.
template <class T>
EstimatorReport fit_estimator(Network<T>& network, const Data<T>& data, const Loss& loss,
                              Optimizer<T>& optimizer, const FitOptions& options, const EstimatorRules& rules,
                              const EstimatorState& state = {}, const Data<T>* held_out = nullptr,
                              const EstimatorHooks& hooks = {}, Execution execution = {}) {
    EstimatorReport report;
    report.state = state;
    fit_estimator(network, data, loss, optimizer, options, rules, report, held_out, hooks, execution);
    return report;
}

/// Calls job(0) ... job(jobs - 1), each on one thread whatever its own setting, and as many at a time as there
/// are threads (no more than processors); one job alone has all threads. Nothing a job computes depends on
/// the number of threads. Once all are done, throws what the first of those that failed threw.
void run_jobs(Index jobs, int threads, const std::function<void(Index)>& job);

}  // namespace cmlp::inline v0_1
