// Loops over flat numbers (clipping, averages), L-BFGS on a quadratic, and Muon's orthogonal step.
#include <cmlp/network/network.hpp>
#include <cmlp/ops/flat.hpp>
#include <cmlp/optim/lbfgs.hpp>
#include <cmlp/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

using namespace cmlp;
using namespace cmlp::test;

TEST_CASE_TEMPLATE("flat: a norm over several runs, and what clipping leaves", T, float, double) {
    std::vector<T> a = {3, 0}, b = {-4};
    const std::vector<std::span<T>> runs = {a, b};
    CHECK(total_norm<T>(runs, 1) == 7);
    CHECK(total_norm<T>(runs, 2) == 5);
    CHECK(total_norm<T>(runs, INFINITY) == 4);
    CHECK(clip_norm<T>(runs, 10) == 5);
    CHECK(b[0] == T(-4));
    CHECK(clip_norm<T>(runs, 1) == 5);
    CHECK(double(a[0]) == doctest::Approx(0.6).epsilon(1e-6));
    clip_value<T>(runs, 0.5);
    CHECK(a == std::vector<T>{T(0.5), 0});
    CHECK(b[0] == T(-0.5));
    CHECK(message([&] { total_norm<T>(runs, 3); }) ==
          "clip_grad_norm_: norm_type is 3, it must be 1, 2 or infinity");
}

TEST_CASE("flat: averages move a share of the way, all of it copies") {
    std::vector<double> mean = {1, 2}, x = {3, -2};
    average_into<double>(mean, x, 0.25);
    CHECK(mean == std::vector<double>{1.5, 1});
    average_into<double>(mean, x, 1);
    CHECK(mean == x);
    CHECK(message([&] { average_into<double>(mean, std::span<const double>(x).first(1), 1); }) ==
          "average: one side has 2 numbers, the other 1");
}

TEST_CASE_TEMPLATE("flat: penalties with their gradient, columns no longer than a limit", T, float, double) {
    Matrix<T> w(2, 3), g(2, 3);
    const double values[] = {3, -2, 0, -4, 0.5, 1};
    for (Index i = 0; i < 6; ++i) w(i / 3, i % 3) = T(values[i]), g(i / 3, i % 3) = 1;
    CHECK(add_penalty<T>(w, g, 0.5, 2) == 0.5 * 10.5 + 30.25);
    const double expected[] = {7.5, -3.5, 1, -7.5, 2.5, 3.5};
    for (Index i = 0; i < 6; ++i) CHECK(g(i / 3, i % 3) == T(expected[i]));
    limit_columns<T>(w, 2.5);
    const double limited[] = {1.5, -2, 0, -2, 0.5, 1};
    for (Index i = 0; i < 6; ++i) CHECK(w(i / 3, i % 3) == T(limited[i]));
}

TEST_CASE("lbfgs: the minimum of a quadratic, in fewer iterations than it may take") {
    std::vector<double> x = {5, -3, 2};
    const double scale[] = {1, 10, 100};
    Lbfgs rule;
    Lbfgs::Limits limits;
    limits.max_iter = 50, limits.max_eval = 80, limits.strong_wolfe = true;
    const double first = rule.step(x, limits, [&](std::span<const double> at, std::span<double> g) {
        double f = 0;
        for (std::size_t i = 0; i < 3; ++i) f += scale[i] * at[i] * at[i] / 2, g[i] = scale[i] * at[i];
        return f;
    });
    CHECK(first == 257.5);
    for (const double v : x) CHECK(std::abs(v) < 1e-4);
    CHECK(rule.state.iterations < 20);
}

TEST_CASE_TEMPLATE("muon: the step of a weight is orthogonal, a bias takes AdamW's", T, float, double) {
    Network<T> net({Linear{4, 3}}, 1);
    const auto& w = net.parameters()[0];
    const auto& b = net.parameters()[1];
    fill(w.grad.data(), 12, 3);
    b.grad.fill(1);
    const Matrix<T> before = w.value, bias = b.value;
    // a cubic iteration that ends at singular values of 1
    const Settings settings = {{"lr", 1},      {"weight_decay", 0}, {"ns_a", 1.5},
                               {"ns_b", -0.5}, {"ns_c", 0},         {"ns_steps", 40}};
    Optimizer<T> optimizer(OptimizerKind::muon, net, settings);
    optimizer.step();
    const Matrix<T> step = before - w.value;  // (in, out) = (4, 3)
    const Matrix<T> gram = step.transpose() * step;
    for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 3; ++j)
            CHECK(double(gram(i, j)) == doctest::Approx(i == j).epsilon(sizeof(T) == 4 ? 1e-4 : 1e-10));
    CHECK(double(bias(0, 0) - b.value(0, 0)) == doctest::Approx(1).epsilon(1e-6));
}
