// The training loop: shuffle, gather, step, validate, stop.
#include <cmlp/trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "ops.hpp"

namespace cmlp {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double poll_seconds = 0.05;
constexpr Index evaluate_rows = 1024;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

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

template <class T>
double gradient_norm(const Network<T>& network) {
    return std::sqrt(ops::squared_norm<T>(network.grads()));
}

// Rows of one batch in one place, in the order of the shuffle.
template <class T>
class Gatherer {
public:
    Data<T> operator()(const Data<T>& data, std::span<const Index> order) {
        const Index rows = std::ssize(order);
        x_.resize(rows, data.x.cols());
        ops::gather_rows<T>(data.x, order, x_);
        Data<T> batch{x_.view(), {}, {}};
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
        return batch;
    }

private:
    Matrix<T> x_, target_;
    Buffer<std::int64_t> label_;
    Buffer<T> weight_;
};

// Watches one value over the epochs, and keeps the weights of its best one.
template <class T>
class Monitor {
public:
    Monitor(const FitOptions& options, bool validated) : options_(options) {
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
        const double value = metric_ < 0
                                 ? (validation_ ? record.val_loss : record.loss)
                                 : (validation_ ? record.val_metrics : record.metrics)[size_t(metric_)];
        if (report.best_epoch < 0 || sign_ * value < sign_ * report.best_value - options_.min_delta) {
            report.best_epoch = record.epoch;
            report.best_value = value;
            if (options_.restore_best) best_.assign(network.values().begin(), network.values().end());
        }
        return options_.patience == 0 || record.epoch - report.best_epoch < options_.patience;
    }

    void restore(Network<T>& network) const {
        if (!best_.empty()) std::copy(best_.begin(), best_.end(), network.values().begin());
    }

private:
    const FitOptions& options_;
    bool validation_ = false;
    Index metric_ = -1;  // index among the metrics, -1: the loss
    double sign_ = 1;
    std::vector<T> best_;
};

// Training mode for the time of a fit; at its end, also by an exception, nothing points at the fit's memory any more.
template <class T>
class Mode {
public:
    explicit Mode(Network<T>& network) : network_(network), before_(network.training()) { network_.train(); }
    ~Mode() {
        network_.train(before_);
        network_.forget();
    }
    Mode(const Mode&) = delete;

private:
    Network<T>& network_;
    bool before_;
};

template <class T>
class Fit {
public:
    Fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
        const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks)
        : network_(network),
          data_(data),
          loss_(loss),
          optimizer_(optimizer),
          options_(options),
          report_(report),
          validation_(validation),
          hooks_(hooks),
          monitor_(options, validation != nullptr),
          order_(static_cast<size_t>(data.rows())) {
        for (const MetricKind kind : options.metrics) metrics_.emplace_back(kind, output_kind(loss.kind()));
        batch_rows_ = std::min(options.batch_size, data.rows());
        steps_ = (data.rows() + batch_rows_ - 1) / batch_rows_;
    }

    void run() {
        const Mode mode(network_);
        for (Index epoch = options_.first_epoch; epoch < options_.epochs && run_epoch(epoch); ++epoch) {
        }
        if (options_.restore_best) monitor_.restore(network_);
    }

private:
    // False when training is over.
    bool run_epoch(Index epoch) {
        const auto start = Clock::now();
        for (Metric& metric : metrics_) metric.reset();
        if (options_.shuffle) permute(order_, options_.seed, static_cast<std::uint64_t>(epoch));
        double sum = 0, weight = 0;
        for (Index step = 0; step < steps_; ++step) {
            run_batch(step * batch_rows_, sum, weight);
            if (!between_steps({epoch, step, steps_, sum / weight})) return false;
        }
        EpochRecord record;
        record.epoch = epoch;
        record.loss = sum / weight;
        for (const Metric& metric : metrics_) record.metrics.push_back(metric.result());
        if (validation_) {
            record.val_metrics = evaluate(network_, *validation_, loss_, options_.metrics);
            record.val_loss = record.val_metrics.front();
            record.val_metrics.erase(record.val_metrics.begin());
        }
        record.lr = optimizer_.setting("lr");
        record.seconds = seconds_since(start);
        return end_epoch(record);
    }

    void run_batch(Index first, double& sum, double& weight) {
        const Index rows = std::min(batch_rows_, data_.rows() - first);
        const Data<T> batch =
            options_.shuffle
                ? gather_(data_, std::span<const Index>(order_).subspan(size_t(first), size_t(rows)))
                : data_.middle_rows(first, rows);
        const double value = train_step(network_, batch, loss_, optimizer_, result_, options_.clip_grad_norm);
        const bool mean = loss_.reduction() != Reduction::sum;
        sum += mean ? value * result_.weight : value;
        weight += mean ? result_.weight : 1;
        for (Metric& metric : metrics_) metric.add<T>({network_.output(), batch.target, batch.weight});
        ++report_.steps;
    }

