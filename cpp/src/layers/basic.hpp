// Linear, elementwise activations, softmax and its logarithm, dropout, flatten: forward and backward as a pair.
#pragma once

#include "layers/common.hpp"

namespace cmlp::inline v0_1::layer {

// ---- Linear

// The parameters in the network's precision.
template <class T>
std::array<T, 4> rounded(const std::vector<double>& values) {
    std::array<T, 4> result{};
    for (size_t i = 0; i < values.size(); ++i) result[i] = static_cast<T>(values[i]);
    return result;
}

inline bool is_ntk(const Linear& layer) { return layer.parametrization == Parametrization::ntk; }

template <class T>
T factor_of(const Linear& layer) {
    return is_ntk(layer) ? static_cast<T>(1 / std::sqrt(double(layer.in_features))) : T(1);
}

inline std::vector<ParameterSpec> specs(const Linear& layer) {
    require(layer.in_features > 0 && layer.out_features > 0, "Linear: in_features is ", layer.in_features,
            ", out_features is ", layer.out_features, ", both must be at least 1");
    if (layer.init) resolve(*layer.init, layer.init_settings);
    std::vector<ParameterSpec> all{{"weight", layer.in_features, layer.out_features, true, false}};
    if (layer.bias) all.push_back({"bias", 1, layer.out_features, false, true});
    return all;
}

inline Index width(const Linear& layer, Index in, std::string_view name) {
    require_width("Linear", layer.in_features, in, name);
    return layer.out_features;
}

inline Index required_width(const Linear& layer) { return layer.in_features; }
inline std::optional<Activation> activation_of(const Linear&) { return Activation::identity; }

// "torch" draws weight and bias from U(-1/sqrt(in), 1/sqrt(in)); all others leave the bias at 0. In NTK form "auto" is
// N(0, 1), the factor 1 / sqrt(in) being in the formula.
template <class T>
void reset(const Linear& layer, std::span<const MatrixView<T>> values, std::uint64_t seed, Index index,
           Activation next) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const auto automatic = is_ntk(layer) ? Initializer::normal : initializer_for(next);
    const auto initializer = layer.init.value_or(automatic);
    initialize_transposed(values[0], initializer, layer.init_settings, rng);
    if (!layer.bias) return;
    values[1].set_zero();
    if (initializer != Initializer::torch) return;
    const double bound = 1 / std::sqrt(double(layer.in_features));
    initialize(values[1], Initializer::uniform, {{"low", -bound}, {"high", bound}}, rng);
}

// y of the batch; a sparse x is that of the call.
template <class T>
void product(const Linear& layer, const LayerCall<T>& call, In<T> x, MatrixView<T> y, ops::AfterBlock after) {
    const T *bias = layer.bias ? call.values[1].data() : nullptr, factor = factor_of<T>(layer);
    if (call.linear.sparse)
        ops::sparse_forward<T>(*call.linear.sparse, call.values[0], bias, y, after, factor);
    else if constexpr (std::is_same_v<T, float>)
        call.linear.pairs ? ops::bf16_forward(x, call.values[0], bias, y, *call.linear.pairs, after, factor)
                          : ops::linear_forward<T>(x, call.values[0], bias, y, after, factor);
    else
        ops::linear_forward<T>(x, call.values[0], bias, y, after, factor);
}

// The layers behind a Linear, for a block of its output that is in the cache.
template <class T>
void join_forward(const JoinedLayers<T>& joined, MatrixView<const T> z, Index i, Index j) {
    const Index rows = z.rows(), cols = z.cols();
    if (joined.activation) {
        const MatrixView<T> active = joined.active->view().block(i, j, rows, cols);
        const auto parameters = rounded<T>(joined.activation->parameters);
        ops::activation_forward<T>(joined.activation->kind, parameters, z, active,
                                   joined.share ? joined.share + j : nullptr);
        z.rebind(active);
    }
    if (joined.dropout.p > 0)
        ops::dropout<T>(z, joined.dropout, joined.kept, i, j, joined.dropped->view().block(i, j, rows, cols));
}

// The layers in front of a Linear, for a block of its input's gradient that is in the cache.
template <class T>
void join_backward(const JoinedLayers<T>& joined, MatrixView<T> dx, Index i, Index j) {
    if (joined.dropout.p > 0) ops::dropout_backward<T>(dx, joined.dropout.p, joined.kept, i, j, dx);
    if (!joined.activation) return;
    ops::activation_backward<T>(joined.activation->kind, rounded<T>(joined.activation->parameters),
                                joined.z.block(i, j, dx.rows(), dx.cols()),
                                joined.y.block(i, j, dx.rows(), dx.cols()), dx, dx);
}

template <class T>
In<T> forward(const Linear& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(call.linear.sparse ? call.linear.sparse->rows() : x.rows(), layer.out_features);
    const JoinedLayers<T>* joined = call.linear.joined;
    for (Matrix<T>* out : {joined ? joined->active : nullptr, joined ? joined->dropped : nullptr})
        if (out) out->resize(y.rows(), y.cols());
    auto after = [&](Index i, Index rows, Index j, Index cols) {
        join_forward<T>(*joined, y.view().block(i, j, rows, cols), i, j);
    };
    product<T>(layer, call, x, y, joined ? ops::AfterBlock(after) : ops::AfterBlock());
    return y.view();
}

