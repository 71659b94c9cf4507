// Layers for tables: embeddings of codes, a factor for each input, activations with a learned share.
#pragma once

#include "layers/basic.hpp"
#include "layers/columns.hpp"

namespace cmlp::inline v0_1::layer {

// ---- Embedding

inline std::vector<ParameterSpec> specs(const Embedding& layer) {
    require_features("Embedding", "num_embeddings", layer.num_embeddings);
    require_features("Embedding", "embedding_dim", layer.embedding_dim);
    require(layer.padding_idx < layer.num_embeddings, "Embedding: padding_idx is ", layer.padding_idx,
            ", there are ", layer.num_embeddings, " embeddings");
    require_columns("Embedding", layer.columns);
    return {{"weight", layer.num_embeddings, layer.embedding_dim}};
}

inline EmbeddedColumns columns_of(const Embedding& layer, Index in) {
    return {layer.columns, in, layer.embedding_dim};
}

inline Index width(const Embedding& layer, Index in, std::string_view name) {
    return columns_of(layer, in).width("Embedding", name);
}
inline Index narrowing(const Embedding&) { return 0; }

inline std::optional<Activation> activation_of(const Embedding&) { return Activation::identity; }

template <class T>
void reset(const Embedding& layer, std::span<const MatrixView<T>> values, std::uint64_t seed, Index index,
           Activation) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    initialize(values[0], Initializer::normal, {}, rng);
    if (layer.padding_idx >= 0) values[0].row(layer.padding_idx).set_zero();
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
    const EmbeddedColumns all = columns_of(layer, x.cols());
    y.resize(x.rows(), all.width("Embedding", ""));
    all.pass<T>(x, y);
    for (Index c = 0; c < all.count(); ++c)
        for (Index i = 0; i < x.rows(); ++i)
            std::copy_n(call.values[0].row(code_at(layer, x, i, all.from(c))).data(), layer.embedding_dim,
                        &y(i, all.to(c)));
    return y.view();
}

// Codes have no gradient: theirs is 0.
template <class T>
In<T> backward(const Embedding& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    const EmbeddedColumns all = columns_of(layer, x.cols());
    const MatrixView<T> dw = call.grads[0];
    if (!call.accumulate) dw.set_zero();
    for (Index c = 0; c < all.count(); ++c)
        for (Index i = 0; i < x.rows(); ++i) {
            const Index code = code_at(layer, x, i, all.from(c));
            if (code == layer.padding_idx) continue;
            for (Index d = 0; d < layer.embedding_dim; ++d) dw(code, d) += dy(i, all.to(c) + d);
        }
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    dx->view().set_zero();
    all.pass_back<T>(dy, *dx);
    return dx->view();
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

// ---- ParametricActivation: y = x + a (f(x) - x), a share a for each column

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

template <class T>
In<T> forward(const ParametricActivation& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    ops::activation_forward<T>(layer.activation.kind, rounded<T>(layer.activation.parameters), x, y,
                               call.values[0].data());
    return y.view();
}

template <class T>
In<T> backward(const ParametricActivation& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy,
               Matrix<T>* dx) {
    Matrix<T>& to = dx ? *dx : *call.scratch;
    to.resize(x.rows(), x.cols());
    ops::parametric_backward<T>(layer.activation.kind, rounded<T>(layer.activation.parameters), x,
                                call.values[0].data(), dy, call.grads[0].data(), call.accumulate, to);
    return dx ? In<T>(to) : In<T>();
}

}  // namespace cmlp::inline v0_1::layer