    bool between_steps(const Progress& progress) {
        if (options_.every_steps > 0 && report_.steps % options_.every_steps == 0 && hooks_.step_end &&
            !hooks_.step_end(progress))
            return stop(Stop::callback);
        if (hooks_.poll && seconds_since(polled_) > poll_seconds) {
            hooks_.poll(progress);
            polled_ = Clock::now();
        }
        if (options_.time_limit > 0 && seconds_since(started_) > options_.time_limit)
            return stop(Stop::time_limit);
        return true;
    }

    bool end_epoch(const EpochRecord& record) {
        report_.epochs.push_back(record);
        const bool patient = monitor_.improves(record, network_, report_);
        if (hooks_.epoch_end && !hooks_.epoch_end(record)) return stop(Stop::callback);
        return patient || stop(Stop::early_stopping);
    }

    bool stop(Stop reason) {
        report_.stop = reason;
        return false;
    }

    Network<T>& network_;
    const Data<T>& data_;
    const Loss& loss_;
    Optimizer<T>& optimizer_;
    const FitOptions& options_;
    FitReport& report_;
    const Data<T>* validation_;
    const Hooks& hooks_;
    Monitor<T> monitor_;
    std::vector<Index> order_;
    std::vector<Metric> metrics_;
    Index batch_rows_ = 0, steps_ = 0;
    Gatherer<T> gather_;
    LossResult<T> result_;
    Clock::time_point started_ = Clock::now(), polled_ = started_;
};

}  // namespace

template <class T>
Data<T> Data<T>::middle_rows(Index first, Index n) const {
    return {x.middle_rows(first, n), target.middle_rows(first, n),
            weight.empty() ? weight : weight.subspan(static_cast<size_t>(first), static_cast<size_t>(n))};
}

namespace {

void check_options(const FitOptions& options) {
    const auto at_least = [](const char* name, auto value, decltype(value) least) {
        require(value >= least, "fit: ", name, " is ", value, ", it must be at least ",
                least);  // a NaN is not
    };
    at_least("epochs", options.epochs, 0);
    at_least("initial_epoch", options.first_epoch, 0);
    at_least("batch_size", options.batch_size, 1);
    at_least("patience", options.patience, 0);
    at_least("min_delta", options.min_delta, 0.0);
    at_least("clip_grad_norm", options.clip_grad_norm, 0.0);
    at_least("time_limit", options.time_limit, 0.0);
    at_least("every_steps", options.every_steps, 0);
}

template <class T>
void check_optimizer(const Optimizer<T>& optimizer, const Network<T>& network, const char* what) {
    require(optimizer.is_over(network.values()), what,
            ": the optimizer is over parameters of another network");
}

}  // namespace

template <class T>
double train_step(Network<T>& network, const Data<T>& batch, const Loss& loss, Optimizer<T>& optimizer,
                  LossResult<T>& result, double clip_grad_norm) {
    require(loss.reduction() != Reduction::none,
            "train_step: the loss has reduction 'none'; choose mean or sum");
    check_optimizer(optimizer, network, "train_step");
    const MatrixView<const T> y = network.forward(batch.x);
    loss.evaluate<T>(y, batch.target, batch.weight, true, result);
    if (!std::isfinite(result.total)) fail_loss(network);
    network.backward(result.gradient.view(), 0, network.size(), false, false);
    const double norm = gradient_norm(network);
    if (!std::isfinite(norm)) fail_gradient(network);
    if (clip_grad_norm > 0 && norm > clip_grad_norm)
        ops::scale<T>(network.grads(), static_cast<T>(clip_grad_norm / (norm + 1e-6)));
    optimizer.step();
    return result.total;
}

template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
         const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks) {
    check_options(options);
    check_optimizer(optimizer, network, "fit");
    check_data(data, "fit");
    const auto check_target = [&](const Data<T>& part, const char* what) {
        loss.check(part.rows(), network.output_width(part.x.cols(), 0, network.size()), part.target,
                   part.weight, what);
    };
    check_target(data, "fit");
    if (validation) {
        check_data(*validation, "fit: validation data");
        check_target(*validation, "fit: validation data");
    }
    Fit<T>(network, data, loss, optimizer, options, report, validation, hooks).run();
}

template <class T>
std::vector<double> evaluate(const Network<T>& network, const Data<T>& data, const Loss& loss,
                             const std::vector<MetricKind>& metrics) {
    std::vector<Metric> sums;
    for (const MetricKind kind : metrics) sums.emplace_back(kind, output_kind(loss.kind()));
    const Reduction reduction = loss.reduction() == Reduction::batchmean ? Reduction::batchmean : Reduction::mean;
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
                                  double);                                                                 \
    template void fit<T>(Network<T>&, const Data<T>&, const Loss&, Optimizer<T>&, const FitOptions&,       \
                         FitReport&, const Data<T>*, const Hooks&);                                        \
    template std::vector<double> evaluate<T>(const Network<T>&, const Data<T>&, const Loss&,               \
                                             const std::vector<MetricKind>&);                              \
    template void check_data<T>(const Data<T>&, std::string_view);                                         \
    template void check_x<T>(MatrixView<const T>, std::string_view);
CMLP_TRAINER(float)
CMLP_TRAINER(double)
#undef CMLP_TRAINER

}  // namespace cmlp
