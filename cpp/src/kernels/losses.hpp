// Losses over a block of rows: one struct a loss (losses_*.hpp), value and gradient in one pass.
#pragma once

#include "losses_widths.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class L>
concept WalksItsRow = requires(const LossCall<float>& c, const loss::Line<float>& line) { L::row(c, line); };

template <class L>
concept TakesLogLast = requires(const LossCall<float>& c) { L::log_comes_last(c); };

template <class L, class T>
CMLP_INLINE T elementwise_row(const LossCall<T>& call, const loss::Line<T>& line) {
    using V = Vec<T>;
    Lanes<T> lanes(T(0));
    lanes.fold(call.shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        V c(T(1));
        if constexpr (L::column != Column::none)
            if (call.column) c = V::load_n(call.column + j, left);
        const auto [value, slope] =
            L::at(V::load_n(line.y + j, left), V::load_n(line.target + j, left), c, call.parameters);
        if (line.value) value.store_n(line.value + j, left);
        if (line.dy) (slope * V(line.scale)).store_n(line.dy + j, left);
        return lane + value;
    });
    return lanes.sum();
}

template <class L, class T>
CMLP_INLINE T absent_row(const LossCall<T>& call, const loss::Line<T>& line) {
    const ptrdiff_t values = L::joint ? call.shape.cols / L::width : call.shape.cols;
    for (ptrdiff_t j = 0; line.value && j < values; ++j) line.value[j] = T(0);
    for (ptrdiff_t j = 0; line.dy && j < call.shape.cols; ++j) line.dy[j] = T(0);
    return T(0);
}

template <class L, class T>
CMLP_INLINE T loss_row(const LossCall<T>& call, const loss::Line<T>& line, bool absent) {
    if (absent) return absent_row<L>(call, line);
    if constexpr (WalksItsRow<L>)
        return L::row(call, line);
    else
        return elementwise_row<L>(call, line);
}

template <class T>
CMLP_INLINE loss::Line<T> line_at(const LossCall<T>& call, ptrdiff_t r) {
    return {call.y + r * call.y_row,
            call.target ? call.target + r * call.target_row : nullptr,
            call.label ? call.label[r] : 0,
            call.row_scale ? call.row_scale[r] : call.scale,
            call.value ? call.value + r * call.value_row : nullptr,
            call.dy ? call.dy + r * call.dy_row : nullptr};
}

// As many rows at a time as a vector holds, so that they share one logarithm; with few columns, all columns
// share it too.
template <class L, class T>
void log_last_run(const LossCall<T>& call) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < call.shape.rows; r += V::size) {
        const ptrdiff_t left = call.shape.rows - r < V::size ? call.shape.rows - r : ptrdiff_t(V::size);
        if constexpr (V::size > 1)
            if (call.shape.cols <= 2 * V::size && call.shape.cols <= 16) {
                if (call.shape.cols <= V::size)
                    L::template narrow_rows<1>(call, r, left);
                else
                    L::template narrow_rows<2>(call, r, left);
                continue;
            }
        T weight[V::size] = {}, rest[V::size] = {}, sum[V::size] = {};
        for (ptrdiff_t i = 0; i < left; ++i) {
            const auto line = line_at(call, r + i);
            if (loss::absent_at(call, r + i)) {
                absent_row<L>(call, line);
                sum[i] = T(1);
                continue;
            }
            const auto row = L::one_hot(call, line);
            weight[i] = row.weight, rest[i] = row.rest, sum[i] = row.sum;
        }
        if (!call.row_value) continue;
        const V value = V::load(weight) * (V::load(rest) + math::log(V::load(sum)));
        value.store_n(call.row_value + r, left);
    }
}

template <class L, class T>
void loss_run(const LossCall<T>& call) {
    if constexpr (TakesLogLast<L>)
        if (L::log_comes_last(call)) return log_last_run<L>(call);
    for (ptrdiff_t r = 0; r < call.shape.rows; ++r) {
        const T value = loss_row<L>(call, line_at(call, r), loss::absent_at(call, r));
        if (call.row_value) call.row_value[r] = value;
    }
}

template <class L, class T>
constexpr LossKernel<T> loss_kernel = {loss_run<L, T>, L::elementwise, L::takes_labels,
                                       L::width,       L::joint,       L::column};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
