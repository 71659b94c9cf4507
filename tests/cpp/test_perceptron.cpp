// The perceptron: the convergence theorem, XOR, pocket, average, the delta rule, and what is refused.
#include <cmlp/runtime/rng.hpp>
#include <cmlp/train/perceptron.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace {

using namespace cmlp;

struct Data {
    Matrix<double> x;             // (rows, features)
    std::vector<double> targets;  // (rows)

    MatrixView<const double> rows() const { return x.view(); }
};

// Points of [-1, 1]^features at least `margin` from the plane a.x = 0.1, |a| = 1, some targets flipped.
Data make_data(Index rows, Index features, double margin, double flipped, std::uint64_t seed) {
    Rng rng(seed, Stream::user);
    Data data{Matrix<double>(rows, features), {}};
    const double a = 1 / std::sqrt(static_cast<double>(features));
    while (static_cast<Index>(data.targets.size()) < rows) {
        const Index i = static_cast<Index>(data.targets.size());
        double z = -0.1;
        for (Index j = 0; j < features; ++j) {
            data.x(i, j) = 2 * rng.uniform() - 1;
            z += a * data.x(i, j);
        }
        if (std::abs(z) < margin) continue;
        const double target = z > 0 ? 1 : -1;
        data.targets.push_back(rng.uniform() < flipped ? -target : target);
    }
    return data;
}

Data xor_data() { return {{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {-1, 1, 1, -1}}; }

Perceptron learned(const Data& data, PerceptronOptions options) {
    Perceptron perceptron(options);
    perceptron.fit(data.rows(), data.targets);
    return perceptron;
}

Index count_mistakes(const Perceptron& perceptron, const Data& data) {
    std::vector<double> z(data.targets.size());
    perceptron.decision_function(data.rows(), z);
    Index mistakes = 0;
    for (std::size_t i = 0; i < z.size(); ++i) mistakes += (z[i] > 0) != (data.targets[i] > 0);
    return mistakes;
}

std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("perceptron: mistakes on separable data stay below (R / margin)^2") {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u})
        for (const bool shuffle : {false, true}) {
            const double margin = 0.05;
            const Data data = make_data(200, 3, margin, 0, seed);
            const Perceptron perceptron =
                learned(data, {.learning_rate = 0.5, .epochs = 10000, .shuffle = shuffle, .seed = seed});
            const PerceptronLog& log = perceptron.log();
            CHECK(log.converged);
            CHECK(log.mistakes.back() == 0);
            CHECK(log.mistakes_left == 0);
            CHECK(count_mistakes(perceptron, data) == 0);
            // Novikoff 1962, in the space of (x, 1): R^2 <= features + 1, and |(a, -0.1)|^2 = 1.01
            const double r2 = 3 + 1, gamma2 = margin * margin / 1.01;
            CHECK(std::accumulate(log.mistakes.begin(), log.mistakes.end(), 0.0) <= r2 / gamma2);
        }
}

TEST_CASE("perceptron: XOR has no line, and the log says so") {
    for (std::size_t i = 0; i < rows<PerceptronRule>().size(); ++i) {
        const auto rule = static_cast<PerceptronRule>(i);
        const Perceptron perceptron = learned(xor_data(), {.rule = rule, .epochs = 500, .tolerance = 0});
        CAPTURE(std::string(name(rule)));
        CHECK_FALSE(perceptron.log().converged);
        CHECK(perceptron.log().epochs() == 500);
        CHECK(perceptron.log().mistakes.back() > 0);
        CHECK(perceptron.log().mistakes_left >= 1);
        CHECK(perceptron.log().mistakes_left == count_mistakes(perceptron, xor_data()));
    }
    CHECK(learned(xor_data(), {.rule = PerceptronRule::pocket, .shuffle = true}).log().mistakes_left == 1);
    CHECK(learned(xor_data(), {.epochs = 50}).log().shortfall ==
          "not converged after 50 epochs: the last one made 4 mistakes, perhaps because no line separates "
          "the classes");
}

