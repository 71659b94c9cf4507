// The perceptron: one neuron with its rules and its log, as cmlp/perceptron.py uses it.
#include <cmlp/train/perceptron.hpp>

#include <chrono>

#include "array.hpp"
#include "gil.hpp"

namespace {

using namespace cmlp;

PathOf path_of(std::string_view name) {
    if (name == "none") return PathOf::none;
    if (name == "epoch") return PathOf::epoch;
    require(name == "update", "Perceptron: keep_path is '", name,
            "'; choose from False, True, epoch, update");
    return PathOf::update;
}

// Whether Python has a signal to handle; checked at most 20 times a second.
bool signal_waits() {
    using Clock = std::chrono::steady_clock;
    thread_local Clock::time_point last;
    if (Clock::now() - last < std::chrono::milliseconds(50)) return false;
    last = Clock::now();
    const WithGil gil;
    return PyErr_CheckSignals() != 0;
}

void fit(Perceptron& self, const py::object& X, const py::object& targets) {
    const Rows<double> x = matrix<double>(X, "Perceptron.fit: X");
    const Rows<double> t = vector<double>(targets, "Perceptron.fit: targets");
    {
        const WithoutGil released;
        self.fit(x.view, span_of(t), signal_waits);
    }
    if (PyErr_Occurred()) throw py::error_already_set();
}

py::object outputs(const py::object& X, const py::object& weights, double bias) {
    const Rows<double> x = matrix<double>(X, "Perceptron.decision_function: X");
    const Rows<double> w = vector<double>(weights, "Perceptron.decision_function: weights");
    const Neuron neuron{{span_of(w).begin(), span_of(w).end()}, bias};
    auto [out, z] = new_matrix<double>(x.view.rows(), 1);
    {
        const WithoutGil released;
        cmlp::decision_function(neuron, x.view, {z.data(), static_cast<size_t>(z.rows())});
    }
    return out.attr("ravel")();
}

template <class T>
py::object array(const std::vector<T>& values) {
    return copied<T>({values.data(), 1, static_cast<Index>(values.size())}).attr("ravel")();
}

py::object path(const Perceptron& self) {
    const Index columns = static_cast<Index>(self.neuron().weights.size()) + 1;
    const auto& steps = self.log().path;
    return copied<double>({steps.data(), static_cast<Index>(steps.size()) / columns, columns});
}

using PyRow = py::typing::Dict<py::str, py::object>;

py::typing::List<PyRow> rules() {
    py::typing::List<PyRow> all;
    for (size_t i = 0; i < rows<PerceptronRule>().size(); ++i) {
        const auto rule = static_cast<PerceptronRule>(i);
        PyRow row;
        row["name"] = name(rule);
        row["type"] = cmlp::row(rule).type;
        row["parameters"] = py::dict(py::arg("learning_rate") = default_learning_rate(rule));
        row["definition"] = cmlp::row(rule).definition;
        row["source"] = cmlp::row(rule).source;
        all.append(row);
    }
    return all;
}

Perceptron make(std::string_view rule, std::optional<double> learning_rate, Index epochs, bool shuffle,
                std::uint64_t seed, double tolerance, std::string_view path) {
    return Perceptron({.rule = parse<PerceptronRule>(rule),
                       .learning_rate = learning_rate,
                       .epochs = epochs,
                       .shuffle = shuffle,
                       .seed = seed,
                       .tolerance = tolerance,
                       .path = path_of(path)});
}

}  // namespace

void bind_perceptron(py::module_& m) {
    m.def("perceptron_rules", &rules, "Rows of the list of perceptron rules.");
    m.def("perceptron_decision_function", &outputs, py::arg("X"), py::arg("weights"), py::arg("bias"),
          "w.x + b of each row of X.");
    py::class_<Perceptron>(m, "Perceptron", "One neuron that learns targets of -1 and +1.")
        .def(py::init(&make), py::kw_only(), py::arg("rule") = "rosenblatt",
             py::arg("learning_rate") = py::none(), py::arg("epochs") = 100, py::arg("shuffle") = false,
             py::arg("seed") = 0, py::arg("tolerance") = 1e-6, py::arg("path") = "none")
        .def("fit", &fit, py::arg("X"), py::arg("targets"), "Learns from zero weights, without the GIL.")
        .def_property_readonly(
            "weights", [](const Perceptron& p) { return array(p.neuron().weights); },
            "Weights, one a feature.")
        .def_property_readonly(
            "bias", [](const Perceptron& p) { return p.neuron().bias; }, "The bias.")
        .def_property_readonly(
            "mistakes", [](const Perceptron& p) { return array(p.log().mistakes); },
            "Rows with the wrong sign, one number per epoch.")
        .def_property_readonly(
            "squared_error", [](const Perceptron& p) { return array(p.log().squared_error); },
            "Mean of (t - z)^2, one an epoch.")
        .def_property_readonly("path", &path, "Weights and bias of each step kept.")
        .def_property_readonly(
            "epochs", [](const Perceptron& p) { return p.log().epochs(); }, "Epochs run.")
        .def_property_readonly(
            "converged", [](const Perceptron& p) { return p.log().converged; },
            "Whether the rule came to its own end.")
        .def_property_readonly(
            "shortfall", [](const Perceptron& p) { return p.log().shortfall; },
            "Why it did not, for people to read.");
}