// Weights and bias; dense ones are left open where the call says so.
template <class T>
void backward_weight(const Linear& layer, const LayerCall<T>& call, In<T> x, In<T> dy) {
    T *const db = layer.bias ? call.grads[1].data() : nullptr, factor = factor_of<T>(layer);
    if (!call.linear.sparse && !call.linear.pairs) {
        const WeightGradient<T> gradient{x, dy, call.grads[0], db, call.accumulate, factor};
        if (call.linear.open) return call.linear.open->push_back(gradient);
        return ops::weight_gradients<T>({&gradient, 1});
    }
    if (call.linear.sparse)
        ops::sparse_backward_weight<T>(*call.linear.sparse, dy, *call.linear.columns, call.grads[0],
                                       call.accumulate, factor);
    else if constexpr (std::is_same_v<T, float>)
        ops::bf16_backward_weight(x, dy, call.grads[0], call.accumulate, *call.linear.pairs, factor);
    if (db) ops::linear_backward_bias<T>(dy, db, call.accumulate);
}

template <class T>
In<T> backward(const Linear& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    backward_weight<T>(layer, call, x, dy);
    if (!dx) return {};
    dx->resize(dy.rows(), layer.in_features);
    auto join = [&](Index i, Index rows, Index j, Index cols) {
        join_backward<T>(*call.linear.joined, dx->view().block(i, j, rows, cols), i, j);
    };
    const ops::AfterBlock after = call.linear.joined ? ops::AfterBlock(join) : ops::AfterBlock();
    const T factor = factor_of<T>(layer);
    if constexpr (std::is_same_v<T, float>)
        if (call.linear.pairs) {
            ops::bf16_backward_input(dy, call.values[0], *dx, *call.linear.pairs, after, factor);
            return dx->view();
        }
    ops::linear_backward_input<T>(dy, call.values[0], *call.scratch, *dx, after, factor);
    return dx->view();
}

// ---- Activation

inline void require_parameters(const ActivationLayer& layer) {
    const size_t takes = parameters(layer.kind).size();
    require(layer.parameters.size() == takes, "activation '", name(layer.kind), "' has ", takes,
            " parameters, the layer ", layer.parameters.size());
}

inline std::vector<ParameterSpec> specs(const ActivationLayer& layer) {
    require_parameters(layer);
    return {};
}
inline std::optional<Activation> activation_of(const ActivationLayer& layer) { return layer.kind; }

template <class T>
In<T> forward(const ActivationLayer& layer, const LayerCall<T>&, In<T> x, Matrix<T>& y) {
    if (layer.kind == Activation::identity) return x;
    y.resize(x.rows(), x.cols());
    ops::activation_forward<T>(layer.kind, rounded<T>(layer.parameters), x, y);
    return y.view();
}

template <class T>
In<T> backward(const ActivationLayer& layer, const LayerCall<T>&, In<T> x, In<T> y, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    if (layer.kind == Activation::identity) return dy;
    dx->resize(x.rows(), x.cols());
    ops::activation_backward<T>(layer.kind, rounded<T>(layer.parameters), x, y, dy, *dx);
    return dx->view();
}

// ---- Softmax and LogSoftmax

inline std::optional<Activation> activation_of(const Softmax&) { return Activation::identity; }
inline std::optional<Activation> activation_of(const LogSoftmax&) { return Activation::identity; }

template <class T>
In<T> forward(const Softmax&, const LayerCall<T>&, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    ops::softmax_forward<T>(x, y);
    return y.view();
}

template <class T>
In<T> backward(const Softmax&, const LayerCall<T>&, In<T>, In<T> y, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    dx->resize(y.rows(), y.cols());
    ops::softmax_backward<T>(y, dy, *dx);
    return dx->view();
}

template <class T>
In<T> forward(const LogSoftmax&, const LayerCall<T>&, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    ops::log_softmax_forward<T>(x, y);
    return y.view();
}

template <class T>
In<T> backward(const LogSoftmax&, const LayerCall<T>&, In<T>, In<T> y, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    dx->resize(y.rows(), y.cols());
    ops::log_softmax_backward<T>(y, dy, *dx);
    return dx->view();
}

// ---- Dropout: kept are the bits of the mask, rows of bytes in the memory of the matrix

inline Index width(const Dropout& layer, Index in, std::string_view name) {
    require(layer.p >= 0 && layer.p <= 1, "Dropout: p of layer '", name, "' is ", layer.p,
            ", it must be in [0, 1]");
    return in;
}

template <class T>
In<T> forward(const Dropout& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const ops::DropoutDraws draws = dropout_draws(call, layer.p, x.cols());
    if (draws.p == 0) return x;
    resize_kept_bits(*call.kept, x.rows(), x.cols());
    y.resize(x.rows(), x.cols());
    ops::dropout<T>(x, draws, kept_bits(*call.kept), 0, 0, y);
    return y.view();
}

template <class T>
In<T> backward(const Dropout& layer, const LayerCall<T>& call, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    const ops::DropoutDraws draws = dropout_draws(call, layer.p, dy.cols());
    if (draws.p == 0) return dy;
    dx->resize(dy.rows(), dy.cols());
    ops::dropout_backward<T>(dy, draws.p, kept_bits(*call.kept), 0, 0, *dx);
    return dx->view();
}

// ---- Flatten

template <class T>
In<T> forward(const Flatten&, const LayerCall<T>&, In<T> x, Matrix<T>&) {
    return x;
}

template <class T>
In<T> backward(const Flatten&, const LayerCall<T>&, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    return dy;
}

}  // namespace cmlp::inline v0_1::layer
