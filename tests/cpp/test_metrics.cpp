// Metrics against their definitions, for all rows and batch by batch, with weights, near and far from 0.
#include <cmlp/losses/metrics.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "matrix_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// Weighted mean over the rows of term(y, t), averaged over the outputs.
double average(const Grid& y, const Grid& t, const Line& w, double (*term)(double, double)) {
    double total = 0, weight = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        weight += w[i];
        for (std::size_t j = 0; j < y[0].size(); ++j)
            total += w[i] * term(y[i][j], t[i][j]) / double(y[0].size());
    }
    return total / weight;
}

double r2(const Grid& y, const Grid& t, const Line& w) {
    double sum = 0;
    for (std::size_t j = 0; j < y[0].size(); ++j) {
        double weight = 0, mean = 0, residual = 0, spread = 0;
        for (std::size_t i = 0; i < y.size(); ++i) weight += w[i], mean += w[i] * t[i][j];
        mean /= weight;
        for (std::size_t i = 0; i < y.size(); ++i) {
            residual += w[i] * (y[i][j] - t[i][j]) * (y[i][j] - t[i][j]);
            spread += w[i] * (t[i][j] - mean) * (t[i][j] - mean);
        }
        sum += 1 - residual / spread;
    }
    return sum / double(y[0].size());
}

// The metric of all rows, added in batches of `size`.
template <class T>
double measured(MetricKind kind, OutputKind output, const Matrix<T>& y, const Target<T>& target,
                const std::vector<T>& weight, Index size) {
    Metric metric(kind, output);
    for (int pass = 0; pass < 2; ++pass) {  // the second after a reset
        metric.reset();
        for (Index r = 0; r < y.rows(); r += size) {
            const Index n = std::min(size, y.rows() - r);
            const std::span<const T> w(weight);
            metric.add<T>({y.middle_rows(r, n), target.middle_rows(r, n),
                           w.empty() ? w : w.subspan(std::size_t(r), std::size_t(n))});
        }
    }
    return metric.result();
}

double squared(double y, double t) { return (y - t) * (y - t); }
double absolute(double y, double t) { return std::abs(y - t); }

}  // namespace

TEST_CASE_TEMPLATE("metrics: of values, with and without weights, in batches of any size", T, float, double) {
    const Matrix<T> y = numbers<T>(50, 3, 1), t = numbers<T>(50, 3, 2);
    for (const bool weighted : {false, true})
        for (const Index size : {1, 7, 50}) {
            std::vector<T> weight;
            for (int i = 0; i < 50 && weighted; ++i) weight.push_back(T(i % 5) / 2);
            const Line w = weighted ? Line(weight.begin(), weight.end()) : Line(50, 1);
            const Grid a = grid_of(y), b = grid_of(t);
            const auto got = [&](MetricKind kind) {
                return measured<T>(kind, OutputKind::value, y, {t.view(), {}}, weight, size);
            };
            CHECK(got(MetricKind::mse) == doctest::Approx(average(a, b, w, squared)).epsilon(1e-12));
            CHECK(got(MetricKind::rmse) ==
                  doctest::Approx(std::sqrt(average(a, b, w, squared))).epsilon(1e-12));
            CHECK(got(MetricKind::mae) == doctest::Approx(average(a, b, w, absolute)).epsilon(1e-12));
            CHECK(got(MetricKind::r2) == doctest::Approx(r2(a, b, w)).epsilon(1e-10));
        }
}

TEST_CASE_TEMPLATE("metrics: accuracy of classes, from labels and from probabilities", T, float, double) {
    const Matrix<T> y = numbers<T>(40, 5, 3), dense = numbers<T>(40, 5, 4);
    std::vector<std::int64_t> label;
    std::vector<T> weight;
    double right_labels = 0, right_dense = 0, total = 0;
    for (Index i = 0; i < 40; ++i) {
        label.push_back(i % 5);
        weight.push_back(T(1 + i % 3));
        const auto best = [&](const Matrix<T>& m) {
            return std::max_element(&m(i, 0), &m(i, 0) + 5) - &m(i, 0);
        };
        total += double(weight.back());
        right_labels += best(y) == label.back() ? double(weight.back()) : 0;
        right_dense += best(y) == best(dense) ? double(weight.back()) : 0;
    }
    for (const Index size : {1, 9, 40}) {
        const auto kind = MetricKind::accuracy;
        const auto output = OutputKind::class_logits;
        CHECK(measured<T>(kind, output, y, {{}, label}, weight, size) ==
              doctest::Approx(right_labels / total));
        CHECK(measured<T>(kind, output, y, {dense.view(), {}}, weight, size) ==
              doctest::Approx(right_dense / total));
    }
}

