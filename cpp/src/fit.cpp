// The training loop: shuffle, gather, step, validate, stop.
#include <cmlp/trainer.hpp>

#include <chrono>

#include "fit_parts.hpp"

namespace cmlp {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double poll_seconds = 0.05;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

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
    at_least("clip_grad_value", options.clip_grad_value, 0.0);
}

// A course must hold a value for every epoch or step to come.
template <class T>
void check_courses(const FitOptions& options, const Optimizer<T>& optimizer, Index steps_an_epoch) {
    const Index epochs = std::max(options.epochs - options.first_epoch, Index(0));
    for (const Course& course : options.courses) {
        optimizer.setting(course.setting, course.group);  // throws where there is none
        const Index needed = course.every_step ? epochs * steps_an_epoch : epochs;
        require(std::ssize(course.values) >= needed, "fit: the course of '", course.setting, "' has ",
                course.values.size(), " values, ", needed, " are needed");
    }
}

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
        for (const MetricKind kind : options.metrics) metrics_.emplace_back(kind, loss);
        batch_rows_ = std::min(options.batch_size, data.rows());
        steps_ = (data.rows() + batch_rows_ - 1) / batch_rows_;
        check_courses(options, optimizer, steps_);
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
        follow_courses(false, epoch - options_.first_epoch);
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

    void follow_courses(bool every_step, Index at) {
        for (const Course& course : options_.courses)
            if (course.every_step == every_step)
                optimizer_.set_setting(course.setting, course.values[size_t(at)], course.group);
    }

    void run_batch(Index first, double& sum, double& weight) {
        const Index rows = std::min(batch_rows_, data_.rows() - first);
        const Data<T> batch =
            options_.shuffle
                ? gather_(data_, std::span<const Index>(order_).subspan(size_t(first), size_t(rows)))
                : data_.middle_rows(first, rows);
        follow_courses(true, report_.steps);
        const double value = train_step(network_, batch, loss_, optimizer_, result_, options_.clip_grad_norm,
                                        options_.clip_grad_value);
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

template void fit<float>(Network<float>&, const Data<float>&, const Loss&, Optimizer<float>&,
                         const FitOptions&, FitReport&, const Data<float>*, const Hooks&);
template void fit<double>(Network<double>&, const Data<double>&, const Loss&, Optimizer<double>&,
                          const FitOptions&, FitReport&, const Data<double>*, const Hooks&);

}  // namespace cmlp
