// Metrics of metrics.def as running sums: batches are added, the result read at the end.
#pragma once

#include <cmlp/losses/loss.hpp>

#include <limits>

namespace cmlp::inline v0_1 {

/// Outputs of a network beside what they should have been.
template <class T>
struct MetricBatch {
    MatrixView<const T> y;
    Target<T> target;
    std::span<const T> weight;  ///< (batch), empty: 1
};

/// What the outputs of a network trained with this loss are, as metrics see them.
OutputKind predictions_of(const Loss& loss);

/// What a metric keeps of the rows so far; which of them depends on the metric.
struct MetricSums {
    double weight = 0;         ///< of all rows
    std::vector<double> term;  ///< (outputs) weighted
    std::vector<double> origin, target,
        squared;  ///< (outputs) first t, weighted sums of t - origin, its square
    std::vector<double> hit, predicted, actual;      ///< (classes), or (2 outputs): weights of rows
    bool one_class = false;                          ///< a row has one class of many
    std::vector<std::vector<double>> scores, truth;  ///< (outputs)(rows)
    std::vector<double> row_weight;                  ///< (rows)
};

/// One metric over any number of batches; weights count as in losses, rows of the label `ignored` as absent.
class Metric {
public:
    /// `output` says what the predictions are, from the loss; throws when the metric makes no sense for it.
    Metric(MetricKind kind, OutputKind output,
           std::int64_t ignored = std::numeric_limits<std::int64_t>::min());
    Metric(MetricKind kind, const Loss& loss) : Metric(kind, predictions_of(loss), loss.ignore_index()) {}

    template <class T>
    void add(const MetricBatch<T>& batch);
    double result() const;
    void reset() { sums_ = {}; }
    MetricKind kind() const { return kind_; }

private:
    template <class T>
    bool read(const MetricBatch<T>& batch, Index row);
    void to_scores();

    MetricKind kind_;
    OutputKind output_;
    std::int64_t ignored_;
    MetricSums sums_;
    std::vector<double> y_, t_;  // (outputs) of one row
    Index label_ = -1;           // its class, -1: outputs are binary or values
};

}  // namespace cmlp::inline v0_1
