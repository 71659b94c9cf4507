// Layers that gate or bend with numbers of their own: GLU's family, PReLU, RReLU, AlphaDropout, parametric activations.
#pragma once

#include "layers/basic.hpp"

namespace cmlp::inline v0_1::layer {

// ---- Gated: y = a * g(b); kept (batch, out) is g(b)

inline Index width(const Gated& layer, Index in, std::string_view name) {
    require(parameters(layer.gate).empty(), "Gated: '", cmlp::name(layer.gate), "' takes parameters");
    require(in % 2 == 0, "Gated.forward: x has ", in, " columns, the layer '", name,
            "' halves an even number");
    return in / 2;
}

inline Index narrowing(const Gated&) { return 2; }
inline std::optional<Activation> activation_of(const Gated&) { return Activation::identity; }

template <class T>
In<T> forward(const Gated& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const Index n = x.cols() / 2;
    call.kept->resize(x.rows(), n);
    y.resize(x.rows(), n);
    ops::activation_forward<T>(layer.gate, {}, x.right_cols(n), *call.kept);
    y.view().assign(x.left_cols(n).cwise_product(*call.kept));
    return y.view();
}

template <class T>
In<T> backward(const Gated& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    const Index n = dy.cols();
    dx->resize(x.rows(), x.cols());
    const MatrixView<T> da = dx->view().left_cols(n), db = dx->view().right_cols(n);
    da.assign(dy.cwise_product(x.left_cols(n)));
    ops::activation_backward<T>(layer.gate, {}, x.right_cols(n), call.kept->view(), da, db);
    da.assign(dy.cwise_product(*call.kept));
    return dx->view();
}

// ---- PReLU

inline std::vector<ParameterSpec> specs(const PReLU& layer) {
    require_features("PReLU", "num_parameters", layer.num_parameters);
    return {{"weight", 1, layer.num_parameters, false, true}};
}

inline Index width(const PReLU& layer, Index in, std::string_view name) {
    return layer.num_parameters == 1 ? in : require_width("PReLU", layer.num_parameters, in, name);
}
inline Index required_width(const PReLU& layer) {
    return layer.num_parameters == 1 ? 0 : layer.num_parameters;
}
inline std::optional<Activation> activation_of(const PReLU&) { return Activation::leaky_relu; }

template <class T>
void reset(const PReLU& layer, std::span<const MatrixView<T>> values, std::uint64_t, Index, Activation) {
    values[0].set_constant(static_cast<T>(layer.init));
}

// to = x > 0 ? from : a * from, row by row
template <class T>
void bend(const PReLU& layer, const LayerCall<T>& call, In<T> x, In<T> from, MatrixView<T> to) {
    const T* a = call.values[0].data();
    const Index step = layer.num_parameters > 1;
    each_row(x.rows(), x.cols(), 2, [&](Index i) {
        for (Index j = 0; j < x.cols(); ++j) to(i, j) = x(i, j) > 0 ? from(i, j) : a[j * step] * from(i, j);
    });
}

template <class T>
In<T> forward(const PReLU& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    bend<T>(layer, call, x, x, y);
    return y.view();
}

// da = the column sums of dy * min(x, 0)
template <class T>
In<T> backward(const PReLU& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    Matrix<T>& kept = *call.kept;  // (batch + 1, cols): min(x, 0), then its products with dy
    kept.resize(x.rows() + 1, x.cols());
    const MatrixView<T> low = kept.view().top_rows(x.rows()), sums = kept.view().row(x.rows());
    low.assign(x.unary_expr([](T v) { return v > 0 ? T(0) : v; }));
    ops::column_products<T>(low, dy, sums.data(), false);
    const MatrixView<T> da = call.grads[0];
    if (!call.accumulate) da.set_zero();
    if (layer.num_parameters == 1)
        da(0, 0) += sums.sum();
    else
        da.assign(da + sums);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    bend<T>(layer, call, x, dy, *dx);
    return dx->view();
}

// ---- RReLU: the slopes are functions of (key, step, element), so backward draws them again

inline Index width(const RReLU& layer, Index in, std::string_view) {
    require(layer.lower <= layer.upper && std::isfinite(layer.lower) && std::isfinite(layer.upper),
            "RReLU: lower is ", layer.lower, ", upper is ", layer.upper,
            ", they must be finite and in order");
    return in;
}
inline std::optional<Activation> activation_of(const RReLU&) { return Activation::leaky_relu; }

template <class T>
void bend(const RReLU& layer, const LayerCall<T>& call, In<T> x, In<T> from, MatrixView<T> to) {
    const T low = static_cast<T>(layer.lower), range = static_cast<T>(layer.upper - layer.lower);
    const T middle = static_cast<T>((layer.lower + layer.upper) / 2);
    if (!call.training) {
        each_row(x.rows(), x.cols(), 2, [&](Index i) {
            for (Index j = 0; j < x.cols(); ++j) to(i, j) = x(i, j) >= 0 ? from(i, j) : middle * from(i, j);
        });
        return;
    }
    with_random_words<T>(
        x.rows(), x.cols(), call, [&](Index i, Index first, Index count, const std::uint32_t* words) {
            for (Index j = 0; j < count; ++j) {
                const T slope = low + range * static_cast<T>(double(words[j]) / 4294967296.0);
                const T v = from(i, first + j);
                to(i, first + j) = x(i, first + j) >= 0 ? v : slope * v;
            }
        });
}

template <class T>
In<T> forward(const RReLU& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    bend<T>(layer, call, x, x, y);
    return y.view();
}

template <class T>
In<T> backward(const RReLU& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    bend<T>(layer, call, x, dy, *dx);
    return dx->view();
}

// ---- AlphaDropout: y = a * (kept ? x : low) + b with mean 0 and variance 1 kept (Klambauer et al., arXiv:1706.02515)

inline Index width(const AlphaDropout& layer, Index in, std::string_view name) {
    require(layer.p >= 0 && layer.p <= 1, "AlphaDropout: p of layer '", name, "' is ", layer.p,
            ", it must be in [0, 1]");
    return in;
}

// y = kept ? factor * x + shift : dropped
template <class T>
void alpha_dropout(double p, const LayerCall<T>& call, In<T> x, MatrixView<T> y, bool shifted) {
    constexpr double low = -1.7580993408473766;  // SELU's lower limit, -scale * alpha
    const double a = p < 1 ? 1 / std::sqrt((1 - p) * (1 + p * low * low)) : 0;
    const double b = shifted ? -a * low * p : 0;
    const T factor = static_cast<T>(a), shift = static_cast<T>(b);
    const T dropped = shifted ? static_cast<T>(a * low + b) : T(0);
    const auto threshold = static_cast<std::uint64_t>(p * 4294967296.0);  // kept when the word >= threshold
    with_random_words<T>(
        x.rows(), x.cols(), call, [&](Index i, Index first, Index count, const std::uint32_t* words) {
            for (Index j = 0; j < count; ++j)
                y(i, first + j) = words[j] >= threshold ? x(i, first + j) * factor + shift : dropped;
        });
}

template <class T>
In<T> forward(const AlphaDropout& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const double p = layer.p * call.draws.dropout;
    if (!call.training || p == 0) return x;
    y.resize(x.rows(), x.cols());
    alpha_dropout<T>(p, call, x, y, true);
    return y.view();
}

template <class T>
In<T> backward(const AlphaDropout& layer, const LayerCall<T>& call, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    const double p = layer.p * call.draws.dropout;
    if (!call.training || p == 0) return dy;
    dx->resize(dy.rows(), dy.cols());
    alpha_dropout<T>(p, call, dy, *dx, false);
    return dx->view();
}

}  // namespace cmlp::inline v0_1::layer
