// One training step, evaluation, and the checks of data before either.
#include <cmlp/flat.hpp>
#include <cmlp/trainer.hpp>

#include <algorithm>
#include <cmath>

#include "ops.hpp"

namespace cmlp {
namespace {

constexpr Index evaluate_rows = 1024;

template <class T>
[[noreturn]] void fail_non_finite(const Network<T>& network, const std::string& what,
                                  const std::string& where) {
    throw NonFiniteError(what + " is not finite at step " + std::to_string(network.step()) + "; " + where +
                         "; the weights are those before this step");
}

template <class T>
[[noreturn]] void fail_loss(const Network<T>& network) {
    const auto outputs = network.outputs(0, network.size());
    for (size_t i = 0; i < outputs.size(); ++i)
        if (ops::first_nonfinite<T>(outputs[i]) >= 0)
            fail_non_finite(network, "the loss",
                            (i == 0 ? std::string("the input")
                                    : "the output of layer '" + network.layers()[i - 1].name + "'") +
                                " is the first that is not");
    fail_non_finite(network, "the loss", "the outputs of all layers are");
}

template <class T>
[[noreturn]] void fail_gradient(const Network<T>& network) {
    for (const auto& p : network.parameters())
        if (ops::first_nonfinite<T>(p.grad) >= 0)
            fail_non_finite(network, "the gradient of '" + p.name + "'", "the loss is finite");
    fail_non_finite(network, "the norm of the gradient", "each element is finite");
}

}  // namespace

template <class T>
Data<T> Data<T>::middle_rows(Index first, Index n) const {
    return {x.middle_rows(first, n), target.middle_rows(first, n),
            weight.empty() ? weight : weight.subspan(static_cast<size_t>(first), static_cast<size_t>(n))};
}

template <class T>
void check_optimizer(const Optimizer<T>& optimizer, const Network<T>& network, std::string_view what) {
    require(optimizer.is_over(network.values()), what,
            ": the optimizer is over parameters of another network");
}

template <class T>
double train_step(Network<T>& network, const Data<T>& batch, const Loss& loss, Optimizer<T>& optimizer,
                  LossResult<T>& result, double clip_grad_norm, double clip_grad_value) {
    require(loss.reduction() != Reduction::none,
            "train_step: the loss has reduction 'none'; choose mean or sum");
    check_optimizer(optimizer, network, "train_step");
    const MatrixView<const T> y = network.forward(batch.x);
    loss.evaluate<T>(y, batch.target, batch.weight, true, result);
    if (!std::isfinite(result.total)) fail_loss(network);
    network.backward(result.gradient.view(), 0, network.size(), false, false);
    const std::span<const T> grads = network.grads();
    if (ops::first_nonfinite<T>({grads.data(), 1, std::ssize(grads)}) >= 0) fail_gradient(network);
    if (clip_grad_norm > 0) {
        const double norm = std::sqrt(ops::squared_norm<T>(grads));
        if (norm > clip_grad_norm)
            ops::scale<T>(network.grads(), static_cast<T>(clip_grad_norm / (norm + 1e-6)));
    }
    if (clip_grad_value > 0) {
        const std::span<T> all = network.grads();
        clip_value<T>({&all, 1}, clip_grad_value);
    }
    optimizer.step();
    return result.total;
}

template <class T>
std::vector<double> evaluate(const Network<T>& network, const Data<T>& data, const Loss& loss,
                             const std::vector<MetricKind>& metrics) {
    std::vector<Metric> sums;
    for (const MetricKind kind : metrics) sums.emplace_back(kind, loss);
    const Reduction reduction =
        loss.reduction() == Reduction::batchmean ? Reduction::batchmean : Reduction::mean;
    const Loss mean(loss.kind(), loss.settings(), reduction, loss.column());
    Matrix<T> y;
    LossResult<T> result;
    double sum = 0, weight = 0;
    for (Index r = 0; r < data.rows(); r += evaluate_rows) {
        const Data<T> part = data.middle_rows(r, std::min(evaluate_rows, data.rows() - r));
        y.resize(part.rows(), network.output_width(data.x.cols(), 0, network.size()));
        network.predict_into(part.x, y);
        mean.evaluate<T>(y, part.target, part.weight, false, result);
        sum += result.total * result.weight;
        weight += result.weight;
        for (Metric& metric : sums) metric.add<T>({y, part.target, part.weight});
    }
    std::vector<double> values{loss.reduction() == Reduction::sum ? sum : sum / weight};
    for (const Metric& metric : sums) values.push_back(metric.result());
    return values;
}

namespace {

template <class T>
void check_finite(MatrixView<const T> values, std::string_view what, const char* name) {
    const Index at = values.empty() ? -1 : ops::first_nonfinite<T>(values);
    if (at < 0) return;
    const Index row = at / values.cols(), column = at % values.cols();
    fail(what, ": ", name, " has ", std::isnan(values(row, column)) ? "nan" : "infinity", " at row ", row,
         ", column ", column);
}

}  // namespace

template <class T>
void check_x(MatrixView<const T> x, std::string_view what) {
    require(x.rows() > 0, what, ": x has no rows");
    check_finite<T>(x, what, "x");
}

template <class T>
void check_data(const Data<T>& data, std::string_view what) {
    check_x<T>(data.x, what);
    require(data.target.rows() == data.rows(), what, ": x has ", data.rows(), " rows, y has ",
            data.target.rows());
    require(data.weight.empty() || std::ssize(data.weight) == data.rows(), what, ": x has ", data.rows(),
            " rows, sample_weight has ", data.weight.size());
    check_finite<T>(data.target.dense, what, "y");
    check_finite<T>({data.weight.data(), std::ssize(data.weight), 1}, what, "sample_weight");
    for (size_t r = 0; r < data.weight.size(); ++r)
        require(data.weight[r] >= 0, what, ": sample_weight is ", data.weight[r], " at row ", r,
                ", it must not be negative");
    require(data.weight.empty() || ops::weighted_sum<T>(data.weight, nullptr) > 0, what,
            ": sample_weight is 0 in every row");
}

#define CMLP_TRAINER(T)                                                                                    \
    template struct Data<T>;                                                                               \
    template double train_step<T>(Network<T>&, const Data<T>&, const Loss&, Optimizer<T>&, LossResult<T>&, \
                                  double, double);                                                         \
    template void check_optimizer<T>(const Optimizer<T>&, const Network<T>&, std::string_view);            \
    template std::vector<double> evaluate<T>(const Network<T>&, const Data<T>&, const Loss&,               \
                                             const std::vector<MetricKind>&);                              \
    template void check_data<T>(const Data<T>&, std::string_view);                                         \
    template void check_x<T>(MatrixView<const T>, std::string_view);
CMLP_TRAINER(float)
CMLP_TRAINER(double)
#undef CMLP_TRAINER

}  // namespace cmlp
