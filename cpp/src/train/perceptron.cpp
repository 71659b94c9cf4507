// The perceptron: the loop over epochs and rows that all rules share, its checks and its log.
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/rng.hpp>
#include <cmlp/train/perceptron.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "train/perceptron_rules.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Row rule_rows[] = {
#define CMLP_PERCEPTRON_RULE(name, learning_rate, definition, source) \
    {#name, "", "learning_rate=" #learning_rate, definition, source},
#include <cmlp/lists/perceptron_rules.def>
};
constexpr double rule_learning_rates[] = {
#define CMLP_PERCEPTRON_RULE(name, learning_rate, ...) learning_rate,
#include <cmlp/lists/perceptron_rules.def>
};

void keep_step(PerceptronLog& log, const Neuron& neuron) {
    log.path.insert(log.path.end(), neuron.weights.begin(), neuron.weights.end());
    log.path.push_back(neuron.bias);
}

enum class Epoch { complete, diverged, interrupted };

// Processes every row once; only a complete epoch is logged.
template <class Rule>
Epoch learn_epoch(Rule& rule, Neuron& neuron, const Lesson& lesson, PerceptronLog& log,
                  const std::function<bool()>& stop) {
    constexpr Index rows_between_questions = 256;
    Index mistakes = 0, rows = 0;
    double squared_error = 0;
    for (const Index i : lesson.order) {
        const double target = lesson.target(i), z = neuron.output(lesson.row(i));
        if (!std::isfinite(z)) return Epoch::diverged;
        mistakes += is_mistake(target, z);
        squared_error += (target - z) * (target - z);
        if (const double step = rule.step(target, z); step != 0) {
            rule.before_move(neuron);
            neuron.move(lesson.learning_rate * step, lesson.row(i));
            rule.after_move(neuron, lesson);
            if (lesson.options.path == PathOf::update) keep_step(log, neuron);
        }
        rule.after_row();
        if (++rows % rows_between_questions == 0 && stop && stop()) return Epoch::interrupted;
    }
    if (!neuron.is_finite()) return Epoch::diverged;
    log.mistakes.push_back(mistakes);
    log.squared_error.push_back(squared_error / static_cast<double>(rows));
    return stop && stop() ? Epoch::interrupted : Epoch::complete;
}

template <class Rule>
std::string shortfall(const PerceptronLog& log) {
    const std::string epochs = std::to_string(log.epochs());
    if (log.converged) return "";
    if (log.interrupted) return "learning was interrupted after " + epochs + " epochs";
    if (log.diverged)
        return "the numbers overflowed after " + epochs +
               " epochs, the weights before were kept: choose a smaller learning_rate or scale X";
    return "not converged after " + epochs + " epochs: " + Rule::unfinished(log);
}

template <class Rule>
Neuron learn(Lesson& lesson, PerceptronLog& log, const std::function<bool()>& stop) {
    Rule rule;
    Neuron neuron{std::vector<double>(static_cast<size_t>(lesson.x.cols())), 0};
    rule.after_move(neuron, lesson);  // the start is a candidate too
    if (lesson.options.path != PathOf::none) keep_step(log, neuron);
    while (log.epochs() < lesson.options.epochs && !log.converged) {
        const Neuron before = neuron;
        if (lesson.options.shuffle)
            permute(lesson.order, lesson.options.seed, static_cast<uint64_t>(log.epochs()));
        const Epoch epoch = learn_epoch(rule, neuron, lesson, log, stop);
        log.diverged = epoch == Epoch::diverged;
        log.interrupted = epoch == Epoch::interrupted;
        if (log.diverged) neuron = before;
        if (epoch != Epoch::complete) break;
        if (lesson.options.path == PathOf::epoch) keep_step(log, neuron);
        log.converged = rule.at_end(log, lesson.options.tolerance);
    }
    log.shortfall = shortfall<Rule>(log);
    const Neuron chosen = rule.chosen(neuron);
    return chosen.is_finite() ? chosen : neuron;
}

void check_finite(MatrixView<const double> x, const char* function) {
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j)
            require(std::isfinite(x(i, j)), function, ": X has ", x(i, j), " at row ", i, ", column ", j);
}

