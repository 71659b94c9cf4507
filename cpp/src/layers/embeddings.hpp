// PeriodicEmbedding and BatchEnsemble: many small matrix products side by side, each on a block of the columns.
#pragma once

#include <numbers>

#include "layers/columns.hpp"
#include "ops/periodic.hpp"

namespace cmlp::inline v0_1::layer {

// ---- PeriodicEmbedding: n columns, k frequencies

inline EmbeddedColumns columns_of(const PeriodicEmbedding& layer) {
    return {layer.columns, layer.in_features, layer.embedding_dim};
}

inline std::vector<ParameterSpec> specs(const PeriodicEmbedding& layer) {
    const Index n = columns_of(layer).count(), k = layer.n_frequencies, out = layer.embedding_dim - 1;
    require_features("PeriodicEmbedding", "in_features", layer.in_features);
    require_columns("PeriodicEmbedding", layer.columns);
    require(n == 0 || columns_of(layer).from(n - 1) < layer.in_features, "PeriodicEmbedding: in_features is ",
            layer.in_features, ", columns name ", columns_of(layer).from(n - 1));
    require_features("PeriodicEmbedding", "n_frequencies", k);
    require(out > 0, "PeriodicEmbedding: embedding_dim is ", layer.embedding_dim, ", it must be at least 2");
    const Index all = size_product("PeriodicEmbedding", n, k);
    return {{"frequency", 1, all, false, true},
            {"phase", 1, all, false, true},
            {"weight", all, out},
            {"bias", 1, size_product("PeriodicEmbedding", n, out), false, true}};
}

inline Index width(const PeriodicEmbedding& layer, Index in, std::string_view name) {
    require_width("PeriodicEmbedding", layer.in_features, in, name);
    return columns_of(layer).width("PeriodicEmbedding", name);
}
inline Index required_width(const PeriodicEmbedding& layer) { return layer.in_features; }
inline std::optional<Activation> activation_of(const PeriodicEmbedding&) { return Activation::identity; }

// w ~ N(0, sigma^2), phases ~ U(-pi, pi), W2 and b2 ~ U(-1/sqrt(k), 1/sqrt(k))
template <class T>
void reset(const PeriodicEmbedding& layer, std::span<const MatrixView<T>> values, std::uint64_t seed,
           Index index, Activation) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const double pi = std::numbers::pi, bound = 1 / std::sqrt(double(layer.n_frequencies));
    initialize(values[0], Initializer::normal, {{"std", layer.sigma}}, rng);
    initialize(values[1], Initializer::uniform, {{"low", -pi}, {"high", pi}}, rng);
    for (size_t i = 2; i < 4; ++i)
        initialize(values[i], Initializer::uniform, {{"low", -bound}, {"high", bound}}, rng);
}

// f(first row, rows, first column, columns, scratch) for chunks of rows and stretches of embedded columns: a column
// is one thread's, so that the sums over its rows are in their order.
template <class T, class F>
void each_periodic_block(const PeriodicEmbedding& layer, Index rows, double cost, Matrix<T>& scratch, F f) {
    const EmbeddedColumns all = columns_of(layer);
    const Index n = all.count(), each = 1 + layer.embedding_dim;
    scratch.resize(n * each, std::min(rows, ops::periodic_rows));
    for (Index r = 0; r < rows; r += ops::periodic_rows) {
        const Index count = std::min(ops::periodic_rows, rows - r);
        const double work = cost * double(count) * double(n * layer.n_frequencies);
        parallel_for(n, 4, threads_for(work), [&](Index begin, Index end) {
            all.each_run(begin, end, [&](Index i, Index columns) {
                f(r, count, i, columns, scratch.middle_rows(i * each, columns * each));
            });
        });
    }
}

template <class T>
ops::PeriodicNumbers<T> numbers_of(const PeriodicEmbedding& layer, const LayerCall<T>& call, Index column) {
    const ops::PeriodicNumbers<T> all{layer.n_frequencies,   layer.embedding_dim, call.values[0].data(),
                                      call.values[1].data(), call.values[2],      call.values[3].data()};
    return all.from(column);
}

template <class T>
In<T> forward(const PeriodicEmbedding& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const EmbeddedColumns all = columns_of(layer);
    y.resize(x.rows(), all.width("PeriodicEmbedding", ""));
    all.pass<T>(x, y);
    each_periodic_block(layer, x.rows(), 8, *call.scratch,
                        [&](Index r, Index rows, Index i, Index columns, MatrixView<T> scratch) {
                            const Index dim = layer.embedding_dim;
                            ops::periodic_forward<T>(numbers_of(layer, call, i),
                                                     x.block(r, all.from(i), rows, columns), scratch,
                                                     y.view().block(r, all.to(i), rows, columns * dim));
                        });
    return y.view();
}

template <class T>
In<T> backward(const PeriodicEmbedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    const EmbeddedColumns all = columns_of(layer);
    const Index k = layer.n_frequencies, dim = layer.embedding_dim;
    const auto& grads = call.grads;
    if (dx) dx->resize(x.rows(), x.cols()), all.pass_back<T>(dy, *dx);
    each_periodic_block(
        layer, x.rows(), 24, *call.scratch,
        [&](Index r, Index rows, Index i, Index columns, MatrixView<T> scratch) {
            const ops::PeriodicSums<T> sums{grads[0].data() + i * k, grads[1].data() + i * k,
                                            grads[2].middle_rows(i * k, columns * k),
                                            grads[3].data() + i * (dim - 1), call.accumulate || r > 0};
            const MatrixView<T> to = dx ? dx->view().block(r, all.from(i), rows, columns) : MatrixView<T>();
            ops::periodic_backward<T>(numbers_of(layer, call, i), x.block(r, all.from(i), rows, columns),
                                      dy.block(r, all.to(i), rows, columns * dim), scratch, sums, to);
        });
    return dx ? In<T>(dx->view()) : In<T>();
}

