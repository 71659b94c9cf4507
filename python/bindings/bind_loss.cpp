// Losses: called on predictions and targets of either precision, they remember the gradient for backward.
#include "bind_loss.hpp"

#include <string>

#include "array.hpp"
#include "gil.hpp"

namespace {

using namespace cmlp;

Reduction reduction_of(std::string_view text) {
    if (text == "mean") return Reduction::mean;
    if (text == "sum") return Reduction::sum;
    if (text == "batchmean") return Reduction::batchmean;
    require(text == "none", "unknown reduction '", text, "'; choose from mean, sum, none, batchmean");
    return Reduction::none;
}

template <class T>
py::object call(PyLoss& self, const py::object& y, const py::object& target,
                const py::object& sample_weight) {
    const std::string what(name(self.loss.kind()));
    const Rows<T> predictions = matrix<T>(y, what + ": the predictions");
    const Targets<T> wanted = targets<T>(target, self.takes_labels(), what + ": the target");
    const Rows<T> weight = optional_vector<T>(sample_weight, what + ": sample_weight");
    LossResult<T> fresh;  // of this call alone: other threads may call the same loss meanwhile
    {
        const WithoutGil released;
        self.loss.evaluate<T>(predictions.view, wanted.view, span_of(weight), true, fresh);
    }
    const auto& result = self.result.emplace<LossResult<T>>(std::move(fresh));
    if (self.loss.reduction() != Reduction::none) return py::float_(result.total);
    const Array<T> values = copied<T>(result.value.view());
    return values.shape(1) == 1 && self.takes_labels() ? py::object(values.attr("ravel")())
                                                       : py::object(values);
}

py::object gradient(const PyLoss& self) {
    return std::visit(
        [](const auto& result) -> py::object {
            if constexpr (std::is_same_v<std::decay_t<decltype(result)>, std::monostate>)
                fail("backward: the loss has not been called yet");
            else
                return copied(result.gradient.view());
        },
        self.result);
}

}  // namespace

void bind_loss(py::module_& m) {
    py::class_<PyLoss>(m, "Loss", "A loss with its settings and the gradient of its last call.")
        .def(py::init([](std::string_view kind, const Settings& settings, std::string_view reduction,
                         std::vector<double> column) {
                 return PyLoss{
                     Loss(parse<LossKind>(kind), settings, reduction_of(reduction), std::move(column)), {}};
             }),
             py::arg("kind"), py::arg("settings") = Settings{}, py::arg("reduction") = "mean",
             py::arg("column") = std::vector<double>{})
        .def(
            "__call__",
            [](PyLoss& self, const py::object& y, const py::object& target, const py::object& weight) {
                const bool single = numbers(y, "loss: the predictions").dtype().is(py::dtype::of<float>());
                return single ? call<float>(self, y, target, weight) : call<double>(self, y, target, weight);
            },
            py::arg("y"), py::arg("target"), py::arg("sample_weight") = py::none(),
            "The reduced value as a float, or the values as an array for reduction none.")
        .def("backward", &gradient, "Gradient of the last value by the predictions.")
        .def_property_readonly("kind", [](const PyLoss& self) { return std::string(name(self.loss.kind())); })
        .def_property_readonly("takes_labels", &PyLoss::takes_labels, "Whether the loss takes class indices.")
        .def_property_readonly(
            "column", [](const PyLoss& self) { return self.loss.column(); },
            "Class weights, positive weights or quantiles.")
        .def_property_readonly("settings", [](const PyLoss& self) { return self.loss.settings(); });
}