TEST_CASE_TEMPLATE("metrics: accuracy of binary outputs counts elements; the threshold follows from the loss",
                   T, float, double) {
    Matrix<T> y{{T(0.4), T(0.6)}, {T(0.5), T(-0.1)}, {T(0.51), T(2)}}, t{{0, 1}, {1, 0}, {1, 1}};
    const auto got = [&](OutputKind output) {
        return measured<T>(MetricKind::accuracy, output, y, {t.view(), {}}, {}, 2);
    };
    CHECK(got(OutputKind::probability) == doctest::Approx(5.0 / 6));  // 0.5 is no
    CHECK(got(OutputKind::logit) == doctest::Approx(5.0 / 6));        // 0.4 is yes, -0.1 no
}

TEST_CASE("metrics: r2 far from 0, of constant targets, and of perfect predictions") {
    const auto r2_of = [](double offset, double noise, double spread) {
        Matrix<double> y(60, 1), t(60, 1);
        for (Index i = 0; i < 60; ++i) {
            t(i, 0) = offset + spread * double(i % 7 - 3);
            y(i, 0) = t(i, 0) + (i % 2 ? noise : -noise);
        }
        Metric metric(MetricKind::r2, OutputKind::value);
        metric.add<double>({y.view(), {t.view(), {}}, {}});
        const double expected = r2(grid_of(y), grid_of(t), Line(60, 1));
        return std::pair(metric.result(), expected);
    };
    for (const double offset : {0.0, 1e3, 1e6, 1e8, -1e9}) {
        const auto [got, expected] = r2_of(offset, 0.5, 1);
        CAPTURE(offset);
        CHECK(got == doctest::Approx(expected).epsilon(1e-6));
    }
    CHECK(r2_of(5, 0, 1).first == 1);
    for (const double constant : {0.0, 0.1, 1.0 / 3, 1e6 + 0.7}) {
        CAPTURE(constant);
        CHECK(r2_of(constant, 0.25, 0).first == 0);  // nothing to explain, and it was not hit
        CHECK(r2_of(constant, 0, 0).first == 1);
    }
}

TEST_CASE("metrics: what makes no sense for the loss is refused") {
    CHECK(message([] { Metric(MetricKind::accuracy, OutputKind::value); }) ==
          "metric 'accuracy' needs a loss for classes");
    for (const MetricKind kind : {MetricKind::mse, MetricKind::rmse, MetricKind::mae, MetricKind::r2})
        CHECK(message([&] { Metric(kind, OutputKind::class_logits); }) ==
              "metric '" + std::string(name(kind)) + "' needs a loss for values");
    Metric(MetricKind::mse, OutputKind::probability);
    CHECK(std::isnan(Metric(MetricKind::mse, OutputKind::value).result()));
}

TEST_CASE_TEMPLATE("metrics: the class among the three largest outputs, ties to the lower class", T, float,
                   double) {
    const Matrix<T> y{{4, 3, 2, 1}, {1, 2, 3, 4}, {4, 3, 2, 1}, {1, 1, 1, 1}, {0, 1, 1, 1}};
    const std::vector<std::int64_t> label{2, 0, 3, 3, 3};
    for (const Index size : {1, 2, 5})
        CHECK(measured<T>(MetricKind::top_3, OutputKind::class_logits, y, {{}, label}, {1, 2, 4, 8, 16},
                          size) == doctest::Approx((1 + 16) / 31.0));
}

TEST_CASE_TEMPLATE("metrics: log loss, Brier score and area of two binary outputs", T, float, double) {
    const Matrix<T> y{{T(0.5), -1}, {-2, 3}, {T(0.25), 3}}, t{{1, 0}, {0, 1}, {0, 0}};
    const std::vector<T> weight{1, 2, 3};
    double loss = 0, brier = 0;
    for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 2; ++j) {
            const double p = 1 / (1 + std::exp(-double(y(i, j)))), truth = double(t(i, j));
            loss -= double(weight[size_t(i)]) / 12 * std::log(truth > 0 ? p : 1 - p);
            brier += double(weight[size_t(i)]) / 12 * squared(p, truth);
        }
    const auto got = [&](MetricKind kind) {
        return measured<T>(kind, OutputKind::logit, y, {t.view(), {}}, weight, 2);
    };
    CHECK(got(MetricKind::log_loss) == doctest::Approx(loss).epsilon(1e-6));
    CHECK(got(MetricKind::brier) == doctest::Approx(brier).epsilon(1e-6));
    // First output: the positive one is above both. Second: weight 2 above weight 1, and ties with weight 3.
    CHECK(got(MetricKind::auc) == doctest::Approx((1 + (1 + 3 / 2.0) / 4) / 2));
}