// ---- BatchEnsemble: kept (batch, (members + 1)(in + out)), x_i * r_i of each member, then u_i = (x_i * r_i)
// W of each, and space for the gradients of one

inline std::vector<ParameterSpec> specs(const BatchEnsemble& layer) {
    const Index in = layer.in_features, out = layer.out_features, members = layer.members;
    require_features("BatchEnsemble", "in_features", in);
    require_features("BatchEnsemble", "out_features", out);
    require_features("BatchEnsemble", "members", members);
    return {{"weight", in, out, true}, {"r", members, in}, {"s", members, out}, {"bias", members, out}};
}

inline Index input_columns(const BatchEnsemble& layer) {
    return layer.shared_input ? layer.in_features
                              : size_product("BatchEnsemble", layer.members, layer.in_features);
}
inline Index width(const BatchEnsemble& layer, Index in, std::string_view name) {
    require_width("BatchEnsemble", input_columns(layer), in, name);
    return size_product("BatchEnsemble", layer.members, layer.out_features);
}
inline Index required_width(const BatchEnsemble& layer) { return input_columns(layer); }
inline std::optional<Activation> activation_of(const BatchEnsemble&) { return Activation::identity; }

// W and one bias for all members ~ U(-1/sqrt(in), 1/sqrt(in)), s = 1, r as `init` says
template <class T>
void reset(const BatchEnsemble& layer, std::span<const MatrixView<T>> values, std::uint64_t seed, Index index,
           Activation) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const double bound = 1 / std::sqrt(double(layer.in_features));
    initialize_transposed(values[0], Initializer::torch, {}, rng);
    initialize(values[3].row(0), Initializer::uniform, {{"low", -bound}, {"high", bound}}, rng);
    for (Index m = 1; m < layer.members; ++m) values[3].row(m).assign(values[3].row(0));
    values[1].set_constant(1);
    values[2].set_constant(1);
    if (layer.init == EnsembleInit::normal) initialize(values[1], Initializer::normal, {}, rng);
    for (Index m = 0; m < layer.members && layer.init == EnsembleInit::signs; ++m)
        for (Index j = 0; j < layer.in_features; ++j) values[1](m, j) = rng.below(2) == 1 ? T(1) : T(-1);
}

template <class T>
In<T> input_of(const BatchEnsemble& layer, In<T> x, Index member) {
    return layer.shared_input ? x : x.middle_cols(member * layer.in_features, layer.in_features);
}

// y_i = ((x_i * r_i) W) * s_i + b_i
template <class T>
In<T> forward(const BatchEnsemble& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const Index in = layer.in_features, out = layer.out_features, members = layer.members;
    call.kept->resize(x.rows(), (members + 1) * (in + out));
    y.resize(x.rows(), members * out);
    for (Index m = 0; m < members; ++m) {
        const MatrixView<T> xr = call.kept->middle_cols(m * in, in);
        const MatrixView<T> u = call.kept->middle_cols(members * in + m * out, out);
        ops::affine<T>(input_of(layer, x, m), call.values[1].row(m).data(), nullptr, xr);
        ops::linear_forward<T>(xr, call.values[0], nullptr, u);
        ops::affine<T>(u, call.values[2].row(m).data(), call.values[3].row(m).data(),
                       y.middle_cols(m * out, out));
    }
    return y.view();
}

template <class T>
In<T> backward(const BatchEnsemble& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    const Index in = layer.in_features, out = layer.out_features, members = layer.members;
    const MatrixView<T> own = call.kept->view().right_cols(in + out), du = own.left_cols(out),
                        dxr = own.right_cols(in);
    if (dx) dx->resize(x.rows(), x.cols());
    for (Index m = 0; m < members; ++m) {
        const In<T> d = dy.middle_cols(m * out, out), xr = call.kept->middle_cols(m * in, in);
        const In<T> u = call.kept->middle_cols(members * in + m * out, out), xi = input_of(layer, x, m);
        ops::column_products<T>(u, d, call.grads[2].row(m).data(), call.accumulate);
        ops::linear_backward_bias<T>(d, call.grads[3].row(m).data(), call.accumulate);
        ops::affine<T>(d, call.values[2].row(m).data(), nullptr, du);
        ops::linear_backward_weight<T>(xr, du, call.grads[0], call.accumulate || m > 0);
        ops::linear_backward_input<T>(du, call.values[0], *call.scratch, dxr);
        ops::column_products<T>(xi, dxr, call.grads[1].row(m).data(), call.accumulate);
        if (!dx) continue;
        ops::affine<T>(dxr, call.values[1].row(m).data(), nullptr, dxr);
        const MatrixView<T> to = layer.shared_input ? dx->view() : dx->middle_cols(m * in, in);
        if (layer.shared_input && m > 0)
            to.assign(to + dxr);
        else
            to.assign(dxr);
    }
    return dx ? In<T>(dx->view()) : In<T>();
}

}  // namespace cmlp::inline v0_1::layer
