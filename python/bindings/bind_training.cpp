// One step, a fit, evaluation and the gradient check, with the GIL released while the core works.
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
    fields["ends"] = record.ends ? py::object(py::str(name_of(*record.ends))) : py::none();
    return fields;
}

// Calls of Python's functions during a fit; those that return False end it.
struct Calls {
    py::object epoch_end, step_end, poll, order, monitored;
    const FitReport& report;
    size_t delivered = 0;  // records that epoch_end was given

    Hooks hooks() {
        Hooks hooks;
        hooks.poll = [this](const Progress& progress) {
            const WithGil gil;
            check_signals();
            if (!poll.is_none()) poll(progress_of(progress));
        };
        if (!epoch_end.is_none())
            hooks.epoch_end = [this](const EpochRecord& record) { return deliver(record); };
        if (!step_end.is_none())
            hooks.step_end = [this](const Progress& progress) {
                const WithGil gil;
                return continues(step_end, progress_of(progress));
            };
        if (!monitored.is_none())
            hooks.monitored = [this](const EpochRecord& record) {
                const WithGil gil;
                return py::cast<double>(monitored(record_of(record)));
            };
        if (!order.is_none())
            hooks.order = [this](Index epoch, std::span<Index> rows) { take_order(epoch, rows); };
        return hooks;
    }

private:
    bool deliver(const EpochRecord& record) {
        const WithGil gil;
        py::dict fields = record_of(record);
        fields["best_epoch"] = report.best_epoch;
        fields["best_value"] = report.best_value;
        fields["steps_done"] = report.steps;
        ++delivered;
        return continues(epoch_end, fields);
    }
    void take_order(Index epoch, std::span<Index> rows) const {
        const WithGil gil;
        const Array<std::int64_t> given(numbers(order(epoch), "fit: shuffle"));
        require(given.size() == std::ssize(rows), "fit: shuffle gave ", given.size(), " rows for epoch ",
                epoch, ", there are ", rows.size());
        std::copy_n(given.data(), rows.size(), rows.data());
    }
};

