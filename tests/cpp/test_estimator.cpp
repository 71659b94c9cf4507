// Trainings by scikit-learn's rules: NumPy's shuffle, when they end, how rates fall, best weights; many side by side.
#include <cmlp/train/estimator.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <random>

#include "runtime/parallel.hpp"
#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

template <class T = double>
struct Run {
    Problem<T> problem{64};
    Problem<T> other{40, 2};
    Network<T> net = network<T>(0.2);
    Optimizer<T> sgd{OptimizerKind::sgd, net, {{"lr", 0.05}}};
    Loss loss{LossKind::cross_entropy};
    EstimatorReport report;
    EstimatorHooks hooks;

    void fit(const EstimatorRules& rules, Index epochs, bool validated = false) {
        const Data<T> held_out = other.data();
        fit_estimator<T>(net, problem.data(), loss, sgd, {.epochs = epochs, .batch_size = 16}, rules, report,
                         validated ? &held_out : nullptr, hooks);
    }
    double accuracy() const { return evaluate<T>(net, other.data(), loss, {MetricKind::accuracy})[1]; }
};

constexpr double any = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("estimator: the order is that of NumPy's RandomState(seed).shuffle") {
    std::vector<Index> order(12);
    std::iota(order.begin(), order.end(), Index(0));
    std::mt19937 generator(7);
    shuffle(order, words_of(generator));
    CHECK(order == std::vector<Index>{7, 10, 2, 5, 0, 1, 11, 8, 3, 6, 9, 4});
    shuffle(order, words_of(generator));
    CHECK(order == std::vector<Index>{10, 1, 2, 5, 4, 6, 7, 0, 11, 8, 3, 9});
    std::vector<Index> none, one{3};
    shuffle(none, words_of(generator));
    shuffle(one, words_of(generator));
    CHECK(one == std::vector<Index>{3});
}

TEST_CASE_TEMPLATE("estimator: it ends after more epochs than n_iter_no_change without an improvement by tol",
                   T, float, double) {
    Run<T> run;
    run.fit({.tol = 1e3, .n_iter_no_change = 4}, 100);
    CHECK(run.report.epochs.size() == 6);  // the first improves on infinity
    CHECK(run.report.ended);
    CHECK(run.report.epochs.back().plateau);
    CHECK(run.report.state.no_improvement == 5);
    CHECK(run.report.state.rows_counted == 6 * 64);
    double best = any;
    for (const EstimatorEpoch& epoch : run.report.epochs) best = std::min(best, epoch.loss);
    CHECK(run.report.state.best_loss == best);
}

TEST_CASE("estimator: training continues from the state of the run before, bit for bit") {
    Run<> complete, parts;
    const EstimatorRules rules{.tol = 0.02, .n_iter_no_change = 6};
    std::mt19937 one(3), two(3);
    const auto shuffled = [](Run<>& run, std::mt19937& generator) {
        auto rows = std::make_shared<std::vector<Index>>(64);
        std::iota(rows->begin(), rows->end(), Index(0));
        run.hooks.order = [rows, &generator](Index, std::span<Index> order) {
            shuffle(*rows, words_of(generator));
            std::copy(rows->begin(), rows->end(), order.begin());
        };
    };
    shuffled(complete, one), shuffled(parts, two);
    complete.fit(rules, 9);
    parts.fit(rules, 4);
    parts.fit(rules, 5);
    CHECK(same_values(complete.net, parts.net));
    CHECK(complete.report.epochs.size() == 9);
    CHECK(parts.report.epochs.size() == 5);  // a report starts empty
    CHECK(complete.report.epochs.back().loss == parts.report.epochs.back().loss);
    CHECK(complete.report.state.no_improvement == parts.report.state.no_improvement);
    CHECK(one() == two());
}

TEST_CASE("estimator: the rate decreases with the rows counted, or to a fifth on a plateau") {
    Run<> inverse;
    EstimatorRules rules{.n_iter_no_change = any, .learning_rate = RateRule::invscaling};
    rules.learning_rate_init = 0.05;
    inverse.fit(rules, 3);
    CHECK(inverse.report.epochs[0].lr == 0.05);
    CHECK(inverse.report.epochs[2].lr == 0.05 / std::pow(129.0, 0.5));
    CHECK(inverse.sgd.setting("lr") == 0.05 / std::pow(193.0, 0.5));

    Run<> adaptive;
    adaptive.fit({.tol = 1e3, .n_iter_no_change = 1, .learning_rate = RateRule::adaptive}, 1000);
    CHECK(adaptive.report.ended);
    CHECK(adaptive.report.epochs[2].plateau);
    CHECK(adaptive.report.epochs[3].lr == 0.05 / 5);
    CHECK(adaptive.sgd.setting("lr") <= 1e-6);
    CHECK(adaptive.sgd.setting("lr") > 1e-6 / 5);
    CHECK(message([] { parse_rate_rule("linear"); }) ==
          "unknown learning_rate 'linear'; choose from constant, invscaling, adaptive");
}

