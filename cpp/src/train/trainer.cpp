// One training step, and evaluation.
#include <cmlp/train/trainer.hpp>

#include <algorithm>

#include "runtime/parallel.hpp"
#include "train/evaluate.hpp"
#include "train/step.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index evaluate_rows = 1024;

}  // namespace

template <class T>
void check_optimizer(const Optimizer<T>& optimizer, const Network<T>& network, std::string_view what) {
    require(optimizer.is_over(network.values()), what,
            ": the optimizer is over parameters of another network");
}

template <class T>
double train_step(Network<T>& network, const Data<T>& batch, const Loss& loss, Optimizer<T>& optimizer,
                  LossResult<T>& result, const StepOptions& options, Execution execution) {
    const ExecutionScope limit(execution);
    const typename Network<T>::Exclusive only(network, "train_step");
    check_optimizer(optimizer, network, "train_step");
    check_step_options(options, "train_step");
    require(batch.rows() > 0, "train_step: x has no rows");
    const typename Network<T>::ForgetAtEnd after(network);
    loss.check<T>(batch.rows(), network.output_width(batch.x, 0, network.layer_count()), batch.target,
                  batch.weight, "train_step");
    Step<T> step(network, loss, optimizer, options, result);
    double value = 0;
    with_team(step_work(network, batch.rows()), 1, [&] {
        step.add({batch}, false);
        value = step.update().loss;
    });
    return value;
}

template <class T>
std::vector<double> evaluate(const Network<T>& network, const Data<T>& data, const Loss& loss,
                             const std::vector<MetricKind>& metrics, Execution execution) {
    const ExecutionScope limit(execution);
    loss.check<T>(data.rows(), network.output_width(data.x, 0, network.layer_count()), data.target,
                  data.weight, "evaluate");
    return evaluate_checked(network, data, loss, metrics);
}

template <class T>
std::vector<double> evaluate_checked(const Network<T>& network, const Data<T>& data, const Loss& loss,
                                     const std::vector<MetricKind>& metrics) {
    std::vector<Metric> sums;
    for (const MetricKind kind : metrics) sums.emplace_back(kind, loss);
    const Reduction reduction =
        loss.reduction() == Reduction::batchmean ? Reduction::batchmean : Reduction::mean;
    const Loss mean(loss.kind(), loss.settings(), reduction, loss.column());
    const Index width = network.output_width(data.x, 0, network.layer_count());
    Matrix<T> y;
    LossResult<T> result;
    double sum = 0, weight = 0;
    const Index most = network.takes_batch_statistics() ? data.rows() : evaluate_rows;
    const Index block = std::max(std::min(data.rows(), most), Index(1));
    with_team(network.pass_work(block), double(data.rows()) / double(block), [&] {
        for (Index r = 0; r < data.rows(); r += most) {
            const Data<T> part = data.middle_rows(r, std::min(most, data.rows() - r));
            y.resize(part.rows(), width);
            network.predict_into(part.x, y);
            mean.evaluate_checked<T>(y, part.target, part.weight, false, result);
            sum += result.total * result.weight;
            weight += result.weight;
            for (Metric& metric : sums) metric.add<T>({y, part.target, part.weight});
        }
    });
    std::vector<double> values{loss.reduction() == Reduction::sum ? sum : weight > 0 ? sum / weight : 0};
    for (const Metric& metric : sums) values.push_back(metric.result());
    return values;
}

#define CMLP_TRAINER(T)                                                                                    \
    template double train_step<T>(Network<T>&, const Data<T>&, const Loss&, Optimizer<T>&, LossResult<T>&, \
                                  const StepOptions&, Execution);                                          \
    template void check_optimizer<T>(const Optimizer<T>&, const Network<T>&, std::string_view);            \
    template std::vector<double> evaluate<T>(const Network<T>&, const Data<T>&, const Loss&,               \
                                             const std::vector<MetricKind>&, Execution);                   \
    template std::vector<double> evaluate_checked<T>(const Network<T>&, const Data<T>&, const Loss&,       \
                                                     const std::vector<MetricKind>&);
CMLP_TRAINER(float)
CMLP_TRAINER(double)
#undef CMLP_TRAINER

}  // namespace cmlp::inline v0_1
