// One struct a loss, value and gradient together. Elementwise losses give both for one vector; a row-wise loss
// walks its row itself. `p` points at the parameters in the order of its row in losses.def.
#pragma once

#include "activations.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace loss {

template <class V>
struct Point {
    V value, slope;  // l(y, t) and dl/dy
};

struct mse {
    static constexpr bool takes_labels = false;
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, const T*) {
        const V d = y - t;
        return {d * d, d + d};
    }
};

// Logarithms are held at -100 and the slope's denominator at 1e-12, as in PyTorch, so that y = 0 and y = 1 stay finite;
// max returns its second argument when that is a NaN, so a NaN or a y outside [0, 1] shows.
struct bce {
    static constexpr bool takes_labels = false;
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, const T*) {
        const V one(T(1)), floor(T(-100));
        const V log_y = max(floor, math::log(y)), log_not_y = max(floor, math::log1p(-y));
        return {(t - one) * log_not_y - t * log_y, (y - t) / max((one - y) * y, V(T(1e-12)))};
    }
};

struct bce_with_logits {
    static constexpr bool takes_labels = false;
    template <class V, class T>
    static CMLP_INLINE Point<V> at(V y, V t, const T*) {
        const V value = (max(y, V(T(0))) - t * y) + math::log1p(math::exp(-abs(y)));
        return {value, math::sigmoid(y) - t};
    }
};

// Softmax and negative log-likelihood in one: l = sum_c q_c (log(sum exp(y)) - y_c),
// q_c = weight_c * ((1 - label_smoothing) * target_c + label_smoothing / classes).
struct cross_entropy {
    static constexpr bool takes_labels = true;

    template <class T>
    static T row(const LossCall<T>& call, const T* y, const T* target, int64_t label, T scale, T* dy) {
        if (!target && call.parameters[0] == T(0)) return one_hot(call, y, label, scale, dy);
        return dense(call, y, target, label, scale, dy);
    }

    // With a class index and no smoothing q has one entry: no second walk over the logits.
    template <class T>
    static T one_hot(const LossCall<T>& call, const T* y, int64_t label, T scale, T* dy) {
        const T weight = call.class_weight ? call.class_weight[label] : T(1);
        const T largest = row_max(y, call.shape.cols);
        const T sum = exponentials(y, call.shape.cols, largest, dy);
        if (dy) {
            multiply_by(call.shape.cols, dy, weight * scale / sum);
            dy[label] -= weight * scale;
        }
        return weight * ((largest - y[label]) + log_of(sum));
    }

    template <class T>
    static T dense(const LossCall<T>& call, const T* y, const T* target, int64_t label, T scale, T* dy) {
        using V = Vec<T>;
        const ptrdiff_t cols = call.shape.cols;
        const T largest = row_max(y, cols);
        const T sum = exponentials(y, cols, largest, dy);
        const V log_sum(log_of(sum)), kept(T(1) - call.parameters[0]), share(call.parameters[0] / T(cols));
        const auto q = [&](ptrdiff_t j, ptrdiff_t left) {
            const V t = target ? V::load_n(target + j, left) : one_at<T>(label - j);
            const V smooth = fma(kept, t, share);
            return call.class_weight ? smooth * V::load_n(call.class_weight + j, left) : smooth;
        };
        Lanes<T> values(T(0)), totals(T(0));
        values.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            return fma(q(j, left), (V(largest) - V::load_n(y + j, left)) + log_sum, lane);
        });
        totals.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) { return lane + q(j, left); });
        if (dy) {
            const V factor(totals.sum() / sum);
            sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
                ((V::load_n(dy + j, left) * factor - q(j, left)) * V(scale)).store_n(dy + j, left);
            });
        }
        return values.sum();
    }

    template <class T>
    static CMLP_INLINE T log_of(T x) {
        return first(math::log(Vec<T>(x)));
    }
    // 1 in one lane of a vector, 0 elsewhere
    template <class T>
    static CMLP_INLINE Vec<T> one_at(ptrdiff_t lane) {
        T values[Vec<T>::size] = {};
        if (lane >= 0 && lane < Vec<T>::size) values[lane] = T(1);
        return Vec<T>::load(values);
    }
};

}  // namespace loss

template <class L>
concept RowWise =
    requires(const LossCall<float>& c, const float* y, float* dy) { L::row(c, y, y, int64_t(), 1.0f, dy); };

template <class L, class T>
CMLP_INLINE void elementwise_row(const LossCall<T>& call, ptrdiff_t r, T scale) {
    using V = Vec<T>;
    const T *y = call.y + r * call.y_row, *target = call.target + r * call.target_row;
    Lanes<T> lanes(T(0));
    lanes.fold(call.shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        const auto [value, slope] =
            L::at(V::load_n(y + j, left), V::load_n(target + j, left), call.parameters);
        if (call.value) value.store_n(call.value + r * call.value_row + j, left);
        if (call.dy) (slope * V(scale)).store_n(call.dy + r * call.dy_row + j, left);
        return lane + value;
    });
    if (call.row_value) call.row_value[r] = lanes.sum();
}

template <class L, class T>
void loss_run(const LossCall<T>& call) {
    for (ptrdiff_t r = 0; r < call.shape.rows; ++r) {
        const T scale = call.row_scale ? call.row_scale[r] : call.scale;
        if constexpr (RowWise<L>) {
            const T* target = call.target ? call.target + r * call.target_row : nullptr;
            T* dy = call.dy ? call.dy + r * call.dy_row : nullptr;
            const T value =
                L::row(call, call.y + r * call.y_row, target, call.label ? call.label[r] : 0, scale, dy);
            if (call.row_value) call.row_value[r] = value;
        } else {
            elementwise_row<L>(call, r, scale);
        }
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
