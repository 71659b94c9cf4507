// The epochs of a fit: what is recorded of them, and when they end.
#include "train/fit_loop.hpp"

#include "train/step.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr double poll_seconds = 0.05;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check_options(const FitOptions& options) {
    const auto at_least = [](const char* name, auto value, decltype(value) least) {
        require(value >= least, "fit: ", name, " is ", value, ", it must be at least ",
                least);  // a NaN is not
    };
    at_least("epochs", options.epochs, 0);
    at_least("initial_epoch", options.first_epoch, 0);
    at_least("batch_size", options.batch_size, 1);
    at_least("patience", options.patience, 0);
    at_least("min_delta", options.min_delta, 0.0);
    at_least("time_limit", options.time_limit, 0.0);
    at_least("every_steps", options.every_steps, 0);
    at_least("accumulate_steps", options.accumulate_steps, 1);
    at_least("the number of steps before", options.start.steps, 0);
    check_factor("mixup", options.mixup, "fit");
    check_factor("input_noise", options.input_noise, "fit");
    check_step_options(options.step, "fit");
}

}  // namespace

template <class T>
void check_rows(const Network<T>& network, const Loss& loss, const Data<T>& rows, const char* what) {
    check_data(rows, what);
    loss.check(rows.rows(), network.output_width(rows.x, 0, network.layer_count()), rows.target, rows.weight,
               what);
}

template <class T>
void FitTask<T>::check() const {
    check_options(options);
    require(loss.reduction() != Reduction::none, "fit: the loss has reduction 'none'; choose mean or sum");
    require(options.start.best_weights.empty() ||
                std::ssize(options.start.best_weights) == std::ssize(network.state()),
            "fit: the best weights to start from are of another network");
    check_rows(network, loss, data, "fit");
    if (validation) check_rows(network, loss, *validation, "fit: validation data");
}

template <class T>
FitLoop<T>::FitLoop(const FitTask<T>& task)
    : task_(task),
      mode_(task.network, task.options),
      monitor_(task.network, task.options, task.hooks, task.validation != nullptr),
      sums_(task.loss.reduction() == Reduction::sum) {
    task.report.steps = task.options.start.steps;
    task.report.best_epoch = task.options.start.best_epoch;
    task.report.best_value = task.options.start.best_value;
    for (const MetricKind kind : task.options.metrics) metrics_.emplace_back(kind, task.loss);
}

template <class T>
void FitLoop<T>::run() {
    const FitOptions& options = task_.options;
    for (Index epoch = options.first_epoch; epoch < options.epochs && !stopped_; ++epoch) run_epoch(epoch);
}

template <class T>
void FitLoop<T>::run_epoch(Index epoch) {
    const auto start = Clock::now();
    for (Metric& metric : metrics_) metric.reset();
    sum_ = weight_ = 0;
    if (!train(epoch)) return;
    task_.report.unfinished.reset();
    EpochRecord record;
    record.epoch = epoch;
    record.loss = loss_so_far();
    for (const Metric& metric : metrics_) record.metrics.push_back(metric.result());
    if (task_.validation) {
        record.val_metrics =
            evaluate_checked(task_.network, *task_.validation, task_.loss, task_.options.metrics);
        record.val_loss = record.val_metrics.front();
        record.val_metrics.erase(record.val_metrics.begin());
    }
    record.lr = lr();
    record.seconds = seconds_since(start);
    end_epoch(record);
}

template <class T>
void FitLoop<T>::count(double loss, double weight) {
    sum_ += loss * weight;
    weight_ += weight;
}

template <class T>
void FitLoop<T>::measure(const Data<T>& rows) {
    for (Metric& metric : metrics_) metric.add<T>({task_.network.output(), rows.target, rows.weight});
}

template <class T>
bool FitLoop<T>::step_end_is_due() const {
    const Index every = task_.options.every_steps;
    return every > 0 && task_.report.steps % every == 0 && task_.hooks.step_end;
}

template <class T>
bool FitLoop<T>::poll_is_due() const {
    return task_.hooks.poll && seconds_since(polled_) > poll_seconds;
}

template <class T>
bool FitLoop<T>::step_done(Index epoch, Index step, Index steps_an_epoch) {
    ++task_.report.steps;
    task_.report.unfinished = Progress{epoch, step, steps_an_epoch, loss_so_far()};
    return step_end_is_due() || poll_is_due() || out_of_time();
}

template <class T>
bool FitLoop<T>::between_steps() {
    const Progress progress = *task_.report.unfinished;
    if (step_end_is_due() && !task_.hooks.step_end(progress)) stop(Stop::callback);
    poll(progress);
    if (out_of_time()) stop(Stop::time_limit);
    return !stopped_ || progress.step + 1 == progress.steps_an_epoch;
}

template <class T>
void FitLoop<T>::poll(const Progress& progress) {
    if (!poll_is_due()) return;
    task_.hooks.poll(progress);
    polled_ = Clock::now();
}

template <class T>
bool FitLoop<T>::out_of_time() const {
    return task_.options.time_limit > 0 && seconds_since(started_) > task_.options.time_limit;
}

template <class T>
void FitLoop<T>::end_epoch(EpochRecord& record) {
    const bool patient = monitor_.improves(record, task_.network, task_.data, task_.loss, task_.report);
    record.ends = reason_to_end(record.epoch, patient);
    task_.report.epochs.push_back(record);
    if (task_.hooks.epoch_end && !task_.hooks.epoch_end(record)) stop(Stop::callback);
    if (record.ends) stop(*record.ends);
}

template <class T>
std::optional<Stop> FitLoop<T>::reason_to_end(Index epoch, bool patient) const {
    if (stopped_) return task_.report.stop;
    if (!patient) return Stop::early_stopping;
    if (converged()) return Stop::converged;
    if (epoch + 1 == task_.options.epochs) return Stop::completed;
    return {};
}

template <class T>
void FitLoop<T>::stop(Stop reason) {
    if (!stopped_) task_.report.stop = reason;
    stopped_ = true;
}

template void check_rows<float>(const Network<float>&, const Loss&, const Data<float>&, const char*);
template void check_rows<double>(const Network<double>&, const Loss&, const Data<double>&, const char*);
template struct FitTask<float>;
template struct FitTask<double>;
template class FitLoop<float>;
template class FitLoop<double>;

}  // namespace cmlp::inline v0_1
