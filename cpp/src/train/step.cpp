// One update: every batch's gradients, what is added to them, and the report of the first number that is not finite.
#include "train/step.hpp"

#include <cmlp/ops/flat.hpp>

#include <cmath>
#include <numeric>

#include "network/parts.hpp"
#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {
namespace {

std::string text_of(double number) {
    std::string text;
    detail::MessagePart(number).append_to(text);
    return text;
}

template <class T>
[[noreturn]] void fail_gradient(const Network<T>& network, Index step) {
    for (const auto& p : network.parameters())
        if (ops::first_nonfinite<T>(p.grad) >= 0)
            fail_non_finite("the gradient of '" + p.name + "'", step, "the loss is finite");
    fail_non_finite("the norm of the gradient", step, "each element is finite");
}

template <class T>
double row_weight(const Data<T>& rows) {
    if (rows.weight.empty()) return double(rows.rows());
    return std::accumulate(rows.weight.begin(), rows.weight.end(), 0.0);
}

// The weights of linear maps among the parameters that the optimizer moves.
template <class T>
std::vector<size_t> linear_weights(const Network<T>& network, const Optimizer<T>& optimizer) {
    const auto moved = [&](const T* at) {
        for (const auto& group : optimizer.groups())
            for (const auto& segment : group.segments)
                if (at >= segment.value.data() && at < segment.value.data() + segment.value.size())
                    return true;
        return false;
    };
    std::vector<size_t> found;
    for (size_t i = 0; i < network.parameters().size(); ++i) {
        const auto& parameter = network.parameters()[i];
        if (parameter.spec.transposed && moved(parameter.value.data())) found.push_back(i);
    }
    return found;
}

}  // namespace

void fail_non_finite(std::string_view what, Index step, std::string_view where) {
    throw NonFiniteError(std::string(what) + " is not finite at step " + std::to_string(step) + "; " +
                         std::string(where) + "; the weights are those before this step");
}

template <class T>
std::string first_nonfinite_output(const Network<T>& network) {
    const auto outputs = network.outputs(0, network.layer_count());
    for (size_t i = 0; i < outputs.size(); ++i)
        if (ops::first_nonfinite<T>(outputs[i]) >= 0)
            return (i == 0 ? std::string("the input")
                           : "the output of layer '" + network.layers()[i - 1].name + "'") +
                   " is the first that is not";
    return "the outputs of all layers are";
}

void check_limit(const char* name, double value, std::string_view what) {
    require(value >= 0, what, ": ", name, " is ", value, ", it must be at least 0");  // a NaN is not
}

void check_factor(const char* name, double value, std::string_view what) {
    check_limit(name, value, what);
    require(std::isfinite(value), what, ": ", name, " is ", value, ", it must be finite");
}

void check_step_options(const StepOptions& options, std::string_view what) {
    check_limit("clip_grad_norm", options.clip_grad_norm, what);
    check_limit("clip_grad_value", options.clip_grad_value, what);
    check_limit("max_norm", options.max_norm, what);
    check_factor("l1", options.l1, what);
    check_factor("l2", options.l2, what);
}

template <class T>
Step<T>::Step(Network<T>& network, const Loss& loss, Optimizer<T>& optimizer, const StepOptions& options,
              LossResult<T>& result)
    : network_(network),
      parts_(detail::Passes<T>::of(network)),
      loss_(loss),
      optimizer_(optimizer),
      options_(options),
      result_(result),
      mean_(loss.reduction() != Reduction::sum) {
    require(loss.reduction() != Reduction::none,
            "train_step: the loss has reduction 'none'; choose mean or sum");
    optimizer.expect_other_weights();
    if (options.l1 > 0 || options.l2 > 0 || options.max_norm > 0)
        weights_ = linear_weights(network, optimizer);
}