TEST_CASE("perceptron: pocket is never worse than the last weights of Rosenblatt's rule") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Data data = make_data(150, 4, 0, 0.15, seed);
        const auto left = [&](PerceptronRule rule) {
            return learned(data, {.rule = rule, .epochs = 20, .shuffle = true, .seed = seed})
                .log()
                .mistakes_left;
        };
        const Index pocket = left(PerceptronRule::pocket);
        CHECK(pocket <= left(PerceptronRule::rosenblatt));
        CHECK(pocket <= 0.25 * 150);
    }
}

TEST_CASE("perceptron: averaged is the mean of the weights after every row") {
    const Data data = make_data(40, 3, 0, 0.1, 7);
    const PerceptronOptions options{.rule = PerceptronRule::averaged, .learning_rate = 0.3, .epochs = 9};
    std::vector<double> w(4), sum(4);
    for (Index epoch = 0; epoch < 9; ++epoch)
        for (Index i = 0; i < 40; ++i) {
            const double t = data.targets[static_cast<std::size_t>(i)];
            const double z = w[3] + w[0] * data.x(i, 0) + w[1] * data.x(i, 1) + w[2] * data.x(i, 2);
            for (Index j = 0; j < 4 && (z > 0) != (t > 0); ++j)
                w[static_cast<std::size_t>(j)] += 0.3 * t * (j < 3 ? data.x(i, j) : 1);
            for (std::size_t j = 0; j < 4; ++j) sum[j] += w[j] / (9 * 40);
        }
    const Perceptron perceptron = learned(data, options);
    for (std::size_t j = 0; j < 3; ++j)
        CHECK(perceptron.neuron().weights[j] == doctest::Approx(sum[j]).epsilon(1e-12));
    CHECK(perceptron.neuron().bias == doctest::Approx(sum[3]).epsilon(1e-12));
}

TEST_CASE("perceptron: adaline comes to the least-squares line") {
    const Data data = make_data(200, 2, 0, 0.1, 3);
    const Perceptron perceptron = learned(
        data, {.rule = PerceptronRule::adaline, .learning_rate = 1e-4, .epochs = 5000, .tolerance = 1e-13});
    const PerceptronLog& log = perceptron.log();
    // at the least-squares solution the residuals are orthogonal to every column and to the ones of the bias
    std::vector<double> z(200);
    perceptron.decision_function(data.rows(), z);
    for (Index j = 0; j <= 2; ++j) {
        double slope = 0;
        for (Index i = 0; i < 200; ++i)
            slope += (data.targets[static_cast<std::size_t>(i)] - z[static_cast<std::size_t>(i)]) *
                     (j < 2 ? data.x(i, j) : 1);
        CHECK(std::abs(slope / 200) < 1e-3);
    }
    CHECK(log.squared_error.front() > log.squared_error.back());
    CHECK(log.epochs() == static_cast<Index>(log.squared_error.size()));
}

TEST_CASE("perceptron: adaline ends when the error no longer changes, and stops when it overflows") {
    const Data data = make_data(100, 2, 0.1, 0, 3);
    CHECK(learned(data, {.rule = PerceptronRule::adaline}).log().converged);
    const Perceptron wild = learned(data, {.rule = PerceptronRule::adaline, .learning_rate = 50});
    CHECK(wild.log().diverged);
    CHECK_FALSE(wild.log().converged);
    CHECK(wild.neuron().is_finite());
    CHECK(wild.log().epochs() < 100);
}

TEST_CASE("perceptron: the path starts at zero and ends at the weights") {
    const Data data = make_data(60, 2, 0.05, 0, 5);
    for (const PathOf path : {PathOf::epoch, PathOf::update}) {
        const Perceptron perceptron = learned(data, {.epochs = 1000, .path = path});
        const PerceptronLog& log = perceptron.log();
        const Index updates = std::accumulate(log.mistakes.begin(), log.mistakes.end(), Index{0});
        const Index steps = 1 + (path == PathOf::epoch ? log.epochs() : updates);
        REQUIRE(static_cast<Index>(log.path.size()) == 3 * steps);
        CHECK(std::all_of(log.path.begin(), log.path.begin() + 3, [](double w) { return w == 0; }));
        CHECK(log.path.back() == perceptron.neuron().bias);
        CHECK(log.path[log.path.size() - 2] == perceptron.neuron().weights[1]);
    }
    CHECK(learned(data, {}).log().path.empty());
}

