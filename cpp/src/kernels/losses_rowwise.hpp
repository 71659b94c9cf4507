// Losses over the classes of a row: targets are class indices or a share of each class.
#pragma once

#include "losses_elementwise.hpp"
#include "transpose.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace loss {

// One row of a call; any output may be null.
template <class T>
struct Line {
    const T *y, *target;  // (cols), (cols / width)
    int64_t label;
    T scale;
    T *value, *dy;  // (cols), or (cols / width) values of a joint loss; (cols)
};

template <class T>
CMLP_INLINE bool absent_at(const LossCall<T>& call, ptrdiff_t r) {
    return (call.row_scale && call.row_scale[r] == T(0)) ||
           (call.label && call.label[r] == call.ignore_index);
}

struct OverClasses {
    static constexpr bool elementwise = false, takes_labels = true, joint = false;
    static constexpr int width = 1;
    static constexpr Column column = Column::class_weight;
};

template <class T>
CMLP_INLINE T log_of(T x) {
    return first(math::log(Vec<T>(x)));
}
// 1 in one lane of a vector, 0 elsewhere
template <class T>
CMLP_INLINE Vec<T> one_at(ptrdiff_t lane) {
    T values[Vec<T>::size] = {};
    if (lane >= 0 && lane < Vec<T>::size) values[lane] = T(1);
    return Vec<T>::load(values);
}
// The target's share of the classes j, j + 1, ...
template <class T>
CMLP_INLINE Vec<T> share_at(const Line<T>& line, ptrdiff_t j, ptrdiff_t left) {
    return line.target ? Vec<T>::load_n(line.target + j, left) : one_at<T>(line.label - j);
}
template <class T>
CMLP_INLINE Vec<T> weighted_share_at(const LossCall<T>& call, const Line<T>& line, ptrdiff_t j,
                                     ptrdiff_t left) {
    const Vec<T> share = share_at(line, j, left);
    return call.column ? share * Vec<T>::load_n(call.column + j, left) : share;
}

// Softmax and negative log-likelihood in one: l = sum_c q_c (log(sum exp(y)) - y_c),
// q_c = weight_c * ((1 - label_smoothing) * target_c + label_smoothing / classes).
struct cross_entropy : OverClasses {
    // A value weight * (rest + log(sum)) whose logarithm several rows share.
    template <class T>
    struct BeforeLog {
        T weight, rest, sum;
    };
    template <class T>
    static bool log_comes_last(const LossCall<T>& call) {
        return !call.target && call.parameters[0] == T(0);
    }

    // With a class index and no smoothing q has one entry: no second walk over the logits.
    template <class T>
    static CMLP_INLINE BeforeLog<T> one_hot(const LossCall<T>& call, const Line<T>& line) {
        const T weight = call.column ? call.column[line.label] : T(1);
        const T largest = row_max(line.y, call.shape.cols);
        const T rest = largest - line.y[line.label];
        const T sum = exponentials(line.y, call.shape.cols, largest, line.dy);
        if (line.dy) {
            multiply_by(call.shape.cols, line.dy, weight * line.scale / sum);
            line.dy[line.label] -= weight * line.scale;
        }
        return {weight, rest, sum};
    }

