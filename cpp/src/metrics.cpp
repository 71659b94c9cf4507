// One struct a metric: the term it sums for one element, and the result from the sums.
#include <cmlp/metrics.hpp>

#include <cmath>

namespace cmlp {
namespace {

/// Sums of one output over all rows: of the metric's term, the weights, the targets (less the first) and their squares.
struct Sums {
    double term, weight, target, target_squared;
};

double mean(const Sums& s) { return s.term / s.weight; }
double squared(double y, double t) { return (y - t) * (y - t); }

namespace metric {

struct accuracy {  // its terms are 0 or 1, by Metric::right
    static double term(double, double) { return 0; }
    static double result(const Sums& s) { return mean(s); }
};
struct mse {
    static double term(double y, double t) { return squared(y, t); }
    static double result(const Sums& s) { return mean(s); }
};
struct rmse {
    static double term(double y, double t) { return squared(y, t); }
    static double result(const Sums& s) {
        return mean(s);
    }  // the root is taken after averaging over the outputs
};
struct mae {
    static double term(double y, double t) { return std::abs(y - t); }
    static double result(const Sums& s) { return mean(s); }
};
struct r2 {
    static double term(double y, double t) { return squared(y, t); }
    static double result(const Sums& s) {
        const double spread = s.target_squared - s.target * s.target / s.weight;
        return spread > 0 ? 1 - s.term / spread : s.term > 0 ? 0 : 1;
    }
};

}  // namespace metric

struct Functions {
    double (*term)(double, double);
    double (*result)(const Sums&);
};
constexpr Functions functions[] = {
#define CMLP_METRIC(name, ...) {metric::name::term, metric::name::result},
#include <cmlp/metrics.def>
};

template <class T>
Index largest(MatrixView<const T> x, Index row) {
    Index best = 0;
    for (Index j = 1; j < x.cols(); ++j)
        if (x(row, j) > x(row, best)) best = j;
    return best;
}

}  // namespace

Metric::Metric(MetricKind kind, OutputKind output) : kind_(kind), output_(output) {
    const bool classes = kind == MetricKind::accuracy;
    require(!classes || output != OutputKind::value, "metric '", name(kind), "' needs a loss for classes");
    require(classes || output != OutputKind::class_logits, "metric '", name(kind),
            "' needs a loss for values");
}

template <class T>
bool Metric::right(const MetricBatch<T>& batch, Index row, Index column) const {
    if (output_ == OutputKind::class_logits) {
        const Index best = largest(batch.y, row);
        const auto& label = batch.target.label;
        return best == (label.empty() ? largest(batch.target.dense, row) : Index(label[size_t(row)]));
    }
    const double threshold = output_ == OutputKind::logit ? 0 : 0.5;
    return (double(batch.y(row, column)) > threshold) == (double(batch.target.dense(row, column)) > 0.5);
}

template <class T>
void Metric::add(const MetricBatch<T>& batch) {
    const Index outputs = output_ == OutputKind::class_logits ? 1 : batch.y.cols();
    if (sums_.empty() && kind_ != MetricKind::accuracy)
        for (Index j = 0; j < outputs; ++j) origin_.push_back(double(batch.target.dense(0, j)));
    for (auto* sums : {&sums_, &target_, &target_squared_}) sums->resize(size_t(outputs));
    for (Index r = 0; r < batch.y.rows(); ++r) {
        const double w = batch.weight.empty() ? 1.0 : double(batch.weight[size_t(r)]);
        weight_ += w;
        for (Index j = 0; j < outputs; ++j) {
            const auto out = static_cast<size_t>(j);
            if (kind_ == MetricKind::accuracy) {
                sums_[out] += right(batch, r, j) ? w : 0;
                continue;
            }
            const double t = double(batch.target.dense(r, j));
            sums_[out] += w * functions[static_cast<int>(kind_)].term(double(batch.y(r, j)), t);
            const double shifted = t - origin_[out];
            target_[out] += w * shifted;
            target_squared_[out] += w * shifted * shifted;
        }
    }
}

double Metric::result() const {
    double total = 0;
    for (size_t j = 0; j < sums_.size(); ++j)
        total +=
            functions[static_cast<int>(kind_)].result({sums_[j], weight_, target_[j], target_squared_[j]});
    const double average = total / double(sums_.size());
    return kind_ == MetricKind::rmse ? std::sqrt(average) : average;
}

void Metric::reset() { *this = Metric(kind_, output_); }

template void Metric::add<float>(const MetricBatch<float>&);
template void Metric::add<double>(const MetricBatch<double>&);

}  // namespace cmlp