TEST_CASE("estimator: early stopping goes by the score of rows held out and ends with the best weights") {
    Run<> run;
    run.sgd.set_setting("lr", 2);  // wild enough to get worse
    EstimatorRules rules{.tol = 0, .n_iter_no_change = 5, .early_stopping = true};
    rules.metric = MetricKind::accuracy;
    rules.val_constant = 10;
    run.fit(rules, 200, true);
    double best = 0;
    for (const EstimatorEpoch& epoch : run.report.epochs) best = std::max(best, epoch.val_score);
    CHECK(run.report.best_kept);
    CHECK(run.report.state.best_score == best);
    CHECK(run.accuracy() == best);
    CHECK(run.report.epochs.back().val_loss > 10);

    Run<> scored;  // a score of the caller's
    scored.hooks.score = [&] { return -double(scored.report.epochs.size()); };
    rules.metric.reset();
    scored.fit(rules, 200, true);
    CHECK(scored.report.epochs.size() == 7);
    CHECK(scored.report.state.best_score == 0);
    CHECK(message([] { Run<>().fit({.early_stopping = true}, 1); }) ==
          "fit: early_stopping needs rows that are held out");
}

TEST_CASE("estimator: steps, callers and numbers that are not finite end it") {
    Run<> run;
    run.fit({.max_steps = 6}, 100);  // four steps an epoch
    CHECK(run.report.steps == 6);
    CHECK(run.report.epochs.size() == 2);
    CHECK_FALSE(run.report.epochs[1].complete);
    CHECK(run.report.ended);
    CHECK(run.report.state.rows_counted == 64 + 2 * 16);
    CHECK(run.report.state.best_loss == std::min(run.report.epochs[0].loss, run.report.epochs[1].loss));

    Run<> complete;
    complete.fit({.max_steps = 8}, 100);  // the second epoch comes to its end
    CHECK(complete.report.epochs.size() == 2);
    CHECK(complete.report.epochs[1].complete);
    CHECK(complete.report.state.rows_counted == 128);

    Run<> interrupted;
    interrupted.hooks.order = [&](Index epoch, std::span<Index> order) {
        std::iota(order.begin(), order.end(), Index(0));
        if (epoch == 2) throw std::runtime_error("stop");
    };
    CHECK_THROWS_AS(interrupted.fit({}, 100), std::runtime_error);
    CHECK(interrupted.report.epochs.size() == 2);  // no step of the third
    CHECK(interrupted.report.state.rows_counted == 128);

    Run<> stopped;
    stopped.hooks.epoch_end = [&](const EstimatorEpoch&) { return stopped.report.epochs.size() < 3; };
    stopped.fit({}, 100);
    CHECK(stopped.report.epochs.size() == 3);

    Run<> wild;
    wild.sgd.set_setting("lr", 1e308);
    EstimatorRules rules{.early_stopping = true};
    rules.metric = MetricKind::accuracy;
    CHECK_THROWS_AS(wild.fit(rules, 100, true), NonFiniteError);
    CHECK_FALSE(wild.report.best_kept);
}

TEST_CASE("estimator: many side by side are what each is alone, whatever one of them throws") {
    constexpr Index count = 9;
    for (const int threads : {1, 3}) {
        std::vector<Run<float>> side(count), alone(count);
        const auto train = [](Run<float>& run, Index i) {
            run.sgd.set_setting("lr", 0.01 * double(i + 1));
            run.fit({.tol = 0.01, .n_iter_no_change = double(i % 3)}, 20 + i);
        };
        CHECK(message([&] {
                  run_jobs(count, threads, [&](Index i) {
                      train(side[std::size_t(i)], i);
                      require(i != 4 && i != 7, "job ", i);
                  });
              }) == "job 4");
        for (Index i = 0; i < count; ++i) {
            train(alone[std::size_t(i)], i);
            CHECK(same_values(side[std::size_t(i)].net, alone[std::size_t(i)].net));
            CHECK(side[std::size_t(i)].report.epochs.size() == alone[std::size_t(i)].report.epochs.size());
        }
    }
    std::atomic<int> several = 0;
    for (const int threads : {1, 2})
        run_jobs(4, threads, [&](Index) {
            const ExecutionScope four({4});
            several += threads_for(1e30) != 1;
        });
    CHECK(several == 0);
    std::atomic<int> done = 0;
    run_jobs(0, 2, [&](Index) { ++done; });
    run_jobs(70000, 2, [&](Index) { ++done; });
    CHECK(done == 70000);
}
