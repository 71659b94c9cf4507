// Options, metrics and signals, as every binding of training takes them.
#include "training.hpp"

#include "options.hpp"

using namespace cmlp;

namespace {

void read_epochs(OptionReader& reader, FitOptions& options) {
    reader.read("epochs", options.epochs);
    reader.read("initial_epoch", options.first_epoch);
    reader.read_or_off("time_limit", options.time_limit);
    reader.read_or_off("every_steps", options.every_steps);
    std::tuple<Index, Index, double, std::vector<double>> start{0, -1, options.start.best_value, {}};
    reader.read("start", start);
    options.start = {std::get<0>(start), std::get<1>(start), std::get<2>(start),
                     std::move(std::get<3>(start))};
    std::uint64_t seed = options.seed;
    reader.read("seed", seed);
    options.seed = seed;
}

void read_batches(OptionReader& reader, FitOptions& options) {
    reader.read("batch_size", options.batch_size);
    reader.read("shuffle", options.shuffle);
    reader.read("drop_last", options.drop_last);
    reader.read_or_off("accumulate_steps", options.accumulate_steps);
    reader.read_or_off("mixup", options.mixup);
    reader.read_or_off("input_noise", options.input_noise);
}

void read_steps(OptionReader& reader, StepOptions& step) {
    reader.read_or_off("clip_grad_norm", step.clip_grad_norm);
    reader.read_or_off("clip_grad_value", step.clip_grad_value);
    reader.read_or_off("l1", step.l1);
    reader.read_or_off("l2", step.l2);
    reader.read_or_off("max_norm", step.max_norm);
    reader.read("penalty_per_row", step.penalty_per_row);
}

void read_stopping(OptionReader& reader, FitOptions& options) {
    reader.read_or_off("patience", options.patience);
    reader.read("min_delta", options.min_delta);
    reader.read("monitor", options.monitor);
    reader.read("restore_best", options.restore_best);
}

}  // namespace

std::vector<MetricKind> metric_kinds(const std::vector<std::string>& names) {
    std::vector<MetricKind> kinds;
    for (const std::string& name : names) kinds.push_back(parse<MetricKind>(name));
    return kinds;
}

py::dict progress_of(const Progress& progress) {
    py::dict fields;
    fields["epoch"] = progress.epoch;
    fields["step"] = progress.step;
    fields["steps"] = progress.steps_an_epoch;
    fields["loss"] = progress.loss;
    return fields;
}

const char* name_of(Stop stop) {
    constexpr const char* names[] = {"completed", "early_stopping", "time_limit", "callback", "converged"};
    return names[static_cast<int>(stop)];
}

void check_signals() {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

bool continues(const py::object& function, const py::dict& values) {
    const py::object returned = function(values);
    if (returned.is_none()) return true;
    const int truth = PyObject_IsTrue(returned.ptr());
    if (truth < 0) throw py::error_already_set();
    return truth != 0;
}

FitOptions options_from(const py::dict& o) {
    FitOptions options;
    OptionReader reader(o);
    read_epochs(reader, options);
    read_batches(reader, options);
    read_steps(reader, options.step);
    read_stopping(reader, options);
    ScheduledValues schedules;
    reader.read("schedules", schedules);
    for (auto& [setting, group, values, every_step] : schedules)
        options.schedules.push_back({setting, group, std::move(values), every_step});
    std::vector<std::string> metrics;
    reader.read("metrics", metrics);
    options.metrics = metric_kinds(metrics);
    reader.refuse_others();
    return options;
}
