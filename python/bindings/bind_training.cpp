// One step, whole epochs, evaluation and the gradient check, with the GIL released while the core works.
#include <cmlp/network/gradcheck.hpp>

#include "bind_full_batch.hpp"
#include "bind_optimizer.hpp"
#include "training.hpp"

namespace {

using namespace cmlp;

py::dict record_of(const EpochRecord& record) {
    py::dict fields;
    fields["epoch"] = record.epoch;
    fields["loss"] = record.loss;
    fields["val_loss"] = record.val_loss;
    fields["metrics"] = record.metrics;
    fields["val_metrics"] = record.val_metrics;
    fields["lr"] = record.lr;
    fields["seconds"] = record.seconds;
    return fields;
}

// What Python is asked during a fit; an answer of False stops it.
struct Calls {
    py::object epoch_end, step_end, poll, order;

    static bool ask(const py::object& f, const py::dict& fields) {
        return f.is_none() || !f(fields).is(py::bool_(false));
    }
    Hooks hooks() const {
        Hooks hooks;
        hooks.poll = [this](const Progress& progress) {
            sleep_if_finalizing();
            const py::gil_scoped_acquire acquire;
            check_signals();
            ask(poll, progress_of(progress));
        };
        if (!epoch_end.is_none())
            hooks.epoch_end = [this](const EpochRecord& record) {
                sleep_if_finalizing();
                const py::gil_scoped_acquire acquire;
                return ask(epoch_end, record_of(record));
            };
        if (!step_end.is_none())
            hooks.step_end = [this](const Progress& progress) {
                sleep_if_finalizing();
                const py::gil_scoped_acquire acquire;
                return ask(step_end, progress_of(progress));
            };
        if (!order.is_none())
            hooks.order = [this](Index epoch, std::span<Index> rows) {
                sleep_if_finalizing();
                const py::gil_scoped_acquire acquire;
                const Array<std::int64_t> given(numbers(order(epoch), "fit: shuffle"));
                require(given.size() == std::ssize(rows), "fit: shuffle gave ", given.size(),
                        " rows for epoch ", epoch, ", there are ", rows.size());
                std::copy_n(given.data(), rows.size(), rows.data());
            };
        return hooks;
    }
};

void write_report(const FitReport& report, py::dict& out) {
    py::list epochs;
    for (const EpochRecord& record : report.epochs) epochs.append(record_of(record));
    out["epochs"] = epochs;
    out["best_epoch"] = report.best_epoch;
    out["best_value"] = report.best_value;
    out["steps"] = report.steps;
    out["stop"] = name_of(report.stop);
}

template <class T>
Optimizer<T>& rule_of(PyOptimizer<T>& optimizer) {
    return optimizer.optimizer;
}

template <class T>
FullBatchRule<T>& rule_of(PyFullBatch<T>& optimizer) {
    return optimizer.rule();
}

template <class T, template <class> class PyRule>
void fit_network(Network<T>& network, const py::object& x, const py::object& y, const py::object& weight,
                 const PyLoss& loss, PyRule<T>& optimizer, const py::dict& options,
                 const py::object& validation, const py::object& epoch_end, const py::object& step_end,
                 const py::object& poll, const py::object& order, py::dict& report) {
    Held<T> train(loss, x, y, weight, "fit");
    train.name_rows(options["row_names"]);
    std::optional<Held<T>> held_out;
    if (!validation.is_none()) {
        const auto [vx, vy, vw] = py::cast<std::tuple<py::object, py::object, py::object>>(validation);
        held_out.emplace(loss, vx, vy, vw, "fit: validation data");
    }
    const Calls calls{epoch_end, step_end, poll, order};
    const FitOptions fit_options = options_from(options);
    FitReport done;
    try {
        const Data<T> validation_data = held_out ? held_out->data() : Data<T>{};
        const py::gil_scoped_release release;
        fit<T>(network, train.data(), loss.loss, rule_of<T>(optimizer), fit_options, done,
               held_out ? &validation_data : nullptr, calls.hooks());
    } catch (...) {
        write_report(done, report);
        throw;
    }
    write_report(done, report);
}

template <class T>
double step(Network<T>& network, const py::object& x, const py::object& y, const py::object& weight,
            const PyLoss& loss, PyOptimizer<T>& optimizer, double clip_grad_norm, double clip_grad_value,
            double l1, double l2, double max_norm) {
    const Held<T> held(loss, x, y, weight, "train_step");
    const typename Network<T>::Exclusive only(network, "train_step");  // until it has forgotten the arrays
    const py::gil_scoped_release release;
    const double value =
        train_step<T>(network, held.data(), loss.loss, optimizer.optimizer, optimizer.scratch,
                      {clip_grad_norm, clip_grad_value, l1, l2, max_norm});
    network.forget();  // it looks at arrays that may be gone
    return value;
}

template <class T>
std::vector<double> evaluate_network(const Network<T>& network, const py::object& x, const py::object& y,
                                     const py::object& weight, const PyLoss& loss,
                                     const std::vector<std::string>& metrics) {
    const Held<T> held(loss, x, y, weight, "evaluate");
    const auto kinds = metric_kinds(metrics);
    const py::gil_scoped_release release;
    check_data(held.data(), "evaluate");
    return evaluate<T>(network, held.data(), loss.loss, kinds);
}

template <class T>
void bind(py::module_& m) {
    const auto add_fit = [&m](auto fit) {
        m.def("fit", fit, py::arg("network"), py::arg("x"), py::arg("y"), py::arg("sample_weight"),
              py::arg("loss"), py::arg("optimizer"), py::arg("options"), py::arg("validation"),
              py::arg("epoch_end"), py::arg("step_end"), py::arg("poll"), py::arg("order"), py::arg("report"),
              "Whole epochs; fills report even where it raises.");
    };
    add_fit(&fit_network<T, PyOptimizer>);
    add_fit(&fit_network<T, PyFullBatch>);
    m.def("train_step", &step<T>, py::arg("network"), py::arg("x"), py::arg("y"), py::arg("sample_weight"),
          py::arg("loss"), py::arg("optimizer"), py::arg("clip_grad_norm") = 0.0,
          py::arg("clip_grad_value") = 0.0, py::arg("l1") = 0.0, py::arg("l2") = 0.0,
          py::arg("max_norm") = 0.0, "One step; the loss before it.");
    m.def("evaluate", &evaluate_network<T>, py::arg("network"), py::arg("x"), py::arg("y"),
          py::arg("sample_weight"), py::arg("loss"), py::arg("metrics"),
          "The loss, then the metrics, in evaluation mode.");
}

}  // namespace

