// A training by scikit-learn's rules as hooks of the loop, and many trainings side by side.
#include <cmlp/estimator.hpp>

#include <chrono>
#include <cmath>
#include <exception>

#include "parallel.hpp"

namespace cmlp {
namespace {

constexpr double smallest_rate = 1e-6, fall = 5;  // of the adaptive rate

// The weights of the best epoch.
template <class T>
class Best {
public:
    explicit Best(Network<T>& network) : network_(network) {}
    void keep() { values_.assign(network_.state().begin(), network_.state().end()); }
    bool kept() const { return !values_.empty(); }
    void restore() const {
        if (kept()) std::copy(values_.begin(), values_.end(), network_.state().begin());
    }

private:
    Network<T>& network_;
    std::vector<T> values_;
};

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
class Watch {
public:
    explicit Watch(const Task<T>& task)
        : network_(task.network),
          optimizer_(task.optimizer),
          loss_(task.loss),
          rules_(task.rules),
          report_(task.report),
          held_out_(task.held_out),
          hooks_(task.hooks),
          rows_(task.rows),
          best_(task.network) {
        if (rules_.early_stopping && report_.state.best_score > -std::numeric_limits<double>::infinity())
            best_.keep();  // of an earlier training, which ended with them
    }

    ~Watch() {
        if (!rules_.early_stopping) return;
        best_.restore();
        report_.best_kept = best_.kept();
    }
    Watch(const Watch&) = delete;

    bool epoch_end(const EpochRecord& record) {
        report_.state.rows_seen += rows_;
        EstimatorEpoch epoch{record.loss + rules_.constant};
        epoch.lr = record.lr;
        epoch.seconds = record.seconds;
        if (held_out_) validate(epoch);
        compare(epoch);
        if (rules_.learning_rate == RateRule::invscaling)
            set_rate(rules_.learning_rate_init /
                     std::pow(double(report_.state.rows_seen + 1), rules_.power_t));
        epoch.at_rest = double(report_.state.no_improvement) > rules_.n_iter_no_change;
        report_.ended = epoch.at_rest && !falls();
        report_.epochs.push_back(epoch);
        if (hooks_.epoch_end && !hooks_.epoch_end(epoch)) report_.ended = true;
        return !report_.ended;
    }

    bool step_end(const Progress& progress) {
        EstimatorEpoch epoch{progress.loss + rules_.constant};
        epoch.lr = optimizer_.setting("lr");
        epoch.whole = false;
        report_.epochs.push_back(epoch);
        report_.ended = true;
        return false;
    }

private:
    void validate(EstimatorEpoch& epoch) const {
        std::vector<MetricKind> metrics;
        if (rules_.metric) metrics.push_back(*rules_.metric);
        const std::vector<double> values = evaluate<T>(network_, *held_out_, loss_, metrics);
        epoch.val_loss = values.front() + rules_.val_constant;
        if (rules_.metric && std::isfinite(values.back())) epoch.val_score = values.back();
        if (!rules_.metric && hooks_.score) epoch.val_score = hooks_.score();
    }

    // A value that is no number counts as an improvement, as it does there.
    void compare(const EstimatorEpoch& epoch) {
        EstimatorState& state = report_.state;
        bool improved = !(epoch.loss > state.best_loss - rules_.tol);
        if (rules_.early_stopping) {
            improved = !(epoch.val_score < state.best_score + rules_.tol);
            if (epoch.val_score > state.best_score) {
                state.best_score = epoch.val_score;
                best_.keep();
            }
        } else {
            state.best_loss = std::min(state.best_loss, epoch.loss);
        }
        state.no_improvement = improved ? 0 : state.no_improvement + 1;
    }

    // Goes on with a smaller rate, where there is one.
    bool falls() {
        const double rate = optimizer_.setting("lr");
        if (rules_.learning_rate != RateRule::adaptive || rate <= smallest_rate) return false;
        set_rate(rate / fall);
        report_.state.no_improvement = 0;
        return true;
    }

    void set_rate(double rate) {
        for (Index group = 0; group < std::ssize(optimizer_.groups()); ++group)
            optimizer_.set_setting("lr", rate, group);
    }

    Network<T>& network_;
    Optimizer<T>& optimizer_;
    const Loss& loss_;
    const EstimatorRules& rules_;
    EstimatorReport& report_;
    const Data<T>* held_out_;
    const EstimatorHooks& hooks_;
    const Index rows_;
    Best<T> best_;
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
                   const Data<T>* held_out, const EstimatorHooks& hooks) {
    require(held_out || !rules.early_stopping, "fit: early_stopping needs rows that are held out");
    if (held_out) check_data(*held_out, "fit: validation data");
    Watch<T> watch({network, optimizer, loss, rules, report, held_out, hooks, data.rows()});
    FitOptions own = options;
    own.every_steps = rules.max_steps;
    Hooks inner;
    inner.epoch_end = [&](const EpochRecord& record) { return watch.epoch_end(record); };
    inner.step_end = [&](const Progress& progress) { return watch.step_end(progress); };
    inner.poll = hooks.poll;
    inner.order = hooks.order;
    FitReport done;
    const auto started = std::chrono::steady_clock::now();
    const auto tell = [&] {
        report.stop = done.stop;
        report.steps = done.steps;
        report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    };
    try {
        fit<T>(network, data, loss, optimizer, own, done, nullptr, inner);
    } catch (...) {
        tell();
        throw;
    }
    tell();
}

void run_jobs(Index jobs, int threads, const std::function<void(Index)>& job) {
    if (jobs == 1) return job(0);
    std::vector<std::exception_ptr> errors(static_cast<size_t>(jobs));
    parallel_each(jobs, threads, [&](Index i) {
        try {
            job(i);
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
                                   const Data<T>*, const EstimatorHooks&);
CMLP_ESTIMATOR(float)
CMLP_ESTIMATOR(double)
#undef CMLP_ESTIMATOR

}  // namespace cmlp
