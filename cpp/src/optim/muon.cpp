// Momentum, Newton-Schulz iterations towards the orthogonal factor, decay and step.
#include "optim/muon.hpp"

#include <algorithm>
#include <cmath>

namespace cmlp::inline v0_1 {
namespace {

enum { lr, weight_decay, momentum, nesterov, ns_a, ns_b, ns_c, eps, ns_steps, adjust_lr_fn };

// x <- a x + (b x x^T + c (x x^T)^2) x, for x with no more rows than columns and a spectral norm of at most 1.
template <class T>
void orthogonalize(Matrix<T>& x, std::span<const double> h) {
    const double norm = x.template cast<double>().norm();
    x = x * T(1 / std::max(norm, h[eps]));
    Matrix<T> gram(x.rows(), x.rows()), square(x.rows(), x.rows()), product(x.rows(), x.cols());
    for (int i = 0; i < int(h[ns_steps]); ++i) {
        gram.noalias() = x * x.transpose();
        square.noalias() = gram * gram;
        gram = gram * T(h[ns_b]) + square * T(h[ns_c]);
        product.noalias() = gram * x;
        x = x * T(h[ns_a]) + product;
    }
}

// PyTorch's adjustments: so that a step moves each output equally ("original"), or as far as AdamW's would.
double step_size(std::span<const double> h, double out, double in) {
    return h[lr] *
           (h[adjust_lr_fn] == 0 ? std::sqrt(std::max(1.0, out / in)) : 0.2 * std::sqrt(std::max(out, in)));
}

}  // namespace

template <class T>
void muon_step(std::span<const double> h, bool transposed, MatrixView<T> w, MatrixView<const T> g,
               MatrixView<T> mean) {
    mean = mean * T(h[momentum]) + g * T(1 - h[momentum]);
    Matrix<T> update = mean;
    if (h[nesterov] != 0) update = g * T(1 - h[momentum]) + mean * T(h[momentum]);
    const bool tall = w.rows() > w.cols();
    if (tall) update = Matrix<T>(update.transpose());
    orthogonalize(update, h);
    if (tall) update = Matrix<T>(update.transpose());
    const double size =
        step_size(h, double(transposed ? w.cols() : w.rows()), double(transposed ? w.rows() : w.cols()));
    w = w * T(1 - h[lr] * h[weight_decay]) - update * T(size);
}

template void muon_step<float>(std::span<const double>, bool, MatrixView<float>, MatrixView<const float>,
                               MatrixView<float>);
template void muon_step<double>(std::span<const double>, bool, MatrixView<double>, MatrixView<const double>,
                                MatrixView<double>);

}  // namespace cmlp::inline v0_1
