// Early stopping: one monitored value an epoch, its best, and the weights it was measured with.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <algorithm>
#include <cmath>

#include "train/best_weights.hpp"
#include "train/evaluate.hpp"

namespace cmlp::inline v0_1 {

// Where it stops a fit or keeps weights, the value is that of the weights after the epoch: one of the training rows is
// measured again in evaluation mode, since the epoch's own loss and metrics are of the weights before each step.
template <class T>
class Monitor {
public:
    Monitor(Network<T>& network, const FitOptions& options, const Hooks& hooks, bool validated)
        : options_(options), hooks_(hooks), best_(network) {
        if (!options.start.best_weights.empty()) best_.take(options.start.best_weights);
        std::string name = options.monitor.empty() ? (validated ? "val_loss" : "loss") : options.monitor;
        validation_ = name.starts_with("val_");
        if (validation_) name.erase(0, 4);
        require(!validation_ || validated, "fit: monitor is '", options.monitor,
                "', but there are no validation data");
        if (name == "loss") return;
        const auto kind = parse<MetricKind>(name);
        const auto found = std::find(options.metrics.begin(), options.metrics.end(), kind);
        require(found != options.metrics.end(), "fit: monitor is '", options.monitor,
                "', which is not among the metrics");
        metric_ = found - options.metrics.begin();
        sign_ = larger_is_better(kind) ? -1 : 1;
    }

    // False when the patience is at its end.
    bool improves(const EpochRecord& record, const Network<T>& network, const Data<T>& data, const Loss& loss,
                  FitReport& report) {
        const double value = value_of(record, network, data, loss);
        const bool first = std::isnan(report.best_value) && (report.best_epoch < 0 || !std::isnan(value));
        if (first || sign_ * value < sign_ * report.best_value - options_.min_delta) {
            report.best_epoch = record.epoch;
            report.best_value = value;
            if (options_.restore_best) best_.keep();
        }
        return options_.patience == 0 || record.epoch - report.best_epoch < options_.patience;
    }

private:
    double value_of(const EpochRecord& record, const Network<T>& network, const Data<T>& data,
                    const Loss& loss) const {
        if (hooks_.monitored) return hooks_.monitored(record);
        const bool stops = options_.restore_best || options_.patience > 0;
        if (stops && !validation_) return measured(network, data, loss);
        if (metric_ < 0) return validation_ ? record.val_loss : record.loss;
        return (validation_ ? record.val_metrics : record.metrics)[size_t(metric_)];
    }
    double measured(const Network<T>& network, const Data<T>& data, const Loss& loss) const {
        if (metric_ < 0) return evaluate_checked<T>(network, data, loss, {}).front();
        return evaluate_checked<T>(network, data, loss, {options_.metrics[size_t(metric_)]}).back();
    }

    const FitOptions& options_;
    const Hooks& hooks_;
    BestWeights<T> best_;
    bool validation_ = false;
    Index metric_ = -1;  // index among the metrics, -1: the loss
    double sign_ = 1;
};

}  // namespace cmlp::inline v0_1
