// PeriodicEmbedding and BatchEnsemble: many small matrix products side by side, each on a block of the columns.
#pragma once

#include <cmlp/ops/functions.hpp>

#include <numbers>

#include "layers/columns.hpp"

namespace cmlp::inline v0_1::layer {

// f of every element, row by row.
template <class T>
void apply_rows(Function f, In<T> x, MatrixView<T> y) {
    each_row(x.rows(), x.cols(), 16, [&](Index i) {
        const auto n = static_cast<size_t>(x.cols());
        apply<T>(f, {x.row(i).data(), n}, {y.row(i).data(), n});
    });
}

// ---- PeriodicEmbedding: kept (batch, 3 n k), the phases z, h = cos(z) and space for dz; n columns, k frequencies

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

// z = 2 pi x_i w + phase, h = cos(z), y_i = [h W2_i + b2_i, x_i]
template <class T>
In<T> forward(const PeriodicEmbedding& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const EmbeddedColumns all = columns_of(layer);
    const Index n = all.count(), k = layer.n_frequencies, out = layer.embedding_dim;
    call.kept->resize(x.rows(), 3 * n * k);
    y.resize(x.rows(), all.width("PeriodicEmbedding", ""));
    all.pass<T>(x, y);
    const MatrixView<T> z = call.kept->middle_cols(0, n * k), h = call.kept->middle_cols(n * k, n * k);
    const T *w = call.values[0].data(), *phase = call.values[1].data();
    constexpr T turn = static_cast<T>(2 * std::numbers::pi);
    each_row(x.rows(), n * k, 2, [&](Index r) {
        for (Index i = 0; i < n; ++i)
            for (Index j = i * k; j < (i + 1) * k; ++j) z(r, j) = turn * x(r, all.from(i)) * w[j] + phase[j];
    });
    apply_rows<T>(Function::cos, z, h);
    for (Index i = 0; i < n; ++i) {
        const T* bias = call.values[3].data() + i * (out - 1);
        ops::linear_forward<T>(h.middle_cols(i * k, k), call.values[2].middle_rows(i * k, k), bias,
                               y.middle_cols(all.to(i), out - 1));
        y.col(all.to(i) + out - 1).assign(x.col(all.from(i)));
    }
    return y.view();
}

template <class T>
In<T> backward(const PeriodicEmbedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    const EmbeddedColumns all = columns_of(layer);
    const Index n = all.count(), k = layer.n_frequencies, out = layer.embedding_dim;
    const MatrixView<T> z = call.kept->middle_cols(0, n * k), h = call.kept->middle_cols(n * k, n * k);
    const MatrixView<T> dz = call.kept->middle_cols(2 * n * k, n * k);
    for (Index i = 0; i < n; ++i) {
        const In<T> de = dy.middle_cols(all.to(i), out - 1), w2 = call.values[2].middle_rows(i * k, k);
        ops::linear_backward_weight<T>(h.middle_cols(i * k, k), de, call.grads[2].middle_rows(i * k, k),
                                       call.accumulate);
        ops::linear_backward_bias<T>(de, call.grads[3].data() + i * (out - 1), call.accumulate);
        ops::linear_backward_input<T>(de, w2, *call.scratch, dz.middle_cols(i * k, k));
    }
    Matrix<T>& slope = *call.scratch;  // (batch, n k): -sin(z), then the share of x in z
    slope.resize(x.rows(), n * k);
    apply_rows<T>(Function::sin, z, slope);
    dz.assign(-dz.cwise_product(slope));
    constexpr T turn = static_cast<T>(2 * std::numbers::pi);
    each_row(x.rows(), n * k, 1, [&](Index r) {
        for (Index j = 0; j < n * k; ++j) slope(r, j) = turn * x(r, all.from(j / k));
    });
    ops::column_products<T>(slope.view(), dz, call.grads[0].data(), call.accumulate);
    ops::linear_backward_bias<T>(dz, call.grads[1].data(), call.accumulate);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    all.pass_back<T>(dy, *dx);
    const T* w = call.values[0].data();
    each_row(x.rows(), n * k, 1, [&](Index r) {
        for (Index i = 0; i < n; ++i) {
            T sum = 0;
            for (Index j = i * k; j < (i + 1) * k; ++j) sum += dz(r, j) * w[j];
            (*dx)(r, all.from(i)) = dy(r, all.to(i) + out - 1) + turn * sum;
        }
    });
    return dx->view();
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
