// LayerNorm, RMSNorm and BatchNorm1d. All three keep u, the normalised input, and 1 / sqrt(variance + eps)
// for backward.
#pragma once

#include "layers/common.hpp"

namespace cmlp::inline v0_1::layer {

// ---- by rows: kept (batch + n, features): u, then the rows' factors, n rows of memory being enough for them

template <class T>
MatrixView<T> normalized(const LayerCall<T>& call, In<T> x) {
    return call.kept->view().block(0, 0, x.rows(), x.cols());
}

template <class T>
T* row_factors(const LayerCall<T>& call, In<T> x) {
    return call.kept->view().row(x.rows()).data();
}

template <class T>
In<T> row_norm_forward(const LayerCall<T>& call, In<T> x, double eps, bool center, Matrix<T>& y) {
    call.kept->resize(x.rows() + (x.rows() + x.cols() - 1) / x.cols(), x.cols());
    const MatrixView<T> u = normalized(call, x);
    ops::normalize_rows<T>(x, static_cast<T>(eps), center, u, row_factors(call, x));
    if (call.values.empty()) return u;
    y.resize(x.rows(), x.cols());
    ops::affine<T>(u, call.values[0].data(), call.values.size() > 1 ? call.values[1].data() : nullptr, y);
    return y.view();
}

template <class T>
In<T> row_norm_backward(const LayerCall<T>& call, In<T> x, In<T> dy, bool center, Matrix<T>* dx) {
    const MatrixView<T> u = normalized(call, x);
    if (!call.grads.empty()) ops::column_products<T>(u, dy, call.grads[0].data(), call.accumulate);
    if (call.grads.size() > 1) ops::linear_backward_bias<T>(dy, call.grads[1].data(), call.accumulate);
    if (!dx) return {};
    dx->resize(x.rows(), x.cols());
    if (!call.values.empty()) {
        ops::affine<T>(dy, call.values[0].data(), nullptr, *dx);
        dy.rebind(dx->view());
    }
    ops::normalize_rows_backward<T>(u, dy, row_factors(call, x), center, *dx);
    return dx->view();
}

template <class T>
void reset_norm(std::span<const MatrixView<T>> values) {
    for (size_t i = 0; i < values.size(); ++i) values[i].set_constant(i == 0 ? T(1) : T(0));
}

inline std::vector<ParameterSpec> specs(const LayerNorm& layer) {
    require_features("LayerNorm", "normalized_shape", layer.features);
    require_eps("LayerNorm", layer.eps);
    std::vector<ParameterSpec> all;
    if (layer.affine) all.push_back({"weight", 1, layer.features, false, true});
    if (layer.affine && layer.bias) all.push_back({"bias", 1, layer.features, false, true});
    return all;
}

inline Index width(const LayerNorm& layer, Index in, std::string_view name) {
    return require_width("LayerNorm", layer.features, in, name);
}
inline Index required_width(const LayerNorm& layer) { return layer.features; }

template <class T>
void reset(const LayerNorm&, std::span<const MatrixView<T>> values, std::uint64_t, Index, Activation) {
    reset_norm(values);
}

template <class T>
In<T> forward(const LayerNorm& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    return row_norm_forward(call, x, layer.eps, true, y);
}

template <class T>
In<T> backward(const LayerNorm&, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    return row_norm_backward(call, x, dy, true, dx);
}

inline std::vector<ParameterSpec> specs(const RMSNorm& layer) {
    require_features("RMSNorm", "normalized_shape", layer.features);
    require(std::isfinite(layer.eps), "RMSNorm: eps is ", layer.eps, ", it must be finite");
    if (!layer.affine) return {};
    return {{"weight", 1, layer.features, false, true}};
}

inline Index width(const RMSNorm& layer, Index in, std::string_view name) {
    return require_width("RMSNorm", layer.features, in, name);
}
inline Index required_width(const RMSNorm& layer) { return layer.features; }

template <class T>
void reset(const RMSNorm&, std::span<const MatrixView<T>> values, std::uint64_t, Index, Activation) {
    reset_norm(values);
}

template <class T>
In<T> forward(const RMSNorm& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    const double eps = layer.eps < 0 ? double(std::numeric_limits<T>::epsilon()) : layer.eps;
    return row_norm_forward(call, x, eps, false, y);
}

template <class T>
In<T> backward(const RMSNorm&, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    return row_norm_backward(call, x, dy, false, dx);
}

// ---- BatchNorm1d: kept (batch + 5, features): u, then mean, variance, 1 / sqrt(variance + eps) and two rows
// for backward

inline std::vector<ParameterSpec> specs(const BatchNorm1d& layer) {
    const Index n = layer.num_features;
    require_features("BatchNorm1d", "num_features", n);
    require_eps("BatchNorm1d", layer.eps);
    require(layer.momentum <= 1, "BatchNorm1d: momentum is ", layer.momentum,
            ", it must be in [0, 1] or None");
    std::vector<ParameterSpec> all;
    if (layer.affine) all.push_back({"weight", 1, n, false, true});
    if (layer.affine && layer.bias) all.push_back({"bias", 1, n, false, true});
    if (!layer.track_running_stats) return all;
    all.push_back({"running_mean", 1, n, false, true, false});
    all.push_back({"running_var", 1, n, false, true, false});
    all.push_back({"num_batches_tracked", 1, 1, false, true, false, true});
    return all;
}

inline Index width(const BatchNorm1d& layer, Index in, std::string_view name) {
    return require_width("BatchNorm1d", layer.num_features, in, name);
}
inline Index required_width(const BatchNorm1d& layer) { return layer.num_features; }

inline size_t trained(const BatchNorm1d& layer) { return layer.affine ? 1 + size_t(layer.bias) : 0; }

template <class T>
std::span<const MatrixView<T>> running(const BatchNorm1d& layer, std::span<const MatrixView<T>> values) {
    return values.subspan(trained(layer));
}

template <class T>
void reset(const BatchNorm1d& layer, std::span<const MatrixView<T>> values, std::uint64_t, Index,
           Activation) {
    reset_norm(values.first(trained(layer)));
    const auto buffers = running(layer, values);
    for (size_t i = 0; i < buffers.size(); ++i) buffers[i].set_constant(i == 1 ? T(1) : T(0));
}

inline bool of_the_batch(const BatchNorm1d& layer, bool training) {
    return training || !layer.track_running_stats;
}

// running = (1 - momentum) running + momentum batch, with the unbiased variance; statistics that are not finite are
// left out, so that a step that is refused leaves a network that works.
template <class T>
void track(const BatchNorm1d& layer, std::span<const MatrixView<T>> buffers, In<T> mean, In<T> variance,
           Index rows) {
    if (ops::first_nonfinite<T>(mean) >= 0 || ops::first_nonfinite<T>(variance) >= 0) return;
    T& batches = buffers[2](0, 0);
    batches += 1;
    const T share = layer.momentum < 0 ? 1 / batches : static_cast<T>(layer.momentum);
    const T unbiased = static_cast<T>(double(rows) / double(rows - 1));
    buffers[0].assign(buffers[0] * (1 - share) + mean * share);
    buffers[1].assign(buffers[1] * (1 - share) + variance * (share * unbiased));
}

template <class T>
void batch_statistics(const BatchNorm1d& layer, const LayerCall<T>& call, In<T> x, MatrixView<T> mean,
                      MatrixView<T> variance) {
    if (!of_the_batch(layer, call.training)) {
        mean.assign(running(layer, call.values)[0]);
        variance.assign(running(layer, call.values)[1]);
        return;
    }
    require(x.rows() > 1 || !call.training,
            "BatchNorm1d: a training batch of one row has no variance; choose another batch_size");
    require(x.rows() > 1,
            "BatchNorm1d: one row has no variance, and with track_running_stats=False there is no other; "
            "predict several rows, or keep running statistics");
    ops::column_moments<T>(x, mean.data(), variance.data());
    if (call.training && layer.track_running_stats)
        track<T>(layer, running(layer, call.values), mean, variance, x.rows());
}

template <class T>
In<T> forward(const BatchNorm1d& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    call.kept->resize(x.rows() + 5, x.cols());
    const MatrixView<T> own = call.kept->view(), u = own.top_rows(x.rows());
    const MatrixView<T> mean = own.row(x.rows()), variance = own.row(x.rows() + 1),
                        rstd = own.row(x.rows() + 2);
    batch_statistics(layer, call, x, mean, variance);
    const T eps = static_cast<T>(layer.eps);
    rstd.assign(variance.unary_expr([eps](T v) { return 1 / std::sqrt(v + eps); }));
    ops::normalize_columns<T>(x, mean.data(), rstd.data(), u);
    if (!layer.affine) return u;
    y.resize(x.rows(), x.cols());
    ops::affine<T>(u, call.values[0].data(), layer.bias ? call.values[1].data() : nullptr, y);
    return y.view();
}

// dx = weight / sqrt(variance + eps) * (dy - mean(dy) - u * mean(u * dy)); constants have no share in it
template <class T>
In<T> backward(const BatchNorm1d& layer, const LayerCall<T>& call, In<T> x, In<T>, In<T> dy, Matrix<T>* dx) {
    const MatrixView<T> own = call.kept->view(), u = own.top_rows(x.rows()), rstd = own.row(x.rows() + 2);
    const MatrixView<T> mean = own.row(x.rows() + 3), along = own.row(x.rows() + 4),
                        factor = own.row(x.rows());
    ops::linear_backward_bias<T>(dy, mean.data(), false);
    ops::column_products<T>(u, dy, along.data(), false);
    for (size_t i = 0; i < trained(layer); ++i) {
        if (!call.accumulate) call.grads[i].set_zero();
        call.grads[i].assign(call.grads[i] + (i == 0 ? along : mean));
    }
    if (!dx) return {};
    const T share = of_the_batch(layer, call.training) ? 1 / T(x.rows()) : T(0);
    mean.assign(mean * share);
    along.assign(along * share);
    if (layer.affine)
        factor.assign(rstd.cwise_product(call.values[0]));
    else
        factor.assign(rstd);
    dx->resize(x.rows(), x.cols());
    ops::normalize_columns_backward<T>(u, dy, factor.data(), mean.data(), along.data(), *dx);
    return dx->view();
}

}  // namespace cmlp::inline v0_1::layer
