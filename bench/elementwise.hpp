// Activations, losses and update rules, every row of their lists, beside a copy of as many bytes.
#pragma once

#include <cmlp/cmlp.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ops/ops.hpp"
#include "peaks.hpp"
#include "report.hpp"

namespace bench {

using cmlp::Activation, cmlp::Loss, cmlp::LossKind, cmlp::LossResult, cmlp::Optimizer, cmlp::OptimizerKind;
using cmlp::Buffer, cmlp::Index, cmlp::Matrix, cmlp::MatrixView;
using cmlp::OutputKind, cmlp::Target, cmlp::TargetRange;
namespace ops = cmlp::ops;
using T = float;

inline std::string text(Index a, Index b) { return std::to_string(a) + "x" + std::to_string(b); }

/// Numbers in (0.1, 0.9), never two the same in a row.
inline void fill(MatrixView<T> x) {
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j) x(i, j) = T(0.1) + T(0.8) * T((i * 37 + j * 101) % 997) / T(997);
}

inline Matrix<T> filled(Index rows, Index cols) {
    Matrix<T> x(rows, cols);
    fill(x.view());
    return x;
}

inline std::map<double, double> copies;  // GB/s by bytes

/// A figure in GB/s beside a copy of as many bytes.
template <class F>
void moved(const std::string& group, std::string_view name, Index rows, Index cols, double arrays, F&& f) {
    const double bytes = arrays * double(rows) * double(cols) * sizeof(T);
    if (!copies.contains(bytes)) copies[bytes] = copy_speed(bytes);
    const double speed = bytes / best_time(f) / 1e9;
    add(group, name, text(rows, cols), speed, "GB/s", speed / copies[bytes]);
}

inline void activations(Index rows, Index cols) {
    const Matrix<T> z = filled(rows, cols), dy = filled(rows, cols);
    Matrix<T> y(rows, cols), dz(rows, cols);
    for (int i = 0; i < std::ssize(cmlp::rows<Activation>()); ++i) {
        const auto kind = static_cast<Activation>(i);
        const std::vector<double> settings = resolve(kind);
        const std::vector<T> parameters(settings.begin(), settings.end());
        const std::span<const T> p = parameters;
        const std::string title(name(kind));
        moved("activation", title + " forward", rows, cols, 2,
              [&] { ops::activation_forward<T>(kind, p, z.view(), y.view()); });
        moved("activation", title + " backward", rows, cols, 3,
              [&] { ops::activation_backward<T>(kind, p, z.view(), y.view(), dy.view(), dz.view()); });
    }
}

inline void losses(Index rows, Index cols) {
    const Matrix<T> y = filled(rows, cols);
    std::vector<std::int64_t> label(static_cast<size_t>(rows));
    for (Index i = 0; i < rows; ++i) label[size_t(i)] = i % cols;
    for (int i = 0; i < std::ssize(cmlp::rows<LossKind>()); ++i) {
        const auto kind = static_cast<LossKind>(i);
        const Loss loss(kind);
        const bool classes = output_kind(kind) == OutputKind::class_logits;
        const Index targets = classes ? 0 : loss.target_columns(cols, "bench");
        Matrix<T> dense = filled(rows, std::max<Index>(targets, 1));
        for (Index j = 0; j < targets && target_range(kind) == TargetRange::sign; ++j)
            for (Index i = 0; i < rows; ++i) dense(i, j) = T(i % 2 == 0 ? 1 : -1);
        Target<T> target;
        if (classes)
            target.label = label;
        else
            target.dense.rebind(dense.view());
        LossResult<T> result;
        moved("loss", name(kind), rows, cols, 2 + double(targets) / double(cols),
              [&] { loss.evaluate<T>(y.view(), target, {}, true, result); });
    }
}

/// Weights and gradients that an optimizer can run over.
struct Flat {
    Buffer<T> w, g;
    std::span<T> values() { return w.span(); }
    std::span<T> grads() { return g.span(); }
};

inline void optimizers(Index rows, Index cols) {
    for (int i = 0; i < std::ssize(cmlp::rows<OptimizerKind>()); ++i) {
        const auto kind = static_cast<OptimizerKind>(i);
        Flat flat{Buffer<T>(rows * cols), Buffer<T>(rows * cols)};
        fill({flat.w.data(), rows, cols, cols});
        fill({flat.g.data(), rows, cols, cols});
        Optimizer<T> optimizer(kind, flat);
        const double arrays = 3 + 2 * double(optimizer.state().size());
        moved("optimizer", name(kind), rows, cols, arrays, [&] { optimizer.step(); });
    }
}

}  // namespace bench
