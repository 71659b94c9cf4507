// Training: early stopping, hooks and their exceptions, limits, what is not finite, what is refused.
#include <cmlp/train/trainer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// A network, its optimizer and everything a fit needs.
struct Run {
    Problem<double> problem{64};
    Problem<double> other{40, 2};
    Network<double> net = network<double>(0.2);
    Optimizer<double> adam{OptimizerKind::adam, net, {{"lr", 0.05}}};
    Loss loss{LossKind::cross_entropy};
    FitReport report;
    Hooks hooks;

    void fit(const FitOptions& options, bool validated = false) {
        const Data<double> validation = other.data();
        cmlp::fit(net, problem.data(), loss, adam, options, report, validated ? &validation : nullptr, hooks);
    }
    std::string refused(const FitOptions& options, bool validated = false) {
        return message([&] { fit(options, validated); });
    }
    // Training and prediction continue as if nothing had happened.
    bool usable() {
        Run fresh;
        std::copy(net.values().begin(), net.values().end(), fresh.net.values().begin());
        fresh.net.set_pass_count(net.pass_count());
        Optimizer<double> mine(OptimizerKind::sgd, net), theirs(OptimizerKind::sgd, fresh.net);
        FitReport one, two;
        cmlp::fit(net, problem.data(), loss, mine, {.epochs = 2}, one);
        cmlp::fit(fresh.net, problem.data(), loss, theirs, {.epochs = 2}, two);
        return same_values(net, fresh.net) && one.epochs[1].loss == two.epochs[1].loss;
    }
};

struct Interruption {};