void check_lesson(MatrixView<const double> x, std::span<const double> targets) {
    const Index rows = static_cast<Index>(targets.size());
    require(x.rows() == rows, "Perceptron.fit: X has ", x.rows(), " rows, y has ", rows);
    require(!x.empty(), "Perceptron.fit: X is ", x.rows(), "x", x.cols(), ", there is nothing to learn from");
    check_finite(x, "Perceptron.fit");
    for (Index i = 0; i < rows; ++i) {
        const double target = targets[static_cast<size_t>(i)];
        require(target == -1 || target == 1, "Perceptron.fit: target ", target, " at row ", i,
                ", it must be -1 or 1");
    }
    require(std::ranges::count(targets, targets[0]) < rows, "Perceptron.fit: y has one class, ", targets[0],
            "; a perceptron needs two");
}

}  // namespace

template <>
std::string_view kind_name<PerceptronRule>() {
    return "perceptron rule";
}
template <>
std::span<const Row> rows<PerceptronRule>() {
    return rule_rows;
}
template <>
PerceptronRule parse<PerceptronRule>(std::string_view text) {
    std::string names;
    for (size_t i = 0; i < std::size(rule_rows); ++i) {
        if (rule_rows[i].name == text) return static_cast<PerceptronRule>(i);
        names.append(i ? ", " : "").append(rule_rows[i].name);
    }
    fail("unknown perceptron rule '", text, "'; choose from ", names);
}

double default_learning_rate(PerceptronRule rule) { return rule_learning_rates[static_cast<size_t>(rule)]; }

double Neuron::output(const double* x) const {
    double z = bias;
    for (size_t j = 0; j < weights.size(); ++j) z += weights[j] * x[j];
    return z;
}

void Neuron::move(double step, const double* x) {
    for (size_t j = 0; j < weights.size(); ++j) weights[j] += step * x[j];
    bias += step;
}

bool Neuron::is_finite() const {
    return std::isfinite(bias) && std::ranges::all_of(weights, [](double w) { return std::isfinite(w); });
}

Perceptron::Perceptron(const PerceptronOptions& options) : options_(options) {
    const double learning_rate = options.learning_rate.value_or(1), tolerance = options.tolerance;
    require(std::isfinite(learning_rate) && learning_rate > 0, "Perceptron: learning_rate is ", learning_rate,
            ", it must be positive");
    require(options.epochs >= 1, "Perceptron: epochs is ", options.epochs, ", it must be at least 1");
    require(tolerance >= 0, "Perceptron: tolerance is ", tolerance, ", it must not be negative");
}

const PerceptronLog& Perceptron::fit(MatrixView<const double> x, std::span<const double> targets,
                                     const std::function<bool()>& stop) {
    check_lesson(x, targets);
    const double learning_rate = options_.learning_rate.value_or(default_learning_rate(options_.rule));
    Lesson lesson{x, targets, options_, learning_rate, std::vector<Index>(targets.size())};
    std::iota(lesson.order.begin(), lesson.order.end(), Index{0});
    PerceptronLog log;
    switch (options_.rule) {
#define CMLP_PERCEPTRON_RULE(name, ...)                  \
    case PerceptronRule::name:                           \
        neuron_ = learn<rules::name>(lesson, log, stop); \
        break;
#include <cmlp/lists/perceptron_rules.def>
    }
    log.mistakes_left = count_mistakes(neuron_, lesson, x.rows());
    log_ = std::move(log);
    return log_;
}

void Perceptron::decision_function(MatrixView<const double> x, std::span<double> z) const {
    cmlp::decision_function(neuron_, x, z);
}

void decision_function(const Neuron& neuron, MatrixView<const double> x, std::span<double> z) {
    const Index features = static_cast<Index>(neuron.weights.size());
    require(x.cols() == features, "Perceptron.decision_function: X has ", x.cols(),
            " columns, the perceptron expects ", features);
    require(static_cast<Index>(z.size()) == x.rows(), "Perceptron.decision_function: z has ", z.size(),
            " values, X has ", x.rows(), " rows");
    check_finite(x, "Perceptron.decision_function");
    for (Index i = 0; i < x.rows(); ++i)
        z[static_cast<size_t>(i)] = neuron.output(x.data() + i * x.row_stride());
}

}  // namespace cmlp::inline v0_1
