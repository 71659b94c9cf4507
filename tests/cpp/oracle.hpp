// What the core's numbers are held against: plain loops in double, each formula once, named as the row it belongs to.
#pragma once

#include <cmlp/loss.hpp>
#include <cmlp/matrix.hpp>
#include <cmlp/registry.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

namespace cmlp::test {

using Line = std::vector<double>;
using Grid = std::vector<Line>;  // (rows, cols)

inline Grid grid(std::size_t rows, std::size_t cols) { return Grid(rows, Line(cols)); }

/// The elements of a matrix or view.
Grid grid_of(const auto& a) {
    Grid copy = grid(std::size_t(a.rows()), std::size_t(a.cols()));
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.cols(); ++j) copy[std::size_t(i)][std::size_t(j)] = double(a(i, j));
    return copy;
}

/// f(i, j) for every element.
template <class F>
Grid made(std::size_t rows, std::size_t cols, F f) {
    Grid result = grid(rows, cols);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < cols; ++j) result[i][j] = f(i, j);
    return result;
}

inline Grid transposed(const Grid& a) {
    return made(a.empty() ? 0 : a[0].size(), a.size(), [&](auto i, auto j) { return a[j][i]; });
}

inline Grid product(const Grid& a, const Grid& b) {
    return made(a.size(), b[0].size(), [&](auto i, auto j) {
        double sum = 0;
        for (std::size_t p = 0; p < b.size(); ++p) sum += a[i][p] * b[p][j];
        return sum;
    });
}

/// Largest |got - expected| / (1 + |expected|); infinite where the shapes differ or one alone is NaN.
double difference(const auto& got, const Grid& expected) {
    const Grid a = grid_of(got);
    if (a.size() != expected.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].size() != expected[i].size()) return INFINITY;
        for (std::size_t j = 0; j < a[i].size(); ++j) {
            const double error = std::abs(a[i][j] - expected[i][j]) / (1 + std::abs(expected[i][j]));
            worst = std::max(worst, std::isnan(error) ? INFINITY : error);
        }
    }
    return worst;
}

/// What rounding may do to a sum of a few hundred terms near 1.
template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;

/// f(z) and f'(z), or l(y, t) and dl/dy.
struct Point {
    double value, slope;
};

namespace activations {

inline Point identity(double z, const double*) { return {z, 1}; }
inline Point sigmoid(double z, const double*) {
    const double y = 1 / (1 + std::exp(-z));
    return {y, y * (1 - y)};
}
inline Point tanh(double z, const double*) { return {std::tanh(z), 1 - std::tanh(z) * std::tanh(z)}; }
inline Point relu(double z, const double*) { return {z > 0 ? z : 0, z > 0 ? 1.0 : 0.0}; }
inline Point leaky_relu(double z, const double* p) { return {z > 0 ? z : p[0] * z, z > 0 ? 1 : p[0]}; }
inline Point gelu(double z, const double*) {
    const double cdf = std::erfc(-z / std::numbers::sqrt2) / 2;
    return {z * cdf, cdf + z * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi)};
}
inline Point gelu_tanh(double z, const double*) {
    const double root = std::sqrt(2 / std::numbers::pi), u = root * (z + 0.044715 * z * z * z);
    const double t = std::tanh(u), slope = root * (1 + 3 * 0.044715 * z * z) / std::cosh(u) / std::cosh(u);
    return {z / 2 * (1 + t), (1 + t) / 2 + z / 2 * slope};
}

}  // namespace activations

inline Point activate(Activation kind, double z, const std::vector<double>& parameters) {
    constexpr Point (*all[])(double, const double*) = {
#define CMLP_ACTIVATION(name, ...) activations::name,
#include <cmlp/activations.def>
    };
    return all[static_cast<int>(kind)](z, parameters.data());
}

inline Line softmax(const Line& x) {
    const double largest = *std::max_element(x.begin(), x.end());
    Line y;
    for (const double v : x) y.push_back(std::exp(v - largest));
    const double sum = std::accumulate(y.begin(), y.end(), 0.0);
    for (double& v : y) v /= sum;
    return y;
}

namespace losses {

/// One row: predictions y, targets t (a class as a one-hot row), w the class weights.
struct Case {
    Line y, t, w;
    std::vector<double> parameters;
};

// Value and slope of each element; a loss that has one value a row gives it in the first element.
using Points = std::vector<Point>;

Points each(const Case& c, auto f) {
    Points points;
    for (std::size_t j = 0; j < c.y.size(); ++j) points.push_back(f(c.y[j], c.t[j]));
    return points;
}

inline Points mse(const Case& c) {
    return each(c, [](double y, double t) { return Point{(y - t) * (y - t), 2 * (y - t)}; });
}
inline Points bce(const Case& c) {
    return each(c, [](double y, double t) {
        const double log_y = std::max(std::log(y), -100.0), log_not_y = std::max(std::log1p(-y), -100.0);
        return Point{-(t * log_y + (1 - t) * log_not_y), (y - t) / std::max(y * (1 - y), 1e-12)};
    });
}
inline Points bce_with_logits(const Case& c) {
    return each(c, [](double y, double t) {
        return Point{std::max(y, 0.0) + std::log1p(std::exp(-std::abs(y))) - t * y,
                     1 / (1 + std::exp(-y)) - t};
    });
}
inline Points cross_entropy(const Case& c) {
    const Line p = softmax(c.y);
    const double smoothing = c.parameters[0], classes = double(c.y.size());
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < p.size(); ++j) {
        const double q = c.w[j] * ((1 - smoothing) * c.t[j] + smoothing / classes);
        points[0].value -= q * std::log(p[j]);
        for (std::size_t i = 0; i < p.size(); ++i) points[i].slope += q * (p[i] - (i == j));
    }
    return points;
}

inline Points row(LossKind kind, const Case& c) {
    constexpr Points (*all[])(const Case&) = {
#define CMLP_LOSS(name, ...) losses::name,
#include <cmlp/losses.def>
    };
    return all[static_cast<int>(kind)](c);
}

}  // namespace losses

/// Philox4x32-10 word by word, as the paper has it.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t(0xD2511F53) * c[0], p1 = std::uint64_t(0xCD9E8D57) * c[2];
        c = {std::uint32_t(p1 >> 32) ^ c[1] ^ k[0], std::uint32_t(p1), std::uint32_t(p0 >> 32) ^ c[3] ^ k[1],
             std::uint32_t(p0)};
        k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
    }
    return c;
}

/// Word `index` of the stream (key, step).
inline std::uint32_t random_word(std::uint64_t key, std::uint64_t step, std::uint64_t index) {
    const auto low = [](std::uint64_t x) { return std::uint32_t(x); };
    const auto high = [](std::uint64_t x) { return std::uint32_t(x >> 32); };
    const std::uint64_t block = index / 4;
    return philox({low(block), high(block), low(step), high(step)}, {low(key), high(key)})[index % 4];
}

}  // namespace cmlp::test
