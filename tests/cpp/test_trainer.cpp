// Training: steps and epochs against the calls they consist of; what is learned and what is reported.
#include <cmlp/train/trainer.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// Settings with which the rule learns a small problem.
Settings learning(OptimizerKind kind) {
    switch (kind) {
        case OptimizerKind::sgd:
            return {{"lr", 0.5}, {"momentum", 0.9}};
        case OptimizerKind::adadelta:
            return {{"lr", 10}};  // its own steps begin at sqrt(eps)
        case OptimizerKind::asgd:
            return {{"lr", 2}};
        default:
            return {{"lr", 0.05}};
    }
}

}  // namespace

TEST_CASE_TEMPLATE("trainer: a step is forward, loss, backward and update, bit for bit", T, float, double) {
    const Problem<T> problem(60);
    Network<T> one = network<T>(), other = network<T>();
    Optimizer<T> adam(OptimizerKind::adam, one), again(OptimizerKind::adam, other);
    const Loss loss(LossKind::cross_entropy);
    LossResult<T> result, explicit_result;
    for (int step = 0; step < 5; ++step) {
        const double value = train_step(one, problem.data(), loss, adam, result);
        loss.evaluate<T>(other.forward(problem.x), problem.data().target, {}, true, explicit_result);
        CHECK(value == explicit_result.total);
        other.zero_grad();
        other.backward(explicit_result.gradient.view());
        again.step();
        CHECK(same_values(one, other));
    }
    CHECK(message([&] {
              train_step(one, problem.data(), Loss(LossKind::cross_entropy, {}, Reduction::none), adam,
                         result);
          }) == "train_step: the loss has reduction 'none'; choose mean or sum");
    CHECK(message([&] { train_step(one, problem.data(), loss, again, result); }) ==
          "train_step: the optimizer is over parameters of another network");
}

TEST_CASE_TEMPLATE("trainer: clipping scales the gradient to the norm, smaller ones stay", T, float, double) {
    const Problem<T> problem(60);
    for (const double clip : {1e-3, 1e3}) {
        Network<T> net = network<T>(), plain = network<T>();
        Optimizer<T> sgd(OptimizerKind::sgd, net, {{"lr", 1}}), sgd2(OptimizerKind::sgd, plain, {{"lr", 1}});
        const std::vector<T> before(net.values().begin(), net.values().end());
        LossResult<T> result;
        train_step(net, problem.data(), Loss(LossKind::cross_entropy), sgd, result, {clip});
        train_step(plain, problem.data(), Loss(LossKind::cross_entropy), sgd2, result);
        double norm = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
            norm += std::pow(double(net.values()[i]) - double(before[i]), 2);
        if (clip < 1)
            CHECK(std::sqrt(norm) == doctest::Approx(clip).epsilon(2e-3));
        else
            CHECK(same_values(net, plain));
    }
}

TEST_CASE_TEMPLATE("trainer: an epoch is one step for each batch, in the order of the shuffle", T, float,
                   double) {
    const Problem<T> problem(50);
    for (const bool shuffle : {false, true}) {
        Network<T> fitted = network<T>(), stepped = network<T>();
        Optimizer<T> one(OptimizerKind::sgd, fitted, {{"lr", 0.1}}),
            two(OptimizerKind::sgd, stepped, {{"lr", 0.1}});
        FitReport report;
        const Loss loss(LossKind::cross_entropy);
        fit(fitted, problem.data(), loss, one, {.epochs = 2, .batch_size = 16, .shuffle = shuffle, .seed = 5},
            report);
        LossResult<T> result;
        for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
            std::vector<Index> order = permutation(50, 5, epoch);
            if (!shuffle) std::iota(order.begin(), order.end(), Index(0));
            double sum = 0;
            for (Index first = 0; first < 50; first += 16) {
                const Problem<T> batch = problem.rows(order, first, std::min<Index>(16, 50 - first));
                sum += train_step(stepped, batch.data(), loss, two, result) * double(batch.x.rows());
            }
            CHECK(report.epochs[epoch].loss == doctest::Approx(sum / 50));
        }
        CHECK(same_values(fitted, stepped));
        CHECK(report.steps == 8);
        CHECK(report.stop == Stop::completed);
    }
}

