// Plain loops, in double where they sum, in one order.
#include <cmlp/base/error.hpp>
#include <cmlp/ops/flat.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "ops/ops.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1 {
namespace {

template <class T>
double sum_of_sizes(std::span<T> x) {
    double sum = 0;
    for (const T v : x) sum += std::abs(double(v));
    return sum;
}

// The largest magnitude; NaN where there is one, as in PyTorch.
template <class T>
double largest_size(std::span<T> x) {
    double most = 0;
    for (const T v : x)
        if (!(std::abs(double(v)) <= most)) most = std::abs(double(v));
    return most;
}

// Sum of f over the elements, in lanes of a fixed number that are added from the first on.
template <class T, class F>
double sum_in_lanes(const T* x, Index n, F f) {
    constexpr Index lanes = 8;
    double sums[lanes] = {};
    Index i = 0;
    for (; i + lanes <= n; i += lanes)
        for (Index k = 0; k < lanes; ++k) sums[k] += f(double(x[i + k]));
    for (Index k = 0; i + k < n; ++k) sums[k] += f(double(x[i + k]));
    return std::accumulate(sums, sums + std::min(n, lanes), 0.0);
}

}  // namespace

template <class T>
double total_norm(std::span<const std::span<T>> runs, double norm_type) {
    require(norm_type == 1 || norm_type == 2 || norm_type == INFINITY, "clip_grad_norm_: norm_type is ",
            norm_type, ", it must be 1, 2 or infinity");
    double total = 0;
    for (const auto& x : runs) {
        if (norm_type == 1) total += sum_of_sizes(x);
        if (norm_type == 2) total += ops::squared_norm<T>(x);
        if (norm_type == INFINITY && !(std::isnan(total) || largest_size(x) <= total))
            total = largest_size(x);
    }
    return norm_type == 2 ? std::sqrt(total) : total;
}

template <class T>
double clip_norm(std::span<const std::span<T>> runs, double max_norm, double norm_type) {
    require(max_norm >= 0, "clip_grad_norm_: max_norm is ", max_norm, ", it must be in [0,inf]");
    const double norm = total_norm<T>(runs, norm_type);
    const double factor = max_norm / (norm + 1e-6);
    if (!(factor >= 1))
        for (const auto& x : runs) ops::scale<T>(x, static_cast<T>(factor));
    return norm;
}

template <class T>
void clip_value(std::span<const std::span<T>> runs, double limit) {
    require(limit >= 0, "clip_grad_value_: clip_value is ", limit, ", it must be in [0,inf]");
    const T high = static_cast<T>(limit);
    for (const auto& x : runs)
        for (T& v : x) v = v > high ? high : v < -high ? -high : v;
}

template <class T>
double add_penalty(MatrixView<const T> w, MatrixView<T> grad, double l1, double l2) {
    const T flat = static_cast<T>(l1), slope = static_cast<T>(l2);
    std::vector<double> terms(static_cast<size_t>(w.rows()));
    parallel_for(w.rows(), 16, threads_for(4.0 * double(w.size())), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const T* row = &w(i, 0);
            T* g = &grad(i, 0);
            for (Index j = 0; j < w.cols(); ++j) g[j] += slope * row[j];
            terms[size_t(i)] = l2 / 2 * sum_in_lanes(row, w.cols(), [](double v) { return v * v; });
            if (flat == T(0)) continue;
            for (Index j = 0; j < w.cols(); ++j) g[j] += flat * static_cast<T>((row[j] > 0) - (row[j] < 0));
            terms[size_t(i)] += l1 * sum_in_lanes(row, w.cols(), [](double v) { return std::abs(v); });
        }
    });
    return std::accumulate(terms.begin(), terms.end(), 0.0);
}

// In blocks of columns, whose sums are on the stack: a step that has begun needs no memory.
template <class T>
void limit_columns(MatrixView<T> w, double limit) {
    constexpr Index block = 256;
    for (Index first = 0; first < w.cols(); first += block) {
        const Index count = std::min(block, w.cols() - first);
        std::array<double, block> squares{};
        for (Index i = 0; i < w.rows(); ++i)
            for (Index j = 0; j < count; ++j)
                squares[size_t(j)] += double(w(i, first + j)) * double(w(i, first + j));
        std::array<T, block> factor;
        for (size_t j = 0; j < size_t(count); ++j)
            factor[j] = std::sqrt(squares[j]) > limit ? static_cast<T>(limit / std::sqrt(squares[j])) : T(1);
        for (Index i = 0; i < w.rows(); ++i)
            for (Index j = 0; j < count; ++j) w(i, first + j) *= factor[size_t(j)];
    }
}

template <class T>
void average_into(std::span<T> mean, std::span<const T> x, double share) {
    require(mean.size() == x.size(), "average: one side has ", mean.size(), " numbers, the other ", x.size());
    if (share == 1) {
        std::copy(x.begin(), x.end(), mean.begin());
        return;
    }
    const T part = static_cast<T>(share);
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += part * (x[i] - mean[i]);
}

#define CMLP_FLAT(T)                                                                    \
    template double total_norm<T>(std::span<const std::span<T>>, double);               \
    template double clip_norm<T>(std::span<const std::span<T>>, double, double);        \
    template void clip_value<T>(std::span<const std::span<T>>, double);                 \
    template double add_penalty<T>(MatrixView<const T>, MatrixView<T>, double, double); \
    template void limit_columns<T>(MatrixView<T>, double);                              \
    template void average_into<T>(std::span<T>, std::span<const T>, double);
CMLP_FLAT(float)
CMLP_FLAT(double)
#undef CMLP_FLAT

}  // namespace cmlp::inline v0_1
