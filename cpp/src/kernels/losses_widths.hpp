// Losses with more columns of predictions than of targets: means and variances, quantiles.
#pragma once

#include "losses_rowwise.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace loss {

// Means in the first half of the row, variances (at least eps) or their logarithms in the second: (log v + (y
// - t)^2 / v)
// / 2. The slope by a variance below eps is that at eps, as in PyTorch.
struct gaussian_nll : Elementwise {
    static constexpr int width = 2;
    static constexpr bool joint = true;

    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        const ptrdiff_t half_cols = call.shape.cols / 2;
        const bool given_log = call.parameters[2] != T(0);
        const V half(T(0.5)), one(T(1)), scale(line.scale), eps(call.parameters[1]), log_eps = math::log(eps);
        const V infinity = T(__builtin_inf());
        const V constant(call.parameters[0] != T(0) ? T(0.91893853320467274178) : T(0));  // log(2 pi) / 2
        Lanes<T> lanes(T(0));
        lanes.fold(half_cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V y = V::load_n(line.y + j, left), t = V::load_n(line.target + j, left), d = y - t;
            const V v = max(given_log ? log_eps : eps, V::load_n(line.y + half_cols + j, left));
            V squared, slope;  // d^2 / v, d / v
            if (given_log) {
                const V r = math::exp(-(half * v)), z = select(abs(d) == infinity, y * r - t * r, d * r);
                squared = z * z, slope = z * r;
            } else {
                slope = d / v, squared = d * slope;
            }
            const V value = fma(half, squared + (given_log ? v : math::log(v)), constant);
            if (line.value) value.store_n(line.value + j, left);
            if (line.dy) {
                (slope * scale).store_n(line.dy + j, left);
                const V by_log = half * (one - squared);
                (given_log ? by_log * scale : by_log / v * scale).store_n(line.dy + half_cols + j, left);
            }
            return lane + value;
        });
        return lanes.sum();
    }
};

// Pinball loss: max(q d, (q - 1) d), d = t - y; the predictions of a target's quantiles are adjacent.
struct quantile : Elementwise {
    static constexpr int width = 0;
    static constexpr Column column = Column::quantile;

    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        const V zero(T(0)), one(T(1));
        Lanes<T> lanes(T(0));
        const bool single = call.columns == 1;
        ptrdiff_t target = 0, column = 0;  // of the next prediction
        lanes.fold(call.shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            T targets[V::size] = {}, quantiles[V::size] = {};
            for (ptrdiff_t l = 0; !single && l < V::size && l < left; ++l) {
                targets[l] = line.target[target];
                quantiles[l] = call.column[column];
                if (++column == call.columns) column = 0, ++target;
            }
            const V q = single ? V(call.column[0]) : V::load(quantiles);
            const V target = single ? V::load_n(line.target + j, left) : V::load(targets);
            const V d = target - V::load_n(line.y + j, left);
            const V value = max(q * d, (q - one) * d);
            if (line.value) value.store_n(line.value + j, left);
            const V slope = select(d > zero, -q, select(d < zero, one - q, d));
            if (line.dy) (slope * V(line.scale)).store_n(line.dy + j, left);
            return lane + value;
        });
        return lanes.sum();
    }
};

}  // namespace loss
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
