// Layers for tables: embeddings of codes, a factor for each input, activations with a learned share.
#pragma once

#include "layers/basic.hpp"

namespace cmlp::inline v0_1::layer {

// ---- Embedding

inline std::vector<ParameterSpec> specs(const Embedding& layer) {
    require_features("Embedding", "num_embeddings", layer.num_embeddings);
    require_features("Embedding", "embedding_dim", layer.embedding_dim);
    require(layer.padding_idx < layer.num_embeddings, "Embedding: padding_idx is ", layer.padding_idx,
            ", there are ", layer.num_embeddings, " embeddings");
    for (size_t i = 0; i < layer.columns.size(); ++i)
        require(layer.columns[i] >= 0 && (i == 0 || layer.columns[i - 1] < layer.columns[i]),
                "Embedding: columns must be increasing and not negative");
    return {{"weight", layer.num_embeddings, layer.embedding_dim}};
}

inline Index width(const Embedding& layer, Index in, std::string_view name) {
    if (layer.columns.empty()) return size_product("Embedding", in, layer.embedding_dim);
    require(layer.columns.back() < in, "Embedding.forward: x has ", in, " columns, the layer '", name,
            "' reads column ", layer.columns.back());
    return in + size_product("Embedding", std::ssize(layer.columns), layer.embedding_dim - 1);
}

inline std::optional<Activation> activation_of(const Embedding&) { return Activation::identity; }

template <class T>
void reset(const Embedding& layer, std::span<const MatrixView<T>> values, std::uint64_t seed, Index index,
           Activation) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    initialize(values[0], Initializer::normal, {}, rng);
    if (layer.padding_idx >= 0) values[0].row(layer.padding_idx).set_zero();
}

// f(column of x, first column of y, whether it holds codes) for every column of x.
template <class F>
void each_column(const Embedding& layer, Index in, F f) {
    size_t next = 0;
    for (Index j = 0, to = 0; j < in; ++j) {
        const bool codes = layer.columns.empty() || (next < layer.columns.size() && layer.columns[next] == j);
        f(j, to, codes);
        next += codes;
        to += codes ? layer.embedding_dim : 1;
    }
}

template <class T>
Index code_at(const Embedding& layer, In<T> x, Index i, Index j) {
    const T value = x(i, j);
    require(value >= 0 && value < T(layer.num_embeddings) && value == std::floor(value),
            "Embedding.forward: x has ", value, " at row ", i, ", column ", j, ", it must be a code 0..",
            layer.num_embeddings - 1);
    return static_cast<Index>(value);
}

template <class T>
In<T> forward(const Embedding& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), width(layer, x.cols(), ""));
    each_column(layer, x.cols(), [&](Index j, Index to, bool codes) {
        for (Index i = 0; i < x.rows(); ++i) {
            if (!codes)
                y(i, to) = x(i, j);
            else
                std::copy_n(call.values[0].row(code_at(layer, x, i, j)).data(), layer.embedding_dim,
                            &y(i, to));
        }
    });
    return y.view();
}

// Codes have no gradient: theirs is 0.
template <class T>
In<T> backward(const Embedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    const MatrixView<T> dw = call.grads[0];
    if (!call.accumulate) dw.set_zero();
    if (dx) dx->resize(x.rows(), x.cols());
    each_column(layer, x.cols(), [&](Index j, Index from, bool codes) {
        for (Index i = 0; i < x.rows(); ++i) {
            if (dx) (*dx)(i, j) = codes ? T(0) : dy(i, from);
            if (!codes) continue;
            const Index code = code_at(layer, x, i, j);
            if (code == layer.padding_idx) continue;
            for (Index d = 0; d < layer.embedding_dim; ++d) dw(code, d) += dy(i, from + d);
        }
    });
    return dx ? In<T>(dx->view()) : In<T>();
}

// ---- Scale

inline std::vector<ParameterSpec> specs(const Scale& layer) {
    require_features("Scale", "features", layer.features);
    return {{"weight", 1, layer.features, false, true}};
}

inline Index width(const Scale& layer, Index in, std::string_view name) {
    return require_width("Scale", layer.features, in, name);
}
inline Index required_width(const Scale& layer) { return layer.features; }

template <class T>
void reset(const Scale&, std::span<const MatrixView<T>> values, std::uint64_t, Index, Activation) {
    values[0].set_constant(1);
}

template <class T>
In<T> forward(const Scale&, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    ops::affine<T>(x, call.values[0].data(), nullptr, y);
    return y.view();
}

template <class T>
In<T> backward(const Scale&, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    ops::column_products<T>(x, dy, call.grads[0].data(), call.accumulate);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    ops::affine<T>(dy, call.values[0].data(), nullptr, *dx);
    return dx->view();
}

// ---- ParametricActivation: kept (batch, features) is f(x)

inline std::vector<ParameterSpec> specs(const ParametricActivation& layer) {
    require_features("ParametricActivation", "features", layer.features);
    require_parameters(layer.activation);
    return {{"weight", 1, layer.features, false, true}};
}

inline Index width(const ParametricActivation& layer, Index in, std::string_view name) {
    return require_width("ParametricActivation", layer.features, in, name);
}
inline Index required_width(const ParametricActivation& layer) { return layer.features; }
inline std::optional<Activation> activation_of(const ParametricActivation& layer) {
    return layer.activation.kind;
}

template <class T>
void reset(const ParametricActivation&, std::span<const MatrixView<T>> values, std::uint64_t, Index,
           Activation) {
    values[0].set_constant(1);
}

// y = x + a * (f - x), one share a column
template <class T>
void mix(const T* a, In<T> x, In<T> f, MatrixView<T> y) {
    each_row(x.rows(), x.cols(), 2, [&](Index i) {
        for (Index j = 0; j < x.cols(); ++j) y(i, j) = x(i, j) + a[j] * (f(i, j) - x(i, j));
    });
}

template <class T>
In<T> forward(const ParametricActivation& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    call.kept->resize(x.rows(), x.cols());
    y.resize(x.rows(), x.cols());
    ops::activation_forward<T>(layer.activation.kind, rounded<T>(layer.activation.parameters), x, *call.kept);
    mix<T>(call.values[0].data(), x, call.kept->view(), y);
    return y.view();
}

template <class T>
In<T> backward(const ParametricActivation& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    call.scratch->resize(x.rows(), x.cols());
    call.scratch->view().assign(*call.kept - x);
    ops::column_products<T>(call.scratch->view(), dy, call.grads[0].data(), call.accumulate);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    ops::activation_backward<T>(layer.activation.kind, rounded<T>(layer.activation.parameters), x,
                                call.kept->view(), dy, *dx);
    mix<T>(call.values[0].data(), dy, dx->view(), *dx);
    return dx->view();
}

}  // namespace cmlp::inline v0_1::layer
