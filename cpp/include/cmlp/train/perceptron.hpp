// The perceptron y = phi(w.x + b), phi the sign: one neuron, the rules by which it learns, and the log.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/registry.hpp>
#include <cmlp/runtime/seed.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

enum class PerceptronRule : int {
#define CMLP_PERCEPTRON_RULE(name, ...) name,
#include <cmlp/lists/perceptron_rules.def>
};

template <>
std::string_view kind_name<PerceptronRule>();
template <>
std::span<const Row> rows<PerceptronRule>();
template <>
PerceptronRule parse<PerceptronRule>(std::string_view text);

/// The rule's learning rate unless another is given.
double default_learning_rate(PerceptronRule rule);

/// A linear function z = w.x + b and its sign.
struct Neuron {
    std::vector<double> weights;  // (features)
    double bias = 0;

    /// z for one row of as many features; summed from the bias on, in the order of the features.
    double output(const double* x) const;
    /// Moves the line: w += step * x, b += step.
    void move(double step, const double* x);
    bool is_finite() const;
};

/// Which steps of the way the log keeps.
enum class PathOf : int { none, epoch, update };

struct PerceptronOptions {
    PerceptronRule rule = PerceptronRule::rosenblatt;
    std::optional<double> learning_rate = {};  // the rule's own when empty
    Index epochs = 100;                        // at most
    bool shuffle = false;                      // a new order of the rows in each epoch
    Seed seed = 0;
    double tolerance = 1e-6;  // adaline ends when an epoch changes the squared error by less
    PathOf path = PathOf::none;
};

/// What happened while a perceptron learned.
struct PerceptronLog {
    std::vector<Index> mistakes;        // rows with the wrong sign, one number per epoch
    std::vector<double> squared_error;  // mean of (t - z)^2 of the rows at their turns, one per epoch
    std::vector<double> path;           // (steps, features + 1): weights and bias, from the start on
    Index mistakes_left = 0;            // rows the learned weights get wrong
    bool converged = false;             // the rule came to its own end
    std::string shortfall;              // why it did not, for people to read; else empty
    bool diverged = false;              // the numbers overflowed: the weights are those of the epoch before
    bool interrupted = false;           // by the caller
    Index epochs() const { return static_cast<Index>(mistakes.size()); }
};

/// One neuron that learns to separate two classes; all arithmetic in double precision.
class Perceptron {
public:
    /// Throws std::invalid_argument for a learning rate, a number of epochs or a tolerance that cannot be.
    explicit Perceptron(const PerceptronOptions& options = {});

    /// Learns targets of -1 and +1 from zero weights; `stop` is called now and then and ends training if it
    /// returns true.
    /// Throws std::invalid_argument for no rows, other targets, one class, or a value that is not finite.
    const PerceptronLog& fit(MatrixView<const double> x, std::span<const double> targets,
                             const std::function<bool()>& stop = {});

    /// z of each row; throws std::invalid_argument for a wrong shape or a value that is not finite.
    void decision_function(MatrixView<const double> x, std::span<double> z) const;

    const PerceptronOptions& options() const { return options_; }
    const Neuron& neuron() const { return neuron_; }
    const PerceptronLog& log() const { return log_; }

private:
    PerceptronOptions options_;
    Neuron neuron_;
    PerceptronLog log_;
};

/// w.x + b of each row, for weights learned elsewhere; throws std::invalid_argument as the member does.
void decision_function(const Neuron& neuron, MatrixView<const double> x, std::span<double> z);

}  // namespace cmlp::inline v0_1
