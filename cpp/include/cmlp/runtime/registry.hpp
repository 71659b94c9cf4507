// The lists as enums with names: what exists, what it is called, which parameters it takes. Expanded from the
// .def files.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

enum class Activation : int {
#define CMLP_ACTIVATION(name, ...) name,
#include <cmlp/lists/activations.def>
};

enum class LossKind : int {
#define CMLP_LOSS(name, ...) name,
#include <cmlp/lists/losses.def>
};

enum class Initializer : int {
#define CMLP_INITIALIZER(name, ...) name,
#include <cmlp/lists/initializers.def>
};

enum class OptimizerKind : int {
#define CMLP_OPTIMIZER(name, ...) name,
#include <cmlp/lists/optimizers.def>
};

enum class MetricKind : int {
#define CMLP_METRIC(name, ...) name,
#include <cmlp/lists/metrics.def>
};

enum class Function : int {
#define CMLP_FUNCTION(name, ...) name,
#include <cmlp/lists/functions.def>
};

/// What a network trained with a loss puts out: a value, P(1), log-odds of 1, unnormalised log P of each
/// class, log P of each class, the log of a mean, means and then their variances, or each target's quantiles
/// side by side.
enum class OutputKind {
    value,
    probability,
    logit,
    class_logits,
    log_probability,
    log_mean,
    moments,
    quantiles
};

/// The targets that a loss is defined for: any number, [0,1], -1 and 1, from 0 on, above 0.
enum class TargetRange { any, unit, sign, nonnegative, positive };

/// One row of a list as its users see it.
struct Row {
    std::string_view name;  ///< as in Python and in files
    std::string_view type;  ///< the Python class, as PyTorch spells it ("" where there is none)
    std::string_view
        parameters;  ///< "alpha=1, beta=0.5[0,1)": defaults, and ranges where not every number will do
    std::string_view definition;  ///< the formula
    std::string_view source;      ///< the paper, "" for common knowledge
};

/// Settings by name, as callers write them: {"negative_slope", 0.2}.
using Settings = std::map<std::string, double, std::less<>>;

/// A named number an entry takes, with its default and its range.
struct ParameterRow {
    std::string name;
    double value;
    std::string
        range;  ///< "[0,1)", "[min_val,inf]": closed and open ends; "{1,2}": these; "": any number but NaN

    /// Whether x lies in the range; `others` has the values of the parameters that its ends name.
    bool allows(double x, const Settings& others = {}) const;
};

/// What a list is called in messages: "activation", "loss" ...
template <class E>
std::string_view kind_name();

/// All rows of a list in enum order.
template <class E>
std::span<const Row> rows();

/// The parameters of one entry in the order its kernel reads them.
template <class E>
const std::vector<ParameterRow>& parameters(E entry);

/// The row of one entry.
template <class E>
const Row& row(E entry) {
    return rows<E>()[static_cast<size_t>(entry)];
}

/// The name of one entry.
template <class E>
std::string_view name(E entry) {
    return row(entry).name;
}

/// The entry with that name; throws std::invalid_argument listing the valid names.
template <class E>
E parse(std::string_view text);

/// Throws std::invalid_argument naming the entry, the parameter and its range unless the value lies in it.
template <class E>
void require_allowed(E entry, const ParameterRow& parameter, double value, const Settings& others = {});

/// The entry's defaults overlaid with settings, in the kernel's order; throws on a name the entry does not take and on
/// a value outside its range.
template <class E>
std::vector<double> resolve(E entry, const Settings& settings = {});

/// The settings that resolve(entry, ...) turned into those values.
template <class E>
Settings named_settings(E entry, const std::vector<double>& values) {
    Settings settings;
    const auto& known = parameters(entry);
    for (size_t i = 0; i < known.size() && i < values.size(); ++i) settings[known[i].name] = values[i];
    return settings;
}

/// What the loss's predictions are.
OutputKind output_kind(LossKind loss);

/// The targets it is defined for, whatever its settings.
TargetRange target_range(LossKind loss);

/// Whether larger values of the metric are better.
bool larger_is_better(MetricKind metric);

/// The largest error of the function in units of the last place, over all float32 inputs.
double largest_error(Function function);

/// The initialiser that keeps the variance through a layer followed by this activation ("auto").
Initializer initializer_for(Activation next);

}  // namespace cmlp::inline v0_1