TEST_CASE("perceptron: shuffling follows the seed, rows may lie apart in memory, the caller may stop") {
    const Data data = make_data(300, 3, 0, 0.1, 9);
    const auto mistakes = [&](std::uint64_t seed) {
        return learned(data, {.epochs = 10, .shuffle = true, .seed = seed}).log().mistakes;
    };
    CHECK(mistakes(1) == mistakes(1));
    CHECK(mistakes(1) != mistakes(2));

    Matrix<double> wide(300, 40);
    wide.view().block(0, 7, 300, 3).assign(data.rows());
    Perceptron apart, packed = learned(data, {});
    apart.fit(wide.view().block(0, 7, 300, 3), data.targets);
    CHECK(apart.log().mistakes == packed.log().mistakes);
    CHECK(apart.neuron().weights == packed.neuron().weights);

    Perceptron stopped;
    int questions = 0;
    CHECK(stopped.fit(data.rows(), data.targets, [&] { return ++questions == 4; }).interrupted);
    CHECK(stopped.log().epochs() == 2);
    CHECK_FALSE(stopped.log().converged);
}

TEST_CASE("perceptron: what cannot be learned from is refused") {
    const double nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
    const auto fit = [](const Data& data) {
        return error_of([&] { Perceptron().fit(data.rows(), data.targets); });
    };
    CHECK(fit({{{1, 2}, {3, nan}}, {1, -1}}) == "Perceptron.fit: X has nan at row 1, column 1");
    CHECK(fit({{{1, 2}, {-inf, 0}}, {1, -1}}) == "Perceptron.fit: X has -inf at row 1, column 0");
    CHECK(fit({{{1, 2}, {3, 4}}, {1}}) == "Perceptron.fit: X has 2 rows, y has 1");
    CHECK(fit({{{1, 2}, {3, 4}}, {1, 0}}) == "Perceptron.fit: target 0 at row 1, it must be -1 or 1");
    CHECK(fit({{{1, 2}, {3, 4}}, {1, 1}}) == "Perceptron.fit: y has one class, 1; a perceptron needs two");
    CHECK(fit({Matrix<double>(0, 2), {}}) == "Perceptron.fit: X is 0x2, there is nothing to learn from");
    CHECK(fit({Matrix<double>(2, 0), {1, -1}}) == "Perceptron.fit: X is 2x0, there is nothing to learn from");

    const auto make = [](PerceptronOptions options) { return error_of([&] { Perceptron{options}; }); };
    CHECK(make({.learning_rate = 0}) == "Perceptron: learning_rate is 0, it must be positive");
    CHECK(make({.learning_rate = nan}) == "Perceptron: learning_rate is nan, it must be positive");
    CHECK(make({.epochs = 0}) == "Perceptron: epochs is 0, it must be at least 1");
    CHECK(make({.tolerance = -1}) == "Perceptron: tolerance is -1, it must not be negative");
    CHECK(error_of([] { parse<PerceptronRule>("rosenblat"); }) ==
          "unknown perceptron rule 'rosenblat'; choose from rosenblatt, pocket, averaged, adaline");

    const Perceptron perceptron = learned(xor_data(), {});
    std::vector<double> z(1);
    const auto decide = [&](const Matrix<double>& x) {
        return error_of([&] { perceptron.decision_function(x, z); });
    };
    CHECK(decide({{1, 2, 3}}) == "Perceptron.decision_function: X has 3 columns, the perceptron expects 2");
    CHECK(decide({{1, 2}, {3, 4}}) == "Perceptron.decision_function: z has 1 values, X has 2 rows");
    CHECK(decide({{1, nan}}) == "Perceptron.decision_function: X has nan at row 0, column 1");
}
