// PiecewiseLinearEmbedding: how far a number has come through each bin of its column, times a matrix, plus a linear part.
#pragma once

#include "common.hpp"

namespace cmlp::layer {

inline Index bin_count(const PiecewiseLinearEmbedding& layer) {
    Index count = 0;
    for (const auto& edges : layer.bins) count += std::ssize(edges) - 1;
    return count;
}

inline void require_bins(const std::vector<double>& edges, size_t column) {
    require(edges.size() > 1, "PiecewiseLinearEmbedding: the bins of column ", column, " have ", edges.size(),
            " edges, they need at least 2");
    for (size_t i = 0; i < edges.size(); ++i)
        require(std::isfinite(edges[i]) && (i == 0 || edges[i - 1] < edges[i]),
                "PiecewiseLinearEmbedding: the edges of column ", column, " must be finite and increasing");
}

inline std::vector<ParameterSpec> specs(const PiecewiseLinearEmbedding& layer) {
    require(!layer.bins.empty(), "PiecewiseLinearEmbedding: there are no bins, each column has its own");
    for (size_t i = 0; i < layer.bins.size(); ++i) require_bins(layer.bins[i], i);
    require_features("PiecewiseLinearEmbedding", "embedding_dim", layer.embedding_dim);
    const Index n = std::ssize(layer.bins), dim = layer.embedding_dim;
    return {{"weight", bin_count(layer), dim}, {"linear", n, dim}, {"bias", n, dim}};
}

inline Index required_width(const PiecewiseLinearEmbedding& layer) { return std::ssize(layer.bins); }
inline Index width(const PiecewiseLinearEmbedding& layer, Index in, std::string_view name) {
    return require_width("PiecewiseLinearEmbedding", required_width(layer), in, name) * layer.embedding_dim;
}
inline std::optional<Activation> activation_of(const PiecewiseLinearEmbedding&) {
    return Activation::identity;
}

// V = 0, w and b ~ U(-1/sqrt(dim), 1/sqrt(dim)): a linear embedding at first
template <class T>
void reset(const PiecewiseLinearEmbedding& layer, std::span<const MatrixView<T>> values, std::uint64_t seed,
           Index index, Activation) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const double bound = 1 / std::sqrt(double(layer.embedding_dim));
    values[0].set_zero();
    for (size_t i = 1; i < 3; ++i)
        initialize(values[i], Initializer::uniform, {{"low", -bound}, {"high", bound}}, rng);
}

// The bin of x: of its left edge, the first and the last reach to infinity; NaN is in the last.
inline Index bin_of(const std::vector<double>& edges, double x) {
    const auto inner = edges.begin() + 1;
    return std::upper_bound(inner, edges.end() - 1, x) - inner;
}

// In double, rounded once: edges that differ are apart in both precisions.
template <class T>
void encode(const std::vector<double>& edges, T x, T* code) {
    const Index own = bin_of(edges, double(x)), count = std::ssize(edges) - 1;
    const double left = edges[size_t(own)], right = edges[size_t(own) + 1];
    std::fill_n(code, own, T(1));
    code[own] = static_cast<T>((double(x) - left) / (right - left));
    std::fill_n(code + own + 1, count - own - 1, T(0));
}

// f(column, its first bin, its number of bins)
template <class F>
void each_binned(const PiecewiseLinearEmbedding& layer, F f) {
    Index first = 0;
    for (Index i = 0; i < std::ssize(layer.bins); ++i) {
        const Index count = std::ssize(layer.bins[size_t(i)]) - 1;
        f(i, first, count);
        first += count;
    }
}

// kept (batch, bins of all columns) is e(x)
template <class T>
In<T> forward(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const Index dim = layer.embedding_dim;
    Matrix<T>& codes = *call.kept;
    codes.resize(x.rows(), bin_count(layer));
    y.resize(x.rows(), x.cols() * dim);
    each_row(x.rows(), codes.cols(), 1, [&](Index r) {
        each_binned(layer, [&](Index i, Index first, Index) {
            encode<T>(layer.bins[size_t(i)], x(r, i), codes.row(r).data() + first);
        });
    });
    each_binned(layer, [&](Index i, Index first, Index count) {
        const MatrixView<T> to = y.middle_cols(i * dim, dim);
        ops::linear_forward<T>(codes.middle_cols(first, count), call.values[0].middle_rows(first, count),
                               call.values[2].row(i).data(), to);
        const T* linear = call.values[1].row(i).data();
        each_row(x.rows(), dim, 2, [&](Index r) {
            for (Index d = 0; d < dim; ++d) to(r, d) += x(r, i) * linear[d];
        });
    });
    return y.view();
}

// The slope of a column is w + V of x's bin over its width; at an edge, that of the bin to the right.
template <class T>
T slope_along(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, Index i, Index first, T x,
              const T* dy) {
    const auto& edges = layer.bins[size_t(i)];
    const Index own = bin_of(edges, double(x));
    const T *linear = call.values[1].row(i).data(), *v = call.values[0].row(first + own).data();
    T along_linear = 0, along_v = 0;
    for (Index d = 0; d < layer.embedding_dim; ++d) {
        along_linear += dy[d] * linear[d];
        along_v += dy[d] * v[d];
    }
    return along_linear + static_cast<T>(double(along_v) / (edges[size_t(own) + 1] - edges[size_t(own)]));
}

template <class T>
In<T> backward(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    const Index dim = layer.embedding_dim;
    if (dx) dx->resize(x.rows(), x.cols());
    each_binned(layer, [&](Index i, Index first, Index count) {
        const In<T> d = dy.middle_cols(i * dim, dim);
        ops::linear_backward_weight<T>(call.kept->middle_cols(first, count), d,
                                       call.grads[0].middle_rows(first, count), call.accumulate);
        ops::linear_backward_weight<T>(x.middle_cols(i, 1), d, call.grads[1].middle_rows(i, 1),
                                       call.accumulate);
        ops::linear_backward_bias<T>(d, call.grads[2].row(i).data(), call.accumulate);
        if (!dx) return;
        each_row(x.rows(), 2 * dim, 2, [&](Index r) {
            (*dx)(r, i) = slope_along<T>(layer, call, i, first, x(r, i), d.row(r).data());
        });
    });
    return dx ? In<T>(dx->view()) : In<T>();
}

}  // namespace cmlp::layer
