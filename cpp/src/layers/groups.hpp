// The brackets of residuals and ensembles: forward and backward as a pair.
#pragma once

#include "layers/common.hpp"

namespace cmlp::inline v0_1::layer {

// f(first, rows) over stretches of the rows of additions to so many columns.
template <class F>
void by_rows(Index rows, Index cols, F f) {
    parallel_for(rows, 1, threads_for(double(rows) * double(cols)),
                 [&](Index begin, Index end) { f(begin, end - begin); });
}

// ---- Residual: the end adds the input of the beginning; backward, the beginning adds the gradient of the end

template <class T>
In<T> forward(const ResidualBegin&, const LayerCall<T>&, In<T> x, Matrix<T>&) {
    return x;
}

template <class T>
In<T> backward(const ResidualBegin&, const LayerCall<T>& call, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    dx->resize(dy.rows(), dy.cols());
    dx->view().assign(dy + call.group.dy);
    return dx->view();
}

template <class T>
In<T> forward(const ResidualEnd&, const LayerCall<T>& call, In<T> x, Matrix<T>& y) {
    y.resize(x.rows(), x.cols());
    y.view().assign(x + call.group.input);
    return y.view();
}

template <class T>
In<T> backward(const ResidualEnd&, const LayerCall<T>&, In<T>, In<T>, In<T> dy, Matrix<T>*) {
    return dy;
}

// ---- Ensemble: the bracket behind each member adds w times the member's output to the sum, and its own output is the
// input of the next member; backward, the gradient of a member's output is w times that of the sum, and the beginning
// adds the gradients of the members' inputs

template <class T>
void require_weight(const T& layer) {
    require(std::isfinite(layer.weight), "Ensemble: a weight is ", layer.weight, ", it must be finite");
}

inline std::vector<ParameterSpec> specs(const EnsembleNext& layer) {
    require_weight(layer);
    return {};
}
inline std::vector<ParameterSpec> specs(const EnsembleEnd& layer) {
    require_weight(layer);
    return {};
}

template <class T>
In<T> forward(const EnsembleBegin&, const LayerCall<T>&, In<T> x, Matrix<T>&) {
    return x;
}

// The gradients are added in the order of the members.
template <class T>
In<T> backward(const EnsembleBegin&, const LayerCall<T>& call, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    const auto& others = call.group.gradients;
    if (others.empty()) return dy;
    dx->resize(dy.rows(), dy.cols());
    by_rows(dy.rows(), dy.cols() * std::ssize(others), [&](Index first, Index rows) {
        const MatrixView<T> sum = dx->view().middle_rows(first, rows);
        sum.assign(dy.middle_rows(first, rows) + others[0].middle_rows(first, rows));
        for (const In<T>& other : others.subspan(1)) sum.assign(sum + other.middle_rows(first, rows));
    });
    return dx->view();
}

// sum = or += w y
template <class T>
void add_member(double weight, const LayerCall<T>& call, In<T> y, Matrix<T>& sum) {
    const T w = static_cast<T>(weight);
    if (call.group.first) sum.resize(y.rows(), y.cols());
    by_rows(y.rows(), y.cols(), [&](Index first, Index rows) {
        const MatrixView<T> part = sum.view().middle_rows(first, rows);
        if (call.group.first)
            part.assign(y.middle_rows(first, rows) * w);
        else
            part.assign(part + y.middle_rows(first, rows) * w);
    });
}

// dx = w times the gradient of the sum
template <class T>
In<T> member_gradient(double weight, In<T> dy, Matrix<T>* dx) {
    if (!dx) return {};
    const T w = static_cast<T>(weight);
    dx->resize(dy.rows(), dy.cols());
    by_rows(dy.rows(), dy.cols(), [&](Index first, Index rows) {
        dx->view().middle_rows(first, rows).assign(dy.middle_rows(first, rows) * w);
    });
    return dx->view();
}

template <class T>
In<T> forward(const EnsembleNext& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& sum) {
    add_member<T>(layer.weight, call, x, sum);
    return call.group.input;
}

template <class T>
In<T> backward(const EnsembleNext& layer, const LayerCall<T>& call, In<T>, In<T>, In<T>, Matrix<T>* dx) {
    return member_gradient<T>(layer.weight, call.group.dy, dx);
}

template <class T>
In<T> forward(const EnsembleEnd& layer, const LayerCall<T>& call, In<T> x, Matrix<T>& sum) {
    add_member<T>(layer.weight, call, x, sum);
    return sum.view();
}

template <class T>
In<T> backward(const EnsembleEnd& layer, const LayerCall<T>&, In<T>, In<T>, In<T> dy, Matrix<T>* dx) {
    return member_gradient<T>(layer.weight, dy, dx);
}

}  // namespace cmlp::inline v0_1::layer
