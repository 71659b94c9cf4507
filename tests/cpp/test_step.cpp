// A step: accumulated batches against one large batch, penalties, dropout by a factor, options that are refused.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "trainer_helpers.hpp"

using namespace cmlp;
using namespace cmlp::test;

namespace {

// Weights after a fit; each call with the same options gives the same.
template <class T>
Network<T> trained(const FitOptions& options, bool weighted, double* loss = nullptr) {
    Problem<T> problem(60);
    if (weighted) problem.weigh();
    Network<T> net = network<T>();
    Optimizer<T> sgd(OptimizerKind::sgd, net, {{"lr", 0.1}});
    FitReport report;
    fit(net, problem.data(), Loss(LossKind::cross_entropy), sgd, options, report);
    if (loss) *loss = report.epochs.back().loss;
    return net;
}

}  // namespace

TEST_CASE("step: accumulated batches are one large batch") {
    for (const bool weighted : {false, true}) {
        double one = 0, two = 0;
        const auto small =
            trained<double>({.epochs = 3, .batch_size = 8, .accumulate_steps = 4}, weighted, &one);
        const auto large = trained<double>({.epochs = 3, .batch_size = 32}, weighted, &two);
        CHECK(std::abs(one - two) < 1e-13);
        for (std::size_t i = 0; i < large.values().size(); ++i)
            CHECK(std::abs(small.values()[i] - large.values()[i]) < 1e-13);
    }
}

TEST_CASE_TEMPLATE("step: the loss before it has the penalties", T, float, double) {
    const Problem<T> problem(20);
    Network<T> net = network<T>();
    Optimizer<T> sgd(OptimizerKind::sgd, net, {{"lr", 0.0}});
    LossResult<T> result;
    const Loss loss(LossKind::cross_entropy);
    const double plain = train_step(net, problem.data(), loss, sgd, result);
    double sizes = 0;
    for (const auto& p : net.parameters())
        for (Index i = 0; i < p.value.rows() && !p.spec.vector; ++i)
            for (Index j = 0; j < p.value.cols(); ++j) sizes += std::abs(double(p.value(i, j)));
    CHECK(train_step(net, problem.data(), loss, sgd, result, {.l1 = 0.5}) ==
          doctest::Approx(plain + sizes / 2).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("step: an update that overflows is undone, whoever has set the weights before", T, float,
                   double) {
    const Problem<T> problem(20);
    Network<T> net = network<T>();
    Optimizer<T> sgd(OptimizerKind::sgd, net, {{"lr", 0.01}, {"weight_decay", 100}});
    LossResult<T> result;
    const Loss loss(LossKind::cross_entropy);
    train_step(net, problem.data(), loss, sgd, result);
    const auto bias = net.parameters().back().value;
    bias.set_constant(std::numeric_limits<T>::max() / 2);  // the same for all classes
    const Network<T> before(net);
    CHECK_THROWS_AS(train_step(net, problem.data(), loss, sgd, result), NonFiniteError);
    CHECK(same_values(net, before));
}

TEST_CASE("step: a factor of dropout is another p") {
    const Problem<double> problem(20);
    Network<double> one = network<double>(0.5), two = network<double>(0.25);
    one.set_dropout(0.5);
    const auto a = one.forward(problem.x), b = two.forward(problem.x);
    CHECK(first_difference(a.data(), b.data(), a.cols()) == -1);
    CHECK(message([&] { one.set_dropout(1.5); }) == "dropout: the factor of p is 1.5, it must be in [0, 1]");
}

TEST_CASE("step: mixup and noise continue where a run was stopped") {
    const FitOptions all{.epochs = 4, .batch_size = 16, .mixup = 0.4, .input_noise = 0.1};
    const auto uncut = trained<float>(all, false);
    const Problem<float> problem(60);
    Network<float> net = network<float>();
    Optimizer<float> sgd(OptimizerKind::sgd, net, {{"lr", 0.1}});
    for (const auto& [first, last] : {std::pair<Index, Index>{0, 1}, {1, 4}}) {
        FitOptions part = all;
        part.first_epoch = first, part.epochs = last;
        FitReport report;
        fit(net, problem.data(), Loss(LossKind::cross_entropy), sgd, part, report);
    }
    CHECK(same_values(net, uncut));
}
