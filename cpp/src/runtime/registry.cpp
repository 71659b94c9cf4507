// The tables behind registry.hpp, expanded from the .def files.
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/registry.hpp>

#include <charconv>
#include <cmath>
#include <iterator>

namespace cmlp::inline v0_1 {
namespace {

constexpr Row activation_rows[] = {
#define CMLP_ACTIVATION(name, type, parameters, definition, initializer, source) \
    {#name, #type, parameters, definition, source},
#include <cmlp/lists/activations.def>
};
constexpr Initializer activation_initializers[] = {
#define CMLP_ACTIVATION(name, type, parameters, definition, initializer, source) Initializer::initializer,
#include <cmlp/lists/activations.def>
};
constexpr Row loss_rows[] = {
#define CMLP_LOSS(name, type, parameters, output, targets, definition, source) \
    {#name, #type, parameters, definition, source},
#include <cmlp/lists/losses.def>
};
constexpr OutputKind loss_outputs[] = {
#define CMLP_LOSS(name, type, parameters, output, ...) OutputKind::output,
#include <cmlp/lists/losses.def>
};
constexpr TargetRange loss_targets[] = {
#define CMLP_LOSS(name, type, parameters, output, targets, ...) TargetRange::targets,
#include <cmlp/lists/losses.def>
};
constexpr Row metric_rows[] = {
#define CMLP_METRIC(name, better, definition) {#name, "", "", definition, ""},
#include <cmlp/lists/metrics.def>
};
enum class Better { min, max };
constexpr Better metric_better[] = {
#define CMLP_METRIC(name, better, definition) Better::better,
#include <cmlp/lists/metrics.def>
};
constexpr Row initializer_rows[] = {
#define CMLP_INITIALIZER(name, parameters, definition, source) {#name, "", parameters, definition, source},
#include <cmlp/lists/initializers.def>
};
constexpr Row optimizer_rows[] = {
#define CMLP_OPTIMIZER(name, type, parameters, definition, source) \
    {#name, #type, parameters, definition, source},
#include <cmlp/lists/optimizers.def>
};
constexpr Row function_rows[] = {
#define CMLP_FUNCTION(name, definition, ...) {#name, "", "", definition, ""},
#include <cmlp/lists/functions.def>
};

constexpr double function_errors[] = {
#define CMLP_FUNCTION(name, definition, error) error,
#include <cmlp/lists/functions.def>
};

// "alpha=1, beta=0.5[0,1)" -> {{"alpha", 1, ""}, {"beta", 0.5, "[0,1)"}}
std::vector<ParameterRow> parse_parameters(std::string_view text) {
    std::vector<ParameterRow> result;
    while (!text.empty()) {
        const size_t end = std::min(text.find(", "), text.size());
        const std::string_view item = text.substr(0, end);
        const size_t equals = item.find('=');
        double value = 0;
        const char* rest = std::from_chars(item.data() + equals + 1, item.data() + item.size(), value).ptr;
        result.push_back({std::string(item.substr(0, equals)), value, {rest, item.data() + item.size()}});
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return result;
}

std::string join(const auto& items, auto&& name_of) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + std::string(name_of(item));
    return text;
}

}  // namespace

bool ParameterRow::allows(double x, const Settings& others) const {
    if (std::isnan(x)) return false;
    if (range.empty()) return true;
    const auto end = [&](size_t from, size_t to) {  // a number, or a parameter's name
        double value = 0;
        const std::from_chars_result read = std::from_chars(range.data() + from, range.data() + to, value);
        return read.ec == std::errc() ? value : others.at(range.substr(from, to - from));
    };
    if (range.front() == '{') {  // "{1,2}": these alone
        for (size_t at = 0; at != std::string::npos; at = range.find(',', at + 1)) {
            double listed = 0;
            std::from_chars(range.data() + at + 1, range.data() + range.size(), listed);
            if (x == listed) return true;
        }
        return false;
    }
    const size_t comma = range.find(',');
    const double low = end(1, comma), high = end(comma + 1, range.size() - 1);
    return (range.front() == '[' ? low <= x : low < x) && (range.back() == ']' ? x <= high : x < high);
}

template <>
std::string_view kind_name<Activation>() {
    return "activation";
}
template <>
std::string_view kind_name<LossKind>() {
    return "loss";
}
template <>
std::string_view kind_name<Initializer>() {
    return "initializer";
}
template <>
std::string_view kind_name<OptimizerKind>() {
    return "optimizer";
}
template <>
std::string_view kind_name<MetricKind>() {
    return "metric";
}
template <>
std::string_view kind_name<Function>() {
    return "function";
}

template <>
std::span<const Row> rows<Activation>() {
    return activation_rows;
}
template <>
std::span<const Row> rows<LossKind>() {
    return loss_rows;
}
template <>
std::span<const Row> rows<Initializer>() {
    return initializer_rows;
}
template <>
std::span<const Row> rows<OptimizerKind>() {
    return optimizer_rows;
}
template <>
std::span<const Row> rows<MetricKind>() {
    return metric_rows;
}
template <>
std::span<const Row> rows<Function>() {
    return function_rows;
}

template <class E>
const std::vector<ParameterRow>& parameters(E entry) {
    static const auto& table = *[] {  // never destroyed: threads may still train while a process ends
        auto* all = new std::vector<std::vector<ParameterRow>>;
        for (const Row& row : rows<E>()) all->push_back(parse_parameters(row.parameters));
        return all;
    }();
    return table[static_cast<size_t>(entry)];
}

template <class E>
E parse(std::string_view text) {
    const auto list = rows<E>();
    for (size_t i = 0; i < list.size(); ++i)
        if (list[i].name == text) return static_cast<E>(i);
    fail("unknown ", kind_name<E>(), " '", text, "'; choose from ",
         join(list, [](const Row& r) { return r.name; }));
}

template <class E>
void require_allowed(E entry, const ParameterRow& parameter, double value, const Settings& others) {
    const Row& row = cmlp::row(entry);
    require(parameter.allows(value, others), row.type.empty() ? row.name : row.type, ": ", parameter.name,
            " is ", value, ", it must be ", parameter.range.empty() ? "a number" : "in " + parameter.range);
}

template <class E>
std::vector<double> resolve(E entry, const Settings& settings) {
    const auto& known = parameters(entry);
    std::vector<double> values;
    Settings before;
    size_t used = 0;
    for (const ParameterRow& parameter : known) {
        const auto found = settings.find(parameter.name);
        used += found != settings.end();
        values.push_back(found == settings.end() ? parameter.value : found->second);
        require_allowed(entry, parameter, values.back(), before);
        before[parameter.name] = values.back();
    }
    if (used == settings.size()) return values;
    for (const auto& [name, value] : settings)
        for (size_t i = 0;; ++i) {
            require(i < known.size(), kind_name<E>(), " '", row(entry).name, "' has no parameter '", name,
                    "'; it takes: ", join(known, [](const ParameterRow& p) { return p.name; }));
            if (known[i].name == name) break;
        }
    return values;
}

#define CMLP_LIST(E)                                                                   \
    template const std::vector<ParameterRow>& parameters<E>(E entry);                  \
    template E parse<E>(std::string_view text);                                        \
    template void require_allowed<E>(E, const ParameterRow&, double, const Settings&); \
    template std::vector<double> resolve<E>(E entry, const Settings& settings);
CMLP_LIST(Activation)
CMLP_LIST(LossKind)
CMLP_LIST(Initializer)
CMLP_LIST(OptimizerKind)
CMLP_LIST(MetricKind)
CMLP_LIST(Function)
#undef CMLP_LIST

TargetRange target_range(LossKind loss) { return loss_targets[static_cast<size_t>(loss)]; }
OutputKind output_kind(LossKind loss) { return loss_outputs[static_cast<size_t>(loss)]; }

bool larger_is_better(MetricKind metric) { return metric_better[static_cast<size_t>(metric)] == Better::max; }

double largest_error(Function function) { return function_errors[static_cast<size_t>(function)]; }

Initializer initializer_for(Activation next) { return activation_initializers[static_cast<size_t>(next)]; }

}  // namespace cmlp::inline v0_1