TEST_CASE("trainer: XOR is learned with every optimizer") {
    const Matrix<double> x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, t{{0}, {1}, {1}, {0}};
    for (std::size_t o = 0; o < rows<OptimizerKind>().size(); ++o) {
        const auto kind = static_cast<OptimizerKind>(o);
        Network<double> net({Linear{2, 8}, activation("tanh"), Linear{8, 1}}, 1);
        Optimizer<double> optimizer(kind, net, learning(kind));
        FitReport report;
        fit(net, {x, {t, {}}, {}}, Loss(LossKind::bce_with_logits), optimizer,
            {.epochs = 300, .batch_size = 4, .metrics = {MetricKind::accuracy}}, report);
        CAPTURE(std::string(name(kind)));
        CHECK(report.epochs.back().metrics[0] == 1);
        CHECK(report.epochs.back().loss < 0.05);
        CHECK(report.epochs.back().loss < report.epochs.front().loss);
    }
}

TEST_CASE_TEMPLATE("trainer: a run in two parts is the run in one, bit for bit", T, float, double) {
    const Problem<T> problem(70);
    Network<T> complete = network<T>(0.3), parts = network<T>(0.3);
    Optimizer<T> one(OptimizerKind::adam, complete), two(OptimizerKind::adam, parts);
    FitReport report, first, second;
    const Loss loss(LossKind::cross_entropy);
    fit(complete, problem.data(), loss, one, {.epochs = 6, .batch_size = 16, .seed = 9}, report);
    fit(parts, problem.data(), loss, two, {.epochs = 2, .batch_size = 16, .seed = 9}, first);
    fit(parts, problem.data(), loss, two, {.epochs = 6, .first_epoch = 2, .batch_size = 16, .seed = 9},
        second);
    CHECK(same_values(complete, parts));
    REQUIRE(second.epochs.size() == 4);
    CHECK(second.epochs[0].epoch == 2);
    CHECK(second.epochs[3].loss == report.epochs[5].loss);
}

TEST_CASE_TEMPLATE("trainer: evaluate is the loss of all rows, however they are batched", T, float, double) {
    Problem<T> problem(2500);
    const Network<T> net = network<T>(0.5);
    for (const bool weighted : {false, true}) {
        if (weighted) problem.weigh();
        Matrix<T> y(2500, 3);
        net.predict_into(problem.x, y);
        LossResult<T> result;
        for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
            const Loss loss(LossKind::cross_entropy, {}, reduction);
            loss.evaluate<T>(y, problem.data().target, problem.weight, false, result);
            const auto values = evaluate(net, problem.data(), loss, {MetricKind::accuracy});
            REQUIRE(values.size() == 2);
            CHECK(values[0] == doctest::Approx(result.total).epsilon(1e-6));
            Metric accuracy(MetricKind::accuracy, OutputKind::class_logits);
            accuracy.add<T>({y.view(), problem.data().target, problem.weight});
            CHECK(values[1] == doctest::Approx(accuracy.result()));
        }
    }
}

TEST_CASE_TEMPLATE("trainer: weight 2 is the row twice in a full batch", T, float, double) {
    Problem<T> once(12);
    once.weight.assign(12, T(1));
    once.weight[3] = 2, once.weight[7] = 0;
    const std::vector<Index> order = {0, 1, 2, 3, 3, 4, 5, 6, 8, 9, 10, 11};
    const Problem<T> twice = Problem<T>(12).rows(order, 0, 12);
    Network<T> a = network<T>(), b = network<T>();
    Optimizer<T> one(OptimizerKind::sgd, a, {{"lr", 0.5}}), two(OptimizerKind::sgd, b, {{"lr", 0.5}});
    FitReport first, second;
    const FitOptions options{
        .epochs = 5, .batch_size = 12, .shuffle = false, .metrics = {MetricKind::accuracy}};
    const Data<T> validation = once.data(), repeated = twice.data();
    fit(a, once.data(), Loss(LossKind::cross_entropy), one, options, first, &validation);
    fit(b, twice.data(), Loss(LossKind::cross_entropy), two, options, second, &repeated);
    for (std::size_t i = 0; i < a.values().size(); ++i)
        CHECK(double(a.values()[i]) == doctest::Approx(double(b.values()[i])).epsilon(1e-4));
    CHECK(first.epochs[4].loss == doctest::Approx(second.epochs[4].loss).epsilon(1e-5));
    CHECK(first.epochs[4].metrics[0] == doctest::Approx(second.epochs[4].metrics[0]));
    CHECK(first.epochs[4].val_loss == doctest::Approx(second.epochs[4].val_loss).epsilon(1e-5));
    CHECK(first.epochs[4].val_metrics[0] == doctest::Approx(second.epochs[4].val_metrics[0]));
}