    // The same for rows r ... r + left of no more columns than `blocks` vectors have lanes, a row a lane: sums over the
    // columns in the order of Lanes.
    template <int blocks, class T>
    static CMLP_INLINE void narrow_rows(const LossCall<T>& call, ptrdiff_t r, ptrdiff_t left) {
        using V = Vec<T>;
        const int cols = int(call.shape.cols);
        T labels[V::size] = {}, weights[V::size] = {}, scales[V::size] = {};
        for (ptrdiff_t i = 0; i < left; ++i) {
            const bool absent = absent_at(call, r + i);
            labels[i] = absent ? T(-1) : T(call.label[r + i]);
            weights[i] = absent ? T(0) : call.column ? call.column[call.label[r + i]] : T(1);
            scales[i] = weights[i] * (call.row_scale ? call.row_scale[r + i] : call.scale);
        }
        V y[blocks * V::size], e[blocks * V::size];
        load_columns<blocks>(call.y + r * call.y_row, call.y_row, left, cols, y);
        V largest = y[0];
        for (int j = 1; j < cols; ++j) largest = max(y[j], largest);
        const V label = V::load(labels), weight = V::load(weights), scale = V::load(scales);
        V own(T(0)), sums[blocks * V::size];
        for (int j = 0; j < cols; ++j) {
            sums[j] = e[j] = math::exp(y[j] - largest);
            own = select(label == V(T(j)), y[j], own);
        }
        for (int step = 8; step > 0; step /= 2)
            for (int j = 0; j < step && j + step < cols; ++j) sums[j] += sums[j + step];
        const auto here = label >= V(T(0));
        if (call.row_value)
            select(here, weight * ((largest - own) + math::log(sums[0])), V(T(0)))
                .store_n(call.row_value + r, left);
        if (!call.dy) return;
        const V factor = scale / sums[0];
        for (int j = 0; j < cols; ++j) {
            const V slope = e[j] * factor;
            e[j] = select(here, select(label == V(T(j)), slope - scale, slope), V(T(0)));
        }
        store_columns<blocks>(e, call.dy + r * call.dy_row, call.dy_row, left, cols);
    }

    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        const ptrdiff_t cols = call.shape.cols;
        const T largest = row_max(line.y, cols);
        const T sum = exponentials(line.y, cols, largest, line.dy);
        const V log_sum(log_of(sum)), kept(T(1) - call.parameters[0]), share(call.parameters[0] / T(cols));
        const auto q = [&](ptrdiff_t j, ptrdiff_t left) {
            const V smooth = fma(kept, share_at(line, j, left), share);
            return call.column ? smooth * V::load_n(call.column + j, left) : smooth;
        };
        Lanes<T> values(T(0)), totals(T(0));
        values.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V share = q(j, left), v = (V(largest) - V::load_n(line.y + j, left)) + log_sum;
            return fma(share, select((share == V(T(0))) & !isnan(v), V(T(0)), v), lane);
        });
        totals.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) { return lane + q(j, left); });
        if (line.dy) {
            const V factor(totals.sum() / sum);
            sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
                const V slope = V::load_n(line.dy + j, left) * factor - q(j, left);
                (slope * V(line.scale)).store_n(line.dy + j, left);
            });
        }
        return values.sum();
    }
};

// l = -sum_c weight_c target_c y_c; classes without a share are left out, so that log 0 there does no harm.
struct nll : OverClasses {
    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        Lanes<T> values(T(0));
        values.fold(call.shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V q = weighted_share_at(call, line, j, left), y = V::load_n(line.y + j, left);
            if (line.dy) (q * V(-line.scale)).store_n(line.dy + j, left);
            return lane - select((q == V(T(0))) & !isnan(y), V(T(0)), q * y);
        });
        return values.sum();
    }
};

// l = sum_c alpha_c target_c (1 - p_c)^gamma v_c with v = -log p, p = softmax(y);
// dl/dy = p sum(g) - g, g_c = alpha_c target_c (1 - p_c)^gamma (1 + gamma p_c v_c / (1 - p_c)).
struct focal : OverClasses {
    static constexpr Column column = Column::class_factor;

    template <class V>
    struct Term {
        V value, g, p;
    };

    template <class V, class T>
    static CMLP_INLINE Term<V> term(V q, V v, T gamma) {
        const V zero(T(0)), one(T(1)), p = math::exp(-v), wrong = -math::expm1(-v);
        const V factor = q * focus(wrong, gamma, [&] { return math::log(wrong); });
        const V ratio = select(p == zero, p, select(wrong == zero, one, v / wrong));  // p v is 0 at infinity
        const V slope = select(q == zero, one, fma(V(gamma) * p, ratio, one));
        return {select((q == zero) & !isnan(v), zero, factor * v), factor * slope, p};
    }