// Loss and gradient; of a mixed batch share * L(y, first) + (1 - share) * L(y, second) (Zhang et al., ICLR 2018).
template <class T>
void Step<T>::evaluate(const Batch<T>& batch) {
    parts_.workspace.name_rows(batch.data.name);
    const MatrixView<const T> y = detail::Passes<T>::forward(
        parts_, batch.data.x, 0, parts_.model.structure.count(), parts_.model.training);
    loss_.evaluate_checked<T>(y, batch.data.target, batch.data.weight, true, result_);
    if (batch.mixed()) {
        loss_.evaluate_checked<T>(y, batch.second, batch.second_weight, true, second_);
        const double other = 1 - batch.share;
        result_.total = batch.share * result_.total + other * second_.total;
        result_.weight = batch.share * result_.weight + other * second_.weight;
        auto gradient = result_.gradient.view();
        gradient *= static_cast<T>(batch.share);
        gradient += static_cast<T>(other) * second_.gradient.view();
    }
    if (!std::isfinite(result_.total))
        fail_non_finite("the loss", number(), first_nonfinite_output(network_));
}

template <class T>
void Step<T>::add(const Batch<T>& batch, bool several) {
    several_ = several_ || several;
    evaluate(batch);
    const double share = mean_ ? result_.weight : 1;
    if (several_ && mean_) result_.gradient.view() *= static_cast<T>(share);
    detail::Passes<T>::backward(parts_, result_.gradient.view(), 0, parts_.model.structure.count(), begun_,
                                false);
    sum_ += several_ ? result_.total * share : result_.total;
    weight_ += share;
    if (options_.penalty_per_row) rows_ += row_weight(batch.data);
    begun_ = true;
}

template <class T>
double Step<T>::penalty() {
    const double factor = options_.penalty_per_row ? inverse_weight(rows_) : 1;
    double total = 0;
    if (options_.l1 > 0 || options_.l2 > 0)
        for (const size_t i : weights_) {
            const auto& parameter = network_.parameters()[i];
            total +=
                add_penalty<T>(parameter.value, parameter.grad, factor * options_.l1, factor * options_.l2);
        }
    return total;
}

// Whether the clipped gradients are small, as the optimizer has it; throws where one is not finite.
template <class T>
bool Step<T>::clip() {
    const std::span<T> grads = parts_.model.parameters.grads();
    const auto are_small = [&] { return ops::is_within<T>(grads, Optimizer<T>::small_gradient); };
    const bool small = are_small(), clips = options_.clip_grad_norm > 0 || options_.clip_grad_value > 0;
    if (!small && ops::first_nonfinite<T>({grads.data(), 1, std::ssize(grads)}) >= 0)
        fail_gradient(network_, number());
    if (options_.clip_grad_norm > 0) {
        const double norm = std::sqrt(ops::squared_norm<T>(grads));
        if (!std::isfinite(norm)) fail_gradient(network_, number());
        if (norm > options_.clip_grad_norm)
            ops::scale<T>(grads, static_cast<T>(options_.clip_grad_norm / (norm + 1e-6)));
    }
    if (options_.clip_grad_value > 0) clip_value<T>({&grads, 1}, options_.clip_grad_value);
    return small || (clips && are_small());
}

template <class T>
typename Step<T>::Value Step<T>::update() {
    double loss = sum_;
    if (several_ && mean_) {
        const double factor = inverse_weight(weight_);
        ops::scale<T>(network_.grads(), static_cast<T>(factor));
        loss *= factor;
    }
    const Value value{loss + penalty(), mean_ ? weight_ : 1};
    if (!optimizer_.try_step(clip()))
        fail_non_finite("a weight after the update by " + std::string(name(optimizer_.kind())), number(),
                        "the gradient is finite, lr is " + text_of(optimizer_.setting("lr")));
    if (options_.max_norm > 0)
        for (const size_t i : weights_) limit_columns<T>(network_.parameters()[i].value, options_.max_norm);
    sum_ = weight_ = rows_ = 0;
    begun_ = several_ = false;
    return value;
}

template std::string first_nonfinite_output<float>(const Network<float>&);
template std::string first_nonfinite_output<double>(const Network<double>&);
template class Step<float>;
template class Step<double>;

}  // namespace cmlp::inline v0_1
