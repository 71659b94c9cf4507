// Options, metrics and signals, as every binding of training takes them.
#include "training.hpp"

#include <chrono>
#include <thread>

using namespace cmlp;

namespace {

const char* kind_of(bool) { return "True or False"; }
const char* kind_of(double) { return "a number"; }
const char* kind_of(Index) { return "a whole number of 64 bits"; }
const char* kind_of(std::uint64_t) { return "a whole number in [0, 2^64)"; }
const char* kind_of(const std::string&) { return "a name"; }

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

void sleep_if_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    const bool finalizing = Py_IsFinalizing();
#else
    const bool finalizing = _Py_IsFinalizing();
#endif
    while (finalizing) std::this_thread::sleep_for(std::chrono::hours(1));
}

FitOptions options_from(const py::dict& o) {
    FitOptions options;
    const auto read = [&](const char* key, auto& value) {
        if (!o.contains(key)) return;
        try {
            value = py::cast<std::decay_t<decltype(value)>>(o[key]);
        } catch (const py::cast_error&) {
            fail("fit: ", key, " is ", std::string(py::str(o[key])), ", it must be ", kind_of(value));
        }
    };
    read("epochs", options.epochs), read("first_epoch", options.first_epoch),
        read("batch_size", options.batch_size);
    read("shuffle", options.shuffle), read("seed", options.seed),
        read("clip_grad_norm", options.step.clip_grad_norm);
    read("time_limit", options.time_limit), read("patience", options.patience),
        read("min_delta", options.min_delta);
    read("monitor", options.monitor), read("restore_best", options.restore_best);
    read("every_steps", options.every_steps);
    read("clip_grad_value", options.step.clip_grad_value);
    read("l1", options.step.l1), read("l2", options.step.l2), read("max_norm", options.step.max_norm);
    read("penalty_per_row", options.step.penalty_per_row);
    read("accumulate_steps", options.accumulate_steps), read("mixup", options.mixup),
        read("input_noise", options.input_noise);
    using Courses = std::vector<std::tuple<std::string, Index, std::vector<double>, bool>>;
    if (o.contains("courses"))
        for (auto& [setting, group, values, every_step] : py::cast<Courses>(o["courses"]))
            options.courses.push_back({setting, group, std::move(values), every_step});
    if (o.contains("metrics"))
        options.metrics = metric_kinds(py::cast<std::vector<std::string>>(o["metrics"]));
    return options;
}
