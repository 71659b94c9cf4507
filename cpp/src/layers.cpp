// Each layer's forward and backward, written as a pair.
#include <cmlp/layers.hpp>

#include <array>
#include <cmath>

#include "ops.hpp"

namespace cmlp {
namespace {
namespace layer {  // looked up by its name below, so that a layer without its function does not compile

template <class T>
using In = MatrixView<const T>;

// What a layer that keeps the width and has no parameters need not say.
template <class L>
std::vector<ParameterSpec> specs(const L&) {
    return {};
}
template <class L>
Index width(const L&, Index in, std::string_view) {
    return in;
}
template <class L>
Index required_width(const L&) {
    return 0;
}
template <class T, class L>
void reset(const L&, std::span<const MatrixView<T>>, std::uint64_t, Index, Activation) {}

// ---- Linear

std::vector<ParameterSpec> specs(const Linear& layer) {
    require(layer.in_features > 0 && layer.out_features > 0, "Linear: in_features is ", layer.in_features,
            ", out_features is ", layer.out_features, ", both must be at least 1");
    if (layer.init != "auto") resolve(parse<Initializer>(layer.init), layer.init_settings);
    std::vector<ParameterSpec> all{{"weight", layer.in_features, layer.out_features, true, false}};
    if (layer.bias) all.push_back({"bias", 1, layer.out_features, false, true});
    return all;
}

Index width(const Linear& layer, Index in, std::string_view name) {
    require(in == layer.in_features, "Linear.forward: x has ", in, " columns, the layer '", name,
            "' expects ", layer.in_features);
    return layer.out_features;
}

Index required_width(const Linear& layer) { return layer.in_features; }

// "torch" draws weight and bias from U(-1/sqrt(in), 1/sqrt(in)); all others leave the bias at 0.
template <class T>
void reset(const Linear& layer, std::span<const MatrixView<T>> values, std::uint64_t seed, Index index,
           Activation next) {
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const auto initializer = layer.init == "auto" ? initializer_for(next) : parse<Initializer>(layer.init);
    initialize_transposed(values[0], initializer, layer.init_settings, rng);
    if (!layer.bias) return;
    values[1].set_zero();
    if (initializer != Initializer::torch) return;
    const double bound = 1 / std::sqrt(double(layer.in_features));
    initialize(values[1], Initializer::uniform, {{"low", -bound}, {"high", bound}}, rng);
}

template <class T>
In<T> forward(const Linear& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), layer.out_features);
    ops::linear_forward<T>(x, call.values[0], layer.bias ? call.values[1].data() : nullptr, y);
    return y.view();
}

template <class T>
In<T> backward(const Linear& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    ops::linear_backward_weight<T>(x, dy, call.grads[0], call.accumulate);
    if (layer.bias) ops::linear_backward_bias<T>(dy, call.grads[1].data(), call.accumulate);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    ops::linear_backward_input<T>(dy, call.values[0], *call.scratch, *dx);
    return dx->view();
}

// ---- Activation

template <class T>
std::array<T, 4> rounded(const std::vector<double>& values) {
    std::array<T, 4> result{};
    for (size_t i = 0; i < values.size(); ++i) result[i] = static_cast<T>(values[i]);
    return result;
}

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

// ---- Softmax

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

// ---- Dropout: the mask is a function of (key, step), so backward draws it again

Index width(const Dropout& layer, Index in, std::string_view name) {
    require(layer.p >= 0 && layer.p <= 1, "Dropout: p of layer '", name, "' is ", layer.p,
            ", it must be in [0, 1]");
    return in;
}

template <class T>
In<T> forward(const Dropout& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    if (!call.training || layer.p == 0) return x;
    y.resize(x.rows(), x.cols());
    ops::dropout<T>(x, layer.p, call.key, call.step, y);
    return y.view();
}

template <class T>
In<T> backward(const Dropout& layer, const LayerCall<T>& call, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    return forward(layer, call, dy, *dx);
}

}  // namespace layer

template <size_t... I>
Layer make_layer(std::string_view type, std::index_sequence<I...>) {
    Layer layer;
    const bool found =
        ((std::variant_alternative_t<I, Layer>::type == type && (layer.emplace<I>(), true)) || ...);
    if (!found) {
        std::string there;
        ((there +=
          std::string(there.empty() ? "" : ", ") + std::string(std::variant_alternative_t<I, Layer>::type)),
         ...);
        fail("unknown layer '", type, "'; choose from ", there);
    }
    return layer;
}

}  // namespace

std::string_view type_name(const Layer& any) {
    return std::visit([](const auto& l) { return std::decay_t<decltype(l)>::type; }, any);
}

Layer make_layer(std::string_view type) {
    return make_layer(type, std::make_index_sequence<std::variant_size_v<Layer>>());
}

std::vector<ParameterSpec> parameter_specs(const Layer& any) {
    return std::visit([](const auto& l) { return layer::specs(l); }, any);
}

Index output_width(const Layer& any, Index in, std::string_view name) {
    return std::visit([&](const auto& l) { return layer::width(l, in, name); }, any);
}

Index input_width(const Layer& any) {
    return std::visit([](const auto& l) { return layer::required_width(l); }, any);
}

template <class T>
void reset_parameters(const Layer& any, std::span<const MatrixView<T>> values, std::uint64_t seed,
                      Index index, Activation next) {
    std::visit([&](const auto& l) { layer::reset<T>(l, values, seed, index, next); }, any);
}

template <class T>
MatrixView<const T> forward(const Layer& any, const LayerCall<T>& call, MatrixView<const T> x, Matrix<T>& y) {
    return std::visit([&](const auto& l) { return layer::forward<T>(l, call, x, y); }, any);
}

template <class T>
MatrixView<const T> backward(const Layer& any, const LayerCall<T>& call, MatrixView<const T> x,
                             MatrixView<const T> y, MatrixView<const T> dy, Matrix<T>* dx) {
    return std::visit([&](const auto& l) { return layer::backward<T>(l, call, x, y, dy, dx); }, any);
}

#define CMLP_LAYERS(T)                                                                                    \
    template void reset_parameters<T>(const Layer&, std::span<const MatrixView<T>>, std::uint64_t, Index, \
                                      Activation);                                                        \
    template MatrixView<const T> forward<T>(const Layer&, const LayerCall<T>&, MatrixView<const T>,       \
                                            Matrix<T>&);                                                  \
    template MatrixView<const T> backward<T>(const Layer&, const LayerCall<T>&, MatrixView<const T>,      \
                                             MatrixView<const T>, MatrixView<const T>, Matrix<T>*);
CMLP_LAYERS(float)
CMLP_LAYERS(double)
#undef CMLP_LAYERS

}  // namespace cmlp
