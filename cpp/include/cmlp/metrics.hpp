// Metrics of metrics.def as running sums: batches are added, the result read at the end.
#pragma once

#include <cmlp/loss.hpp>

namespace cmlp {

/// Outputs of a network beside what they should have been.
template <class T>
struct MetricBatch {
    MatrixView<const T> y;
    Target<T> target;
    std::span<const T> weight;  ///< (batch), empty: 1
};

/// One metric over any number of batches; weights count as in losses.
class Metric {
public:
    /// `output` says what the predictions are, from the loss; throws when the metric makes no sense for it.
    Metric(MetricKind kind, OutputKind output);

    template <class T>
    void add(const MetricBatch<T>& batch);
    double result() const;
    void reset();
    MetricKind kind() const { return kind_; }

private:
    template <class T>
    bool right(const MetricBatch<T>& batch, Index row, Index column) const;

    MetricKind kind_;
    OutputKind output_;
    double weight_ = 0;         // of all rows so far
    std::vector<double> sums_;  // by output, what it sums depends on the kind
    std::vector<double> origin_, target_,
        target_squared_;  // by output: first t, weighted sums of t - origin and its square
};

}  // namespace cmlp