    // One class: a single term, and a gradient along the softmax.
    template <class T>
    static T one_hot(const LossCall<T>& call, const Line<T>& line) {
        const T largest = row_max(line.y, call.shape.cols);
        const T sum = exponentials(line.y, call.shape.cols, largest, line.dy);
        const T v = (largest - line.y[line.label]) + log_of(sum);
        const auto t =
            term(Vec<T>(call.column ? call.column[line.label] : T(1)), Vec<T>(v), call.parameters[0]);
        if (line.dy) {
            const T g = first(t.g) * line.scale;
            multiply_by(call.shape.cols, line.dy, g / sum);
            line.dy[line.label] -= g;
        }
        return first(t.value);
    }

    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        if (!line.target) return one_hot(call, line);
        const ptrdiff_t cols = call.shape.cols;
        const T largest = row_max(line.y, cols);
        const V log_sum(log_of(exponentials(line.y, cols, largest, static_cast<T*>(nullptr))));
        const auto at = [&](ptrdiff_t j, ptrdiff_t left) {
            const V v = (V(largest) - V::load_n(line.y + j, left)) + log_sum;
            return term(weighted_share_at(call, line, j, left), v, call.parameters[0]);
        };
        Lanes<T> values(T(0)), totals(T(0));
        values.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) { return lane + at(j, left).value; });
        if (!line.dy) return values.sum();
        totals.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) { return lane + at(j, left).g; });
        const V total(totals.sum());
        sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
            const Term<V> t = at(j, left);
            ((t.p * total - t.g) * V(line.scale)).store_n(line.dy + j, left);
        });
        return values.sum();
    }
};

// l = sum_c target_c weight_c / classes sum_(j != c) max(0, margin - y_c + y_j)^p
struct multi_margin : OverClasses {
    static constexpr Column column = Column::class_factor;

    template <class T>
    static T row(const LossCall<T>& call, const Line<T>& line) {
        using V = Vec<T>;
        const ptrdiff_t cols = call.shape.cols;
        if (line.dy) sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) { V(T(0)).store_n(line.dy + j, left); });
        if (!line.target) return against(call, line, line.label, T(1));
        T value(0);
        for (ptrdiff_t c = 0; c < cols; ++c)
            if (line.target[c] != T(0)) value += against(call, line, c, line.target[c]);
        return value;
    }

    // All classes against c; adds to dy.
    template <class T>
    static T against(const LossCall<T>& call, const Line<T>& line, ptrdiff_t c, T share) {
        using V = Vec<T>;
        const ptrdiff_t cols = call.shape.cols;
        const T factor = share * (call.column ? call.column[c] : T(1)) / T(cols);
        const V zero(T(0)), one(T(1)), from(call.parameters[1] - line.y[c]), scale(factor * line.scale);
        const bool squared = call.parameters[0] == T(2);
        const auto excess = [&](ptrdiff_t j, ptrdiff_t left) {
            return select(one_at<T>(c - j) == one, zero, max(zero, from + V::load_n(line.y + j, left)));
        };
        const auto slope = [&](V z) { return squared ? z + z : select(z > zero, one, z); };
        Lanes<T> values(T(0)), slopes(T(0));
        values.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V z = excess(j, left);
            return lane + (squared ? z * z : z);
        });
        if (!line.dy) return values.sum() * factor;
        slopes.fold(cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V s = slope(excess(j, left));
            fma(s, scale, V::load_n(line.dy + j, left)).store_n(line.dy + j, left);
            return lane + s;
        });
        line.dy[c] -= slopes.sum() * first(scale);
        return values.sum() * factor;
    }
};

}  // namespace loss
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