std::string non_finite(Run& run, const Data<double>& data) {
    LossResult<double> result;
    const std::vector<double> before(run.net.values().begin(), run.net.values().end());
    try {
        train_step(run.net, data, run.loss, run.adam, result);
    } catch (const NonFiniteError& error) {
        CHECK(first_difference(before.data(), run.net.values().data(), std::ssize(before)) == -1);
        CHECK(run.adam.steps() == 0);
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("trainer: early stopping counts epochs without improvement and may restore the best weights") {
    Run run;
    run.adam.set_setting("lr", 0.5);  // wild enough to get worse
    std::vector<double> best_values;
    run.hooks.epoch_end = [&](const EpochRecord& record) {
        if (record.epoch == run.report.best_epoch)
            best_values.assign(run.net.values().begin(), run.net.values().end());
        return true;
    };
    run.fit({.epochs = 500, .patience = 4, .restore_best = true}, true);
    CHECK(run.report.stop == Stop::early_stopping);
    const Index best = run.report.best_epoch;
    CHECK(run.report.epochs.back().epoch - best == 4);
    for (const EpochRecord& record : run.report.epochs) CHECK(record.val_loss >= run.report.best_value);
    CHECK(run.report.epochs[std::size_t(best)].val_loss == run.report.best_value);
    CHECK(first_difference(best_values.data(), run.net.values().data(), std::ssize(best_values)) == -1);
    CHECK(evaluate(run.net, run.other.data(), run.loss)[0] == run.report.best_value);
}

TEST_CASE("trainer: the best weights are kept however a fit ends") {
    for (const int end : {0, 1, 2}) {
        Run run;
        run.adam.set_setting("lr", 0.5);
        run.hooks.epoch_end = [&](const EpochRecord& record) {
            if (record.epoch < 20) return true;
            if (end == 1) throw Interruption{};
            if (end == 2) throw NonFiniteError("as an overflow would");
            return false;
        };
        const auto fit = [&] { run.fit({.epochs = 500, .patience = 1000, .restore_best = true}, true); };
        if (end == 0) fit();
        if (end == 1) CHECK_THROWS_AS(fit(), Interruption);
        if (end == 2) CHECK_THROWS_AS(fit(), NonFiniteError);
        CHECK(run.report.epochs.size() == 21);
        CHECK(evaluate(run.net, run.other.data(), run.loss)[0] == run.report.best_value);
    }
}

TEST_CASE("trainer: a monitored training value is that of the weights that are kept") {
    for (const char* monitor : {"loss", "accuracy"}) {
        Run run;
        run.adam.set_setting("lr", 0.5);
        run.fit({.epochs = 60,
                 .metrics = {MetricKind::accuracy},
                 .patience = 3,
                 .monitor = monitor,
                 .restore_best = true});
        const auto kept = evaluate(run.net, run.problem.data(), run.loss, {MetricKind::accuracy});
        CHECK(kept[std::string(monitor) == "accuracy"] == run.report.best_value);
    }
}

TEST_CASE("trainer: any value that exists can be monitored") {
    for (const char* monitor : {"", "loss", "val_loss", "accuracy", "val_accuracy"}) {
        Run run;
        run.fit({.epochs = 6, .metrics = {MetricKind::accuracy}, .monitor = monitor}, true);
        double best = monitor[0] && std::string(monitor).ends_with("accuracy") ? -1 : INFINITY;
        for (const EpochRecord& r : run.report.epochs) {
            const std::string name = monitor;
            const double value = name == "loss"           ? r.loss
                                 : name == "accuracy"     ? r.metrics[0]
                                 : name == "val_accuracy" ? r.val_metrics[0]
                                                          : r.val_loss;
            best = name.ends_with("accuracy") ? std::max(best, value) : std::min(best, value);
        }
        CHECK(run.report.best_value == best);
    }
    Run run;
    CHECK(run.refused({.monitor = "val_loss"}) ==
          "fit: monitor is 'val_loss', but there are no validation data");
    CHECK(run.refused({.monitor = "accuracy"}) ==
          "fit: monitor is 'accuracy', which is not among the metrics");
    CHECK(run.refused({.monitor = "nosuch"}).starts_with("unknown metric 'nosuch'; choose from "));
    run.fit({.epochs = 2});
    CHECK(run.report.best_value == std::min(run.report.epochs[0].loss, run.report.epochs[1].loss));
}

TEST_CASE("trainer: hooks are called when they should be and may stop the run") {
    Run run;
    std::vector<Index> steps;
    Index epochs = 0;
    run.hooks.step_end = [&](const Progress& progress) {
        CHECK(progress.steps_an_epoch == 4);
        CHECK(std::isfinite(progress.loss));
        steps.push_back(progress.epoch * 4 + progress.step);
        return true;
    };
    run.hooks.epoch_end = [&](const EpochRecord& record) { return record.epoch == epochs++; };
    run.fit({.epochs = 3, .batch_size = 16, .every_steps = 3});
    CHECK(steps == std::vector<Index>{2, 5, 8, 11});
    CHECK(epochs == 3);

    run.hooks.epoch_end = [](const EpochRecord& record) { return record.epoch < 1; };
    run.report = {};
    run.fit({.epochs = 9, .batch_size = 16});
    CHECK(run.report.epochs.size() == 2);
    CHECK(run.report.stop == Stop::callback);
    run.hooks.step_end = [](const Progress& progress) { return progress.step < 1; };
    run.report = {};
    run.fit({.epochs = 9, .batch_size = 16, .every_steps = 1});
    CHECK(run.report.epochs.empty());
    CHECK(run.report.steps == 2);
    CHECK(run.report.stop == Stop::callback);
    CHECK(run.usable());
}

TEST_CASE("trainer: an exception out of a hook leaves the network as after its last step, and usable") {
    for (int which = 0; which < 3; ++which) {
        Run run;
        run.net.set_training(false);
        if (which == 0) run.hooks.epoch_end = [](const EpochRecord&) -> bool { throw Interruption(); };
        if (which == 1) run.hooks.step_end = [](const Progress&) -> bool { throw Interruption(); };
        if (which == 2) run.hooks.poll = [](const Progress&) { throw Interruption(); };
        const FitOptions options{.epochs = 100000, .batch_size = 16, .every_steps = 1};
        CHECK_THROWS_AS(run.fit(options), Interruption);
        CHECK_FALSE(run.net.training());
        CHECK(run.report.steps == run.adam.steps());
        Matrix<double> dy(16, 3);
        CHECK(message([&] { run.net.backward(dy); }) == "backward: there is no forward pass to go back from");
        CHECK(run.usable());
    }
}

TEST_CASE("trainer: poll is called about twenty times a second, and a time limit ends the run") {
    Run run;
    int polls = 0;
    run.hooks.poll = [&](const Progress&) { ++polls; };
    const auto start = std::chrono::steady_clock::now();
    run.fit({.epochs = 100000000, .time_limit = 0.3});
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    CHECK(run.report.stop == Stop::time_limit);
    CHECK(seconds >= 0.3);
    CHECK(polls >= 1);
    CHECK(polls <= seconds / 0.05 + 1);
    CHECK(run.usable());
}

TEST_CASE("trainer: what is not finite is named, and the weights stay the last finite ones") {
    Run run;
    Problem<double> bad(8);
    bad.x(3, 2) = INFINITY;
    CHECK(non_finite(run, bad.data()) ==
          "the loss is not finite at step 1; the input is the first that is not; the weights are those "
          "before this step");
    run.net.parameters()[2].value(1, 1) = NAN;
    CHECK(non_finite(run, Problem<double>(8).data()) ==
          "the loss is not finite at step 1; the output of layer '3' is the first that is not; the weights "
          "are those "
          "before this step");

    Network<double> linear({Linear{1, 1, false}}, 0);
    linear.parameters()[0].value(0, 0) = 1e-150;
    Optimizer<double> sgd(OptimizerKind::sgd, linear);
    LossResult<double> result;
    const Matrix<double> x{{1e250}}, t{{0.0}};
    try {
        train_step<double>(linear, {x, {t, {}}, {}}, Loss(LossKind::mse), sgd, result);
        FAIL_CHECK("nothing thrown");
    } catch (const NonFiniteError& error) {
        CHECK(std::string(error.what()).find("'0.weight'") != std::string::npos);
    }
    CHECK(linear.values()[0] == 1e-150);
}

TEST_CASE(
    "trainer: a fit with values that are not finite throws, keeps the report and releases the network") {
    Run run;
    run.hooks.epoch_end = [&](const EpochRecord& record) {
        if (record.epoch == 1) run.net.parameters()[0].value(0, 0) = NAN;
        return true;
    };
    run.net.set_training(false);
    CHECK_THROWS_AS(run.fit({.epochs = 5}), NonFiniteError);
    CHECK(run.report.epochs.size() == 2);
    CHECK_FALSE(run.net.training());
}

TEST_CASE("trainer: options and data that do not fit are refused before anything is changed") {
    Run run;
    const std::vector<double> before(run.net.values().begin(), run.net.values().end());
    CHECK(run.refused({.batch_size = 0}) == "fit: batch_size is 0, it must be at least 1");
    CHECK(run.refused({.epochs = -1}) == "fit: epochs is -1, it must be at least 0");
    CHECK(run.refused({.patience = -1}) == "fit: patience is -1, it must be at least 0");
    CHECK(run.refused({.step = {.clip_grad_norm = NAN}}) ==
          "fit: clip_grad_norm is nan, it must be at least 0");
    CHECK(run.refused({.time_limit = -1}) == "fit: time_limit is -1, it must be at least 0");
    CHECK(run.refused({.metrics = {MetricKind::mse}}) == "metric 'mse' needs a loss for values");
    run.problem.x(7, 3) = NAN;
    CHECK(run.refused({}) == "fit: x has nan at row 7, column 3");
    run.problem.x(7, 3) = -INFINITY;
    CHECK(run.refused({}) == "fit: x has infinity at row 7, column 3");
    run.problem.x(7, 3) = 0;
    run.other.x(0, 0) = NAN;
    CHECK(run.refused({}, true) == "fit: validation data: x has nan at row 0, column 0");
    run.problem.weight.assign(64, 1);
    run.problem.weight[9] = -1;
    CHECK(run.refused({}) == "fit: sample_weight is -1 at row 9, it must not be negative");
    run.problem.weight.assign(64, 0);
    CHECK(run.refused({}) == "fit: sample_weight is 0 in every row");
    run.problem.weight.assign(5, 1);
    CHECK(run.refused({}) == "fit: x has 64 rows, sample_weight has 5");
    run.problem.weight.clear();
    run.problem.label[60] = 3;
    CHECK(run.refused({}) == "fit: label 3 at row 60 is not in 0..2");
    run.problem.label.pop_back();
    CHECK(run.refused({}) == "fit: x has 64 rows, y has 63");
    CHECK(first_difference(before.data(), run.net.values().data(), std::ssize(before)) == -1);
    CHECK(run.report.steps == 0);
    CHECK(run.net.pass_count() == 0);
}

TEST_CASE("trainer: a single row that is left over joins the batch before it where a batch needs several") {
    const Network<float> plain = network<float>();
    const Network<float> normalised({Linear{5, 4}, BatchNorm1d{4}, Linear{4, 3}}, 0);
    FitOptions options;
    for (const auto& [rows, size, steps, joined, dropped] :
         {std::tuple<Index, Index, Index, Index, Index>{21, 4, 6, 5, 5},
          {13, 3, 5, 4, 4},
          {50, 4, 13, 13, 12},
          {8, 4, 2, 2, 2}}) {
        options.batch_size = size, options.drop_last = false;
        CHECK(steps_an_epoch(plain, rows, options) == steps);
        CHECK(steps_an_epoch(normalised, rows, options) == joined);
        options.drop_last = true;
        CHECK(steps_an_epoch(plain, rows, options) == dropped);
        CHECK(steps_an_epoch(normalised, rows, options) == dropped);
    }
    options.batch_size = 9;
    CHECK(message([&] { (void)steps_an_epoch(plain, 8, options); }) ==
          "fit: drop_last leaves no batch: batch_size is 9, there are 8 rows");
    options.batch_size = 1;
    CHECK(message([&] { (void)steps_an_epoch(normalised, 8, options); }) ==
          "fit: batch normalisation needs the variance of several rows: batch_size is 1");
    options.batch_size = 0;
    CHECK(message([&] { (void)steps_an_epoch(plain, 8, options); }) ==
          "fit: batch_size is 0, it must be at least 1");
}

TEST_CASE("trainer: a value of the caller's is monitored") {
    const Problem<float> problem(30);
    Network<float> net = network<float>();
    Optimizer<float> sgd(OptimizerKind::sgd, net);
    FitOptions options;
    options.epochs = 20, options.patience = 3;
    Hooks hooks;
    hooks.monitored = [](const EpochRecord& record) { return std::abs(double(record.epoch) - 4); };
    const FitReport report =
        fit<float>(net, problem.data(), Loss(LossKind::cross_entropy), sgd, options, nullptr, hooks);
    CHECK(report.stop == Stop::early_stopping);
    CHECK(report.best_epoch == 4);
    CHECK(report.best_value == 0);
    CHECK(report.epochs.size() == 8);
}