void bind_training(py::module_& m) {
    m.def(
        "mixup_pairs",
        [](Index rows, double alpha, std::uint64_t seed, std::uint64_t number) {
            const Pairs pairs = mixup_pairs(rows, alpha, seed, number);
            return std::make_tuple(pairs.share, pairs.partner);
        },
        py::arg("rows"), py::arg("alpha"), py::arg("seed"), py::arg("number"),
        "(share, partners) of batch `number` of a fit.");
    m.def(
        "input_noise",
        [](Index rows, Index cols, std::uint64_t seed, std::uint64_t number) {
            Array<double> out({rows, cols});
            std::fill_n(out.mutable_data(), out.size(), 0.0);
            add_noise<double>({out.mutable_data(), rows, cols}, 1.0, seed, number);
            return out;
        },
        py::arg("rows"), py::arg("cols"), py::arg("seed"), py::arg("number"),
        "N(0, 1) as added to batch `number` of a fit.");
    bind<float>(m);
    bind<double>(m);
    m.def(
        "gradcheck",
        [](Network<double>& network, const py::object& x, const py::object& y, const py::object& weight,
           const PyLoss& loss, double h) {
            const Held<double> held(loss, x, y, weight, "gradcheck");
            std::vector<std::tuple<std::string, double, double, Index>> rows;
            for (const GradcheckRow& row : gradcheck(network, held.data(), loss.loss, h))
                rows.emplace_back(row.name, row.relative_error, row.largest, row.checked);
            return rows;
        },
        py::arg("network"), py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("loss"),
        py::arg("h"),
        "(name, worst relative error, largest gradient, elements) of each parameter and the input.");
}