// The records that were not delivered before, and how the fit ended.
void write_report(const FitReport& report, size_t delivered, py::dict& out) {
    py::list epochs;
    for (size_t i = delivered; i < report.epochs.size(); ++i) epochs.append(record_of(report.epochs[i]));
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
void fit_network(Network<T>& network, const FitRows<T>& rows, const PyLoss& loss, PyRule<T>& optimizer,
                 const py::dict& options, const FitRows<T>& validation, const py::object& epoch_end,
                 const py::object& step_end, const py::object& poll, const py::object& order,
                 const py::object& monitored, py::dict& report) {
    const FitOptions fit_options = options_from(options);
    FitReport done;
    Calls calls{epoch_end, step_end, poll, order, monitored, done};
    try {
        const Data<T> data = rows->data(), held_out = validation ? validation->data() : Data<T>{};
        const WithoutGil released;
        fit<T>(network, data, loss.loss, rule_of<T>(optimizer), fit_options, done,
               validation ? &held_out : nullptr, calls.hooks());
    } catch (...) {
        write_report(done, calls.delivered, report);
        throw;
    }
    write_report(done, calls.delivered, report);
}

template <class T>
FitRows<T> fit_rows(const Network<T>&, const PyLoss& loss, const py::object& x, const py::object& y,
                    const py::object& weight, const py::object& names, const std::string& what) {
    auto rows = std::make_shared<Held<T>>(loss, x, y, weight, what);
    rows->name_rows(names);
    return rows;
}

// The outputs for held rows, in evaluation mode.
template <class T>
Array<T> predict_rows(const Held<T>& rows, const Network<T>& network) {
    auto [out, y] =
        new_matrix<T>(rows.x.view.rows(), network.output_width(rows.x.view, 0, network.layer_count()));
    const WithoutGil released;
    network.predict_into(rows.x.view, y);
    return out;
}

using OrOff = std::optional<double>;  // None: off

template <class T>
double step(Network<T>& network, const py::object& x, const py::object& y, const py::object& weight,
            const PyLoss& loss, PyOptimizer<T>& optimizer, OrOff clip_grad_norm, OrOff clip_grad_value,
            OrOff l1, OrOff l2, OrOff max_norm) {
    const Held<T> held(loss, x, y, weight, "train_step");
    const WithoutGil released;
    return train_step<T>(network, held.data(), loss.loss, optimizer.optimizer, optimizer.scratch,
                         {clip_grad_norm.value_or(0), clip_grad_value.value_or(0), l1.value_or(0),
                          l2.value_or(0), max_norm.value_or(0)});
}

template <class T>
std::vector<double> evaluate_network(const Network<T>& network, const py::object& x, const py::object& y,
                                     const py::object& weight, const PyLoss& loss,
                                     const std::vector<std::string>& metrics) {
    const Held<T> held(loss, x, y, weight, "evaluate");
    const auto kinds = metric_kinds(metrics);
    const WithoutGil released;
    const typename Network<T>::Shared reader(network, "evaluate");
    check_data(held.data(), "evaluate");
    return evaluate<T>(network, held.data(), loss.loss, kinds);
}

template <class T>
void bind(py::module_& m, const char* rows_name) {
    py::class_<Held<T>, FitRows<T>>(m, rows_name, "The rows of a fit, converted once.")
        .def("predict", &predict_rows<T>, py::arg("network"), "The network's outputs, in evaluation mode.")
        .def(
            "steps_an_epoch",
            [](const Held<T>& rows, const Network<T>& network, const py::dict& options) {
                return steps_an_epoch(network, rows.x.view.rows(), options_from(options));
            },
            py::arg("network"), py::arg("options"), "Updates of an epoch of a fit with these options.");
    m.def("fit_rows", &fit_rows<T>, py::arg("network"), py::arg("loss"), py::arg("x"), py::arg("y"),
          py::arg("sample_weight"), py::arg("row_names"), py::arg("what"),
          "Rows in the network's precision; `what` begins messages about them.");
    const auto add_fit = [&m](auto fit) {
        m.def("fit", fit, py::arg("network"), py::arg("rows").none(false), py::arg("loss"),
              py::arg("optimizer"), py::arg("options"), py::arg("validation"), py::arg("epoch_end"),
              py::arg("step_end"), py::arg("poll"), py::arg("order"), py::arg("monitored"), py::arg("report"),
              "Trains for epochs; fills report even where it raises.");
    };
    add_fit(&fit_network<T, PyOptimizer>);
    add_fit(&fit_network<T, PyFullBatch>);
    m.def("train_step", &step<T>, py::arg("network"), py::arg("x"), py::arg("y"), py::arg("sample_weight"),
          py::arg("loss"), py::arg("optimizer"), py::arg("clip_grad_norm") = py::none(),
          py::arg("clip_grad_value") = py::none(), py::arg("l1") = py::none(), py::arg("l2") = py::none(),
          py::arg("max_norm") = py::none(), "One step; the loss before it.");
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
    bind<float>(m, "FitRows32");
    bind<double>(m, "FitRows64");
    m.def(
        "gradcheck",
        [](Network<double>& network, const py::object& x, const py::object& y, const py::object& weight,
           const PyLoss& loss, double h) {
            const Held<double> held(loss, x, y, weight, "gradcheck");
            std::vector<std::tuple<std::string, double, double, Index, Index>> rows;
            for (const GradcheckRow& row : gradcheck(network, held.data(), loss.loss, h))
                rows.emplace_back(row.name, row.relative_error, row.largest, row.checked, row.kinks);
            return rows;
        },
        py::arg("network"), py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("loss"),
        py::arg("h"),
        "(name, worst relative error, largest gradient, elements, kinks) of each parameter and the input.");
}
