// The lists of the core as Python sees them.
#include <cmlp/layers/layers.hpp>

#include "bindings.hpp"

namespace {

using namespace cmlp;

template <class E>
py::list entries() {
    py::list all;
    for (size_t i = 0; i < rows<E>().size(); ++i) {
        const auto entry = static_cast<E>(i);
        py::dict values;
        for (const ParameterRow& parameter : parameters(entry))
            values[py::str(parameter.name)] = parameter.value;
        py::dict row;
        row["name"] = name(entry);
        row["type"] = cmlp::row(entry).type;
        row["parameters"] = values;
        row["definition"] = cmlp::row(entry).definition;
        row["source"] = cmlp::row(entry).source;
        all.append(row);
    }
    return all;
}

}  // namespace

void bind_registry(py::module_& m) {
    const auto list = [&](const char* name, auto get, const char* doc) { m.def(name, get, doc); };
    list("activations", entries<Activation>,
         "Rows of the list of activations: name, type, parameters, definition, source.");
    list("losses", entries<LossKind>, "Rows of the list of losses.");
    list("initializers", entries<Initializer>, "Rows of the list of initialisers.");
    list("optimizers", entries<OptimizerKind>, "Rows of the list of optimizers.");
    list("metrics", entries<MetricKind>, "Rows of the list of metrics.");
    list("functions", entries<Function>, "Rows of the list of vector functions.");
    m.def(
        "largest_error", [](std::string_view function) { return largest_error(parse<Function>(function)); },
        py::arg("function"), "The function's largest error in ULP over all float32 inputs.");
    m.def(
        "larger_is_better",
        [](std::string_view metric) { return larger_is_better(parse<MetricKind>(metric)); },
        py::arg("metric"), "Whether larger values of the metric are better.");
    m.def(
        "target_range",
        [](std::string_view loss) {
            constexpr const char* names[] = {"any", "unit", "sign", "nonnegative", "positive"};
            return names[static_cast<int>(target_range(parse<LossKind>(loss)))];
        },
        py::arg("loss"),
        "The targets that the loss is defined for: any, unit ([0,1]), sign (-1 and 1), nonnegative or "
        "positive.");
    m.def(
        "output_kind",
        [](std::string_view loss) {
            constexpr const char* names[] = {"value",           "probability", "logit",   "class_logits",
                                             "log_probability", "log_mean",    "moments", "quantiles"};
            return names[static_cast<int>(output_kind(parse<LossKind>(loss)))];
        },
        py::arg("loss"),
        "Kind of its predictions: value, probability, logit, class_logits, log_probability, log_mean, "
        "moments or quantiles.");
}
