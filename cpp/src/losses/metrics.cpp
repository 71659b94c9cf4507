// Rows of a batch as each metric needs them: values, decisions or log-odds.
#include <cmlp/losses/metrics.hpp>

#include "losses/metric_terms.hpp"

namespace cmlp::inline v0_1 {
namespace {

using metric::Needs;

struct Functions {
    Needs needs;
    void (*add)(MetricSums&, const metric::Row&);
    double (*result)(const MetricSums&);
};
constexpr Functions functions[] = {
#define CMLP_METRIC(name, ...) {metric::name::needs, metric::name::add, metric::name::result},
#include <cmlp/lists/metrics.def>
};
const Functions& functions_of(MetricKind kind) { return functions[static_cast<int>(kind)]; }

bool has_classes(OutputKind output) {
    return output == OutputKind::class_logits || output == OutputKind::log_probability;
}

const char* expected(Needs needs, OutputKind output) {
    const bool binary = output == OutputKind::logit || output == OutputKind::probability;
    switch (needs) {
        case Needs::values:
            return has_classes(output) || output == OutputKind::quantiles ? "values" : nullptr;
        case Needs::decisions:
            return has_classes(output) || binary ? nullptr : "classes";
        case Needs::classes:
            return has_classes(output) ? nullptr : "one of several classes";
        default:
            return output == OutputKind::class_logits || binary ? nullptr : "classes";
    }
}

template <class T>
Index largest(MatrixView<const T> x, Index row) {
    Index best = 0;
    for (Index j = 1; j < x.cols(); ++j)
        if (x(row, j) > x(row, best)) best = j;
    return best;
}

}  // namespace

OutputKind predictions_of(const Loss& loss) {
    const Settings settings = loss.settings();
    const auto found = settings.find("log_input");
    return found != settings.end() && found->second == 0 ? OutputKind::value : output_kind(loss.kind());
}

Metric::Metric(MetricKind kind, OutputKind output, std::int64_t ignored)
    : kind_(kind), output_(output), ignored_(ignored) {
    const char* other = expected(functions_of(kind).needs, output);
    require(!other, "metric '", name(kind), "' needs a loss for ", other ? other : "");
}

// False where the row counts as absent.
template <class T>
bool Metric::read(const MetricBatch<T>& batch, Index row) {
    const auto& [label, dense] = std::pair(batch.target.label, batch.target.dense);
    const Index outputs = output_ == OutputKind::moments ? dense.cols() : batch.y.cols();
    y_.resize(size_t(outputs)), t_.assign(size_t(outputs), 0.0);
    for (Index j = 0; j < outputs; ++j) y_[size_t(j)] = double(batch.y(row, j));
    if (!label.empty()) {
        const std::int64_t own = label[size_t(row)];
        if (own == ignored_ || own < 0 || own >= outputs) return false;
        label_ = Index(own);
        t_[size_t(own)] = 1;
        return true;
    }
    for (Index j = 0; j < outputs; ++j) t_[size_t(j)] = double(dense(row, j));
    label_ = has_classes(output_) ? largest(dense, row) : -1;
    return true;
}

// y_ from what the network put out to what the metric reads.
void Metric::to_scores() {
    const Needs needs = functions_of(kind_).needs;
    if (output_ == OutputKind::log_mean) {
        for (double& y : y_) y = std::exp(y);
    } else if (output_ == OutputKind::probability && needs == Needs::decisions) {
        for (double& y : y_) y -= 0.5;
    } else if (output_ == OutputKind::probability && needs == Needs::odds) {
        for (double& y : y_) y = std::log(y) - std::log1p(-y);
    } else if (output_ == OutputKind::class_logits && needs == Needs::odds) {
        const double top = *std::max_element(y_.begin(), y_.end());
        double sum = 0;
        for (const double y : y_) sum += std::exp(y - top);
        for (double& y : y_) y -= top + std::log(sum);
    }
}

template <class T>
void Metric::add(const MetricBatch<T>& batch) {
    for (Index r = 0; r < batch.y.rows(); ++r) {
        const double w = batch.weight.empty() ? 1.0 : double(batch.weight[size_t(r)]);
        if (w == 0 || !read(batch, r)) continue;
        to_scores();
        sums_.weight += w;
        functions_of(kind_).add(sums_, {y_, t_, label_, w});
    }
}

double Metric::result() const { return functions_of(kind_).result(sums_); }

template void Metric::add<float>(const MetricBatch<float>&);
template void Metric::add<double>(const MetricBatch<double>&);

}  // namespace cmlp::inline v0_1
