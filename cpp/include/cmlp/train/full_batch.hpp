// Rules that see all rows at once and may look at them several times in an epoch: L-BFGS, Levenberg-Marquardt.
#pragma once

#include <cmlp/optim/lbfgs.hpp>
#include <cmlp/train/trainer.hpp>

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

/// Parameters as one vector in double, without the padding of rows. Borrowed.
template <class T>
class ParameterVector {
public:
    /// Throws std::invalid_argument when there are none; `what` begins the message.
    ParameterVector(std::vector<Parameter<T>> parameters, std::string_view what);

    Index size() const { return size_; }
    std::vector<double> values() const;
    /// Rounds x into the parameters.
    void place(std::span<const double> x) const;
    void gradient(std::span<double> g) const;
    /// l2 / 2 * sum of w^2 over the weights of linear layers among them; adds l2 * w to their gradients.
    double add_penalty(double l2) const;
    /// Whether all lie in that buffer.
    bool is_over(std::span<const T> values) const;

private:
    std::vector<Parameter<T>> parameters_;
    Index size_ = 0;
};

/// The rows of a fit, as its rule sees them for one epoch.
template <class T>
struct FullBatch {
    Network<T>& network;
    const Data<T>& data;
    const Loss& loss;
    const ParameterVector<T>& parameters;
    double l2;              ///< with it the loss has parameters.add_penalty(l2)
    LossResult<T>& result;  ///< of the last value(): weight is that of all rows, the rest of some of them
    Index number;           ///< of the step, from 1, for messages
    /// Called before the pass of each block, to draw the same random numbers in every pass of an epoch.
    std::function<void(Index)> begin_block;
    std::function<void(const Data<T>&)> measure;  ///< called after the forward pass of each block
    std::function<void(double)> add_value;        ///< called with each value; may throw
    std::function<void()> poll;                   ///< to be called now and then; may throw
    std::function<bool()> in_time;                ///< false: the epoch should end where it is

    /// The loss of all rows at the weights as they are, with its gradient in the network.
    double value_and_gradient();
    /// The loss alone, without penalty.
    double value();
    /// Blocks of rows that a pass takes one after the other, so that its memory does not grow with them: one for a
    /// network that takes statistics of the batch.
    Index blocks() const;
    /// Throws NonFiniteError of that number, naming the first layer whose last output is not finite.
    [[noreturn]] void fail_non_finite(std::string_view what = "the loss or its gradient") const;

private:
    double pass(bool gradient);
};

/// One rule over some parameters of a network, with what it remembers from epoch to epoch.
template <class T>
class FullBatchRule {
public:
    virtual ~FullBatchRule() = default;

    virtual std::string_view name() const = 0;
    /// What the record of an epoch shows.
    virtual double lr() const = 0;
    /// Throws std::invalid_argument unless the rule can train this network on this loss.
    virtual void check(const Network<T>&, const Loss&) const {}
    /// Whether it follows an L2 penalty beside the loss.
    virtual bool takes_l2() const { return false; }
    /// From the weights as they are to better ones, by an exception to the best so far.
    virtual void epoch(FullBatch<T>& rows) = 0;
    /// Whether the last epoch ended at a minimum.
    bool converged() const { return converged_; }
    const ParameterVector<T>& parameters() const { return parameters_; }

protected:
    explicit FullBatchRule(ParameterVector<T> parameters) : parameters_(std::move(parameters)) {}

    ParameterVector<T> parameters_;
    bool converged_ = false;
};

/// An epoch is one Lbfgs::step: up to max_iter iterations.
template <class T>
class LbfgsRule : public FullBatchRule<T> {
public:
    explicit LbfgsRule(std::vector<Parameter<T>> parameters)
        : FullBatchRule<T>({std::move(parameters), "LBFGS"}) {}

    std::string_view name() const override { return "LBFGS"; }
    double lr() const override { return limits.lr; }
    void check(const Network<T>&, const Loss&) const override;
    bool takes_l2() const override { return true; }
    void epoch(FullBatch<T>& rows) override;

    Lbfgs rule;
    Lbfgs::Limits limits;
};

/// Gauss-Newton steps with damping for the mean or sum of squared errors; an epoch is one accepted step.
template <class T>
class LevenbergMarquardtRule : public FullBatchRule<T> {
public:
    /// What a step may do and when it ends.
    struct Settings {
        double damping = 1e-3;  ///< the current value, from which a fit continues
        double factor = 10, max_damping = 1e10, tolerance_grad = 1e-10;
    };
    /// More parameters than that are refused: time and memory grow with their cube and their square.
    static constexpr Index max_parameters = 2000;

    explicit LevenbergMarquardtRule(std::vector<Parameter<T>> parameters);

    std::string_view name() const override { return "LevenbergMarquardt"; }
    double lr() const override { return 1; }
    void check(const Network<T>&, const Loss&) const override;
    void epoch(FullBatch<T>& rows) override;

    Settings settings;

private:
    void linearize(FullBatch<T>& rows);
    bool solve(std::vector<double>& step) const;

    Matrix<double> curvature_;  // (parameters, parameters) J^T W J
    Matrix<double> slope_;      // (parameters, 1) J^T W (y - t)
};

/// As fit with an Optimizer; options.batch_size must not be less than the rows, and what is done to the gradients of a
/// step (clipping ...) and schedules of settings are refused.
template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, FullBatchRule<T>& rule,
         const FitOptions& options, FitReport& report, const Data<T>* validation = nullptr,
         const Hooks& hooks = {}, Execution execution = {});
template <class T>
FitReport fit(Network<T>& network, const Data<T>& data, const Loss& loss, FullBatchRule<T>& rule,
              const FitOptions& options = {}, const std::type_identity_t<Data<T>>* validation = nullptr,
              const Hooks& hooks = {}, Execution execution = {}) {
    FitReport report;
    fit<T>(network, data, loss, rule, options, report, validation, hooks, execution);
    return report;
}
template <class T>
FitReport fit(Network<T>& network, const Data<T>& data, const Loss& loss, FullBatchRule<T>& rule,
              const FitOptions& options, Execution execution) {
    return fit<T>(network, data, loss, rule, options, nullptr, {}, execution);
}

}  // namespace cmlp::inline v0_1
