// Parts of the training loop: gathering the rows of a batch, and watching for the best epoch.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <algorithm>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

// Rows of one batch in one place, in the order of the shuffle.
template <class T>
class Gatherer {
public:
    Data<T> operator()(const Data<T>& data, std::span<const Index> order) {
        const Index rows = std::ssize(order);
        Data<T> batch{x_of(data.x, order)};
        if (!data.target.label.empty()) {
            label_.resize(rows);
            for (Index r = 0; r < rows; ++r) label_[r] = data.target.label[size_t(order[size_t(r)])];
            batch.target.label = label_.span();
        } else {
            target_.resize(rows, data.target.dense.cols());
            ops::gather_rows<T>(data.target.dense, order, target_);
            batch.target.dense.rebind(target_.view());
        }
        if (!data.weight.empty()) {
            weight_.resize(rows);
            for (Index r = 0; r < rows; ++r) weight_[r] = data.weight[size_t(order[size_t(r)])];
            batch.weight = weight_.span();
        }
        if (!data.name.empty()) {
            name_.resize(rows);
            for (Index r = 0; r < rows; ++r) name_[r] = data.name[size_t(order[size_t(r)])];
            batch.name = name_.span();
        }
        return batch;
    }

    Matrix<T>& x() { return x_; }

private:
    Input<T> x_of(const Input<T>& x, std::span<const Index> order) {
        if (x.is_sparse()) {
            sparse_.assign_rows(x.sparse(), order);
            return sparse_.view();
        }
        x_.resize(std::ssize(order), x.cols());
        ops::gather_rows<T>(x.numbers(), order, x_);
        return x_;
    }

    Matrix<T> x_, target_;
    SparseMatrix<T> sparse_;  // instead of x_
    Buffer<std::int64_t> label_;
    Buffer<T> weight_;
    Buffer<std::uint64_t> name_;
};

// Watches one value over the epochs, and keeps the weights of its best one.
template <class T>
class Monitor {
public:
    Monitor(const FitOptions& options, const Hooks& hooks, bool validated)
        : options_(options), hooks_(hooks) {
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
    bool improves(const EpochRecord& record, const Network<T>& network, FitReport& report) {
        const double value = value_of(record);
        if (report.best_epoch < 0 || sign_ * value < sign_ * report.best_value - options_.min_delta) {
            report.best_epoch = record.epoch;
            report.best_value = value;
            if (options_.restore_best) best_.assign(network.state().begin(), network.state().end());
        }
        return options_.patience == 0 || record.epoch - report.best_epoch < options_.patience;
    }

    void restore(Network<T>& network) const {
        if (!best_.empty()) std::copy(best_.begin(), best_.end(), network.state().begin());
    }

private:
    double value_of(const EpochRecord& record) const {
        if (hooks_.monitored) return hooks_.monitored(record);
        if (metric_ < 0) return validation_ ? record.val_loss : record.loss;
        return (validation_ ? record.val_metrics : record.metrics)[size_t(metric_)];
    }

    const FitOptions& options_;
    const Hooks& hooks_;
    bool validation_ = false;
    Index metric_ = -1;  // index among the metrics, -1: the loss
    double sign_ = 1;
    std::vector<T> best_;
};

}  // namespace cmlp::inline v0_1
