// The reference for the core's numbers: plain loops in double, one per formula, with the name of its row in the list.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/losses/loss.hpp>
#include <cmlp/runtime/registry.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include "kernels/kernels.hpp"

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

/// One element alone in double, computed by the core itself: the oracle in tests/python checks the formulas.
inline Point activate(Activation kind, double z, const std::vector<double>& parameters) {
    const auto& kernel = kernels::activations<double>().kind[static_cast<int>(kind)];
    const double dy = 1;
    Point point{};
    kernel.forward({1, 1}, &z, 1, nullptr, &point.value, 1, parameters.data());
    const double kept = kernel.keep == kernels::Keep::input ? z : point.value;
    kernel.backward({{1, 1}, &kept, 1, &dy, 1, &point.slope, 1}, parameters.data());
    return point;
}

inline Line softmax(const Line& x) {
    const double largest = *std::max_element(x.begin(), x.end());
    Line y;
    for (const double v : x) y.push_back(std::exp(v - largest));
    const double sum = std::accumulate(y.begin(), y.end(), 0.0);
    for (double& v : y) v /= sum;
    return y;
}

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
