// PiecewiseLinearEmbedding: how far a number has come through each bin of its column, times a matrix, plus a
// linear part.
#pragma once

#include "layers/columns.hpp"

namespace cmlp::inline v0_1::layer {

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
    require_columns("PiecewiseLinearEmbedding", layer.columns);
    require(layer.columns.empty() || layer.columns.size() == layer.bins.size(),
            "PiecewiseLinearEmbedding: there are ", layer.columns.size(), " columns and bins of ",
            layer.bins.size(), ", each column has its own");
    const Index n = std::ssize(layer.bins), dim = layer.embedding_dim;
    return {{"weight", bin_count(layer), dim}, {"linear", n, dim}, {"bias", n, dim}};
}

inline EmbeddedColumns columns_of(const PiecewiseLinearEmbedding& layer, Index in) {
    return {layer.columns, in, layer.embedding_dim};
}

inline Index required_width(const PiecewiseLinearEmbedding& layer) {
    return layer.columns.empty() ? std::ssize(layer.bins) : 0;
}
inline Index narrowing(const PiecewiseLinearEmbedding&) { return 0; }
inline Index width(const PiecewiseLinearEmbedding& layer, Index in, std::string_view name) {
    if (layer.columns.empty()) require_width("PiecewiseLinearEmbedding", required_width(layer), in, name);
    return columns_of(layer, in).width("PiecewiseLinearEmbedding", name);
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

// The bin of x, a left edge being in its bin; the first and the last reach to infinity.
inline Index bin_of(const std::vector<double>& edges, double x) {
    Index own = 0, count = std::ssize(edges) - 2;  // of the inner edges; halved without a branch
    const double* inner = edges.data() + 1;
    for (; count > 1; count -= count / 2) own += inner[own + count / 2 - 1] <= x ? count / 2 : 0;
    return own + (count == 1 && inner[own] <= x);
}

// f(column, its first bin, its edges) for the columns first ... last - 1
template <class F>
void each_binned(const PiecewiseLinearEmbedding& layer, Index first, Index last, F f) {
    Index bin = 0;
    for (Index i = 0; i < last; ++i) {
        const auto& edges = layer.bins[size_t(i)];
        if (i >= first) f(i, bin, edges);
        bin += std::ssize(edges) - 1;
    }
}

// e(x) V is the sum of V over the bins left of x and x's place in its own times V there. kept has a row for each of x
// with the bin of every column and then its place there, which is found in double: edges that differ are apart in both
// precisions; below, b + the sum of V left of each bin, (bins, dim).
template <class T>
struct Piecewise {
    Piecewise(const PiecewiseLinearEmbedding& layer, Matrix<T>& kept, Index rows) {
        kept.resize(rows + bin_count(layer), std::max(2 * std::ssize(layer.bins), layer.embedding_dim));
        bin.rebind(kept.block(0, 0, rows, std::ssize(layer.bins)));
        place.rebind(kept.block(0, std::ssize(layer.bins), rows, std::ssize(layer.bins)));
        left.rebind(kept.block(rows, 0, bin_count(layer), layer.embedding_dim));
    }
    MatrixView<T> bin, place, left;
};

template <class T>
void sum_left(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, MatrixView<T> left) {
    each_binned(layer, 0, std::ssize(layer.bins),
                [&](Index i, Index first, const std::vector<double>& edges) {
                    left.row(first).assign(call.values[2].row(i));
                    for (Index k = first + 1; k < first + std::ssize(edges) - 1; ++k)
                        left.row(k).assign(left.row(k - 1) + call.values[0].row(k - 1));
                });
}

template <class T>
In<T> forward(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const Index dim = layer.embedding_dim;
    const EmbeddedColumns all = columns_of(layer, x.cols());
    y.resize(x.rows(), all.width("PiecewiseLinearEmbedding", ""));
    all.pass<T>(x, y);
    const Piecewise<T> own(layer, *call.kept, x.rows());
    sum_left(layer, call, own.left);
    each_row(x.rows(), all.count(), 16 + 4.0 * double(dim), [&](Index r) {
        each_binned(layer, 0, all.count(), [&](Index i, Index first, const std::vector<double>& edges) {
            const T at = x(r, all.from(i));
            const Index bin = bin_of(edges, double(at));
            const double from = edges[size_t(bin)], to = edges[size_t(bin) + 1];
            const T place = static_cast<T>((double(at) - from) / (to - from));
            own.bin(r, i) = static_cast<T>(bin), own.place(r, i) = place;
            const T *left = own.left.row(first + bin).data(), *v = call.values[0].row(first + bin).data();
            const T* w = call.values[1].row(i).data();
            T* out = &y(r, all.to(i));
            for (Index d = 0; d < dim; ++d) out[d] = left[d] + place * v[d] + at * w[d];
        });
    });
    return y.view();
}

// sum a_d b_d in eight lanes, joined in one order
template <class T>
T dot(const T* a, const T* b, Index n) {
    T lane[8] = {};
    Index d = 0;
    for (; d + 8 <= n; d += 8)
        for (Index l = 0; l < 8; ++l) lane[l] += a[d + l] * b[d + l];
    for (Index l = 0; d < n; ++d, ++l) lane[l] += a[d] * b[d];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// The sums of dy, place * dy and x * dy over the rows of each bin, three rows of `sums` a bin; x is column i, dy the
// columns of its numbers.
template <class T>
void sum_by_bin(const Piecewise<T>& own, In<T> x, In<T> dy, Index i, Index first, MatrixView<T> sums) {
    const Index dim = sums.cols();
    for (Index r = 0; r < x.rows(); ++r) {
        const Index row = 3 * (first + static_cast<Index>(own.bin(r, i)));
        const T *g = &dy(r, 0), place = own.place(r, i), at = x(r, 0);
        T *all = sums.row(row).data(), *placed = sums.row(row + 1).data(),
          *times_x = sums.row(row + 2).data();
        for (Index d = 0; d < dim; ++d) all[d] += g[d], placed[d] += place * g[d], times_x[d] += at * g[d];
    }
}

// dV of a bin = sum of place * dy over its rows + sum of dy over the rows right of it
template <class T>
void parameter_gradients(const LayerCall<T>& call, Index i, Index first, Index last, MatrixView<T> sums) {
    const MatrixView<T> dv = call.grads[0], dw = call.grads[1].row(i), db = call.grads[2].row(i);
    if (!call.accumulate) dv.middle_rows(first, last - first).set_zero(), dw.set_zero(), db.set_zero();
    for (Index k = last - 1; k >= first; --k) {
        const MatrixView<T> all = sums.row(3 * k);
        if (k + 1 < last) {
            dv.row(k).assign(dv.row(k) + sums.row(3 * (k + 1)));
            all.assign(all + sums.row(3 * (k + 1)));  // of the bins from here on
        }
        dv.row(k).assign(dv.row(k) + sums.row(3 * k + 1));
        dw.assign(dw + sums.row(3 * k + 2));
    }
    db.assign(db + sums.row(3 * first));
}

// The slope of a column is w + V of x's bin over its width; at an edge, that of the bin to the right.
template <class T>
void input_gradient(const LayerCall<T>& call, const Piecewise<T>& own, In<T> dy, Index i, Index first,
                    const std::vector<double>& edges, MatrixView<T> dx) {
    const Index dim = call.values[0].cols();
    for (Index r = 0; r < dx.rows(); ++r) {
        const auto bin = static_cast<size_t>(own.bin(r, i));
        const Index row = first + Index(bin);
        const T *g = &dy(r, 0), *v = call.values[0].row(row).data(), *w = call.values[1].row(i).data();
        dx(r, 0) = dot(g, w, dim) + static_cast<T>(double(dot(g, v, dim)) / (edges[bin + 1] - edges[bin]));
    }
}

// A column is one thread's: its sums are over the rows in their order.
template <class T>
In<T> backward(const PiecewiseLinearEmbedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    const Piecewise<T> own(layer, *call.kept, x.rows());
    const EmbeddedColumns all = columns_of(layer, x.cols());
    Matrix<T>& sums = *call.scratch;  // (3 bins, dim)
    sums.resize(3 * bin_count(layer), layer.embedding_dim);
    sums.view().set_zero();
    if (dx) dx->resize(x.rows(), x.cols()), all.pass_back<T>(dy, *dx);
    const double work = 8.0 * double(dy.rows()) * double(dy.cols());
    parallel_for(all.count(), 1, threads_for(work), [&](Index begin, Index end) {
        each_binned(layer, begin, end, [&](Index i, Index first, const std::vector<double>& edges) {
            const In<T> own_dy = dy.middle_cols(all.to(i), layer.embedding_dim);
            sum_by_bin<T>(own, x.col(all.from(i)), own_dy, i, first, sums);
            parameter_gradients<T>(call, i, first, first + std::ssize(edges) - 1, sums);
            if (dx) input_gradient<T>(call, own, own_dy, i, first, edges, dx->view().col(all.from(i)));
        });
    });
    return dx ? In<T>(dx->view()) : In<T>();
}

}  // namespace cmlp::inline v0_1::layer
