// One training step, evaluation, and the checks of data before either.
#include <cmlp/trainer.hpp>

#include <algorithm>
#include <cmath>

#include "ops.hpp"
#include "step.hpp"

namespace cmlp {
namespace {

constexpr Index evaluate_rows = 1024;

}  // namespace

template <class T>
Data<T> Data<T>::middle_rows(Index first, Index n) const {
    const auto part = [=](auto span) {
        return span.empty() ? span : span.subspan(static_cast<size_t>(first), static_cast<size_t>(n));
    };
    return {x.middle_rows(first, n), target.middle_rows(first, n), part(weight), part(name)};
}

template <class T>
void check_optimizer(const Optimizer<T>& optimizer, const Network<T>& network, std::string_view what) {
    require(optimizer.is_over(network.values()), what,
            ": the optimizer is over parameters of another network");
}

template <class T>
double train_step(Network<T>& network, const Data<T>& batch, const Loss& loss, Optimizer<T>& optimizer,
                  LossResult<T>& result, const StepOptions& options) {
    check_optimizer(optimizer, network, "train_step");
    check_step_options(options, "train_step");
    Step<T> step(network, loss, optimizer, options, result);
    step.add({batch}, false);
    return step.update().loss;
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
        y.resize(part.rows(), network.output_width(data.x, 0, network.size()));
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

[[noreturn]] void fail_non_finite(std::string_view what, const char* name, double value, Index row,
                                  Index column) {
    fail(what, ": ", name, " has ", std::isnan(value) ? "nan" : "infinity", " at row ", row, ", column ",
         column);
}

template <class T>
void check_finite(MatrixView<const T> values, std::string_view what, const char* name) {
    const Index at = values.empty() ? -1 : ops::first_nonfinite<T>(values);
    if (at < 0) return;
    const Index row = at / values.cols(), column = at % values.cols();
    fail_non_finite(what, name, values(row, column), row, column);
}

}  // namespace

template <class T>
void check_x(const Input<T>& x, std::string_view what) {
    require(x.rows() > 0, what, ": x has no rows");
    if (!x.is_sparse()) return check_finite<T>(x.numbers(), what, "x");
    const SparseView<T>& s = x.sparse();
    const Index at = ops::first_nonfinite<T>(s.numbers());
    if (at < 0) return;
    const Index row =
        std::upper_bound(s.starts(), s.starts() + s.rows(), s.starts()[0] + at) - s.starts() - 1;
    fail_non_finite(what, "x", s.values()[at], row, s.columns()[at]);
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
                                  const StepOptions&);                                                     \
    template void check_optimizer<T>(const Optimizer<T>&, const Network<T>&, std::string_view);            \
    template std::vector<double> evaluate<T>(const Network<T>&, const Data<T>&, const Loss&,               \
                                             const std::vector<MetricKind>&);                              \
    template void check_data<T>(const Data<T>&, std::string_view);                                         \
    template void check_x<T>(const Input<T>&, std::string_view);
CMLP_TRAINER(float)
CMLP_TRAINER(double)
#undef CMLP_TRAINER

}  // namespace cmlp
