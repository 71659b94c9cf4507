// Rules that see all rows at once: the factor of their equations, and fits by both.
#include <cmlp/train/full_batch.hpp>

#include <doctest/doctest.h>

#include "ops/cholesky.hpp"
#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// a a^T + I
Matrix<double> positive(Index n) {
    Matrix<double> a(n, n);
    Rng rng(5, Stream::user);
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j) a(i, j) = rng.normal();
    Matrix<double> product = a * a.transpose();
    for (Index i = 0; i < n; ++i) product(i, i) += 1;
    return product;
}

template <class T>
struct Squares {
    Matrix<T> x{50, 3}, y{50, 1};
    Network<T> net{{Linear{3, 6}, activation("tanh"), Linear{6, 1}}, 3};
    Loss loss{LossKind::mse};
    FitReport report;
    FitOptions options;

    Squares() {
        Rng rng(7, Stream::user);
        for (Index i = 0; i < 50; ++i) {
            for (Index j = 0; j < 3; ++j) x(i, j) = T(rng.normal());
            y(i, 0) = x(i, 0) * x(i, 1) - x(i, 2);
        }
        options.epochs = 20;
        options.batch_size = 50;
    }
    void fit(FullBatchRule<T>& rule) { cmlp::fit(net, {x, {y, {}}, {}}, loss, rule, options, report); }
};

}  // namespace

TEST_CASE("cholesky: solves systems of any size, blocks and their ends included") {
    for (const Index n : {1, 2, 63, 64, 65, 130, 200}) {
        const Matrix<double> a = positive(n);
        Matrix<double> r = a;
        std::vector<double> b(static_cast<std::size_t>(n)), x;
        for (Index i = 0; i < n; ++i) b[std::size_t(i)] = double(i % 7) - 3;
        x = b;
        REQUIRE(cholesky(r));
        cholesky_solve(r.view(), x);
        for (Index i = 0; i < n; ++i) {
            double sum = 0;
            for (Index j = 0; j < n; ++j) sum += a(i, j) * x[std::size_t(j)];
            CHECK(sum == doctest::Approx(b[std::size_t(i)]).epsilon(1e-9).scale(10));
        }
    }
}

TEST_CASE("cholesky: a matrix that is not positive definite has no factor") {
    Matrix<double> a = positive(100);
    a(90, 90) = -1;
    CHECK_FALSE(cholesky(a));
    a = positive(3);
    a(1, 1) = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(cholesky(a));
    a(1, 1) = std::numeric_limits<double>::infinity();
    CHECK_FALSE(cholesky(a));
}

TEST_CASE_TEMPLATE("full batch: both rules learn, record each epoch and end with the better weights", T,
                   float, double) {
    Squares<T> first, second;
    LbfgsRule<T> lbfgs(first.net.parameters());
    lbfgs.limits.strong_wolfe = true;
    LevenbergMarquardtRule<T> levenberg(second.net.parameters());
    first.fit(lbfgs);
    second.fit(levenberg);
    for (const FitReport* report : {&first.report, &second.report}) {
        REQUIRE(report->epochs.size() == 20);
        CHECK(report->steps == 20);
        for (std::size_t i = 1; i < 20; ++i) CHECK(report->epochs[i].loss <= report->epochs[i - 1].loss);
        CHECK(report->epochs[19].loss < 0.1 * report->epochs[0].loss);
    }
    CHECK(first.net.training());
    CHECK(first.net.pass_count() == 20);
    CHECK(second.net.pass_count() == 20);
}

TEST_CASE("full batch: what is refused") {
    Squares<double> run, other;
    LbfgsRule<double> rule(run.net.parameters()), strange(other.net.parameters());
    run.options.batch_size = 32;
    CHECK(message([&] { run.fit(rule); }) ==
          "fit: LBFGS sees all rows at once: batch_size is 32, there are 50 rows");
    run.options.batch_size = 50;
    CHECK(message([&] { run.fit(strange); }) == "fit: the optimizer is over parameters of another network");
    run.options.schedules = {{"lr", 0, std::vector<double>(20, 0.1), false}};
    CHECK(message([&] { run.fit(rule); }) == "fit: LBFGS takes no scheduler");
    CHECK(message([] { LbfgsRule<double>({}); }) == "LBFGS: there are no parameters");
}

TEST_CASE_TEMPLATE("full batch: rows that do not count give 0 and change nothing, in one block or several", T,
                   float, double) {
    for (const Index rows : {Index(50), Index(9000)}) {
        CAPTURE(rows);
        const Matrix<T> x = numbers<T>(rows, 3, 1);
        const std::vector<std::int64_t> label(std::size_t(rows), -100);
        Network<T> net({Linear{3, 4}, activation("tanh"), Linear{4, 2}}, 3);
        const Network<T> before(net);
        LbfgsRule<T> rule(net.parameters());
        const Loss loss(LossKind::cross_entropy, {{"ignore_index", -100}});
        const FitReport report =
            fit<T>(net, {x, {{}, label}, {}}, loss, rule, {.epochs = 2, .batch_size = rows});
        CHECK(report.epochs.front().loss == 0);
        CHECK(report.stop == Stop::converged);
        CHECK(same_values(net, before));
    }
}
