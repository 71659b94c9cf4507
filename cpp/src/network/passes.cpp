// Two loops: the layers forwards, the layers backwards; and what is kept between them.
#include <cmlp/network/network.hpp>

#include <algorithm>

#include "ops/ops.hpp"
#include "runtime/parallel.hpp"

namespace cmlp {
namespace {

// Rows a thread that predict takes through all layers at once: what lies between layers stays in the nearest caches.
constexpr Index predict_rows = 192;

// Multiplications of weight gradients that are worth a region over the threads of their own.
constexpr double large_work = 1 << 23;

}  // namespace

template <class T>
LayerCall<T> Network<T>::call(Index layer, Workspace<T>& workspace, bool accumulate) const {
    const auto l = static_cast<size_t>(layer);
    const std::uint64_t key = random_key(seed_ + 0x9E3779B97F4A7C15u * std::uint64_t(layer), Stream::dropout);
    const Kept<T>& kept = workspace.kept[l];
    LayerCall<T> call{layer_values_[l], layer_grads_[l],  &workspace.scratch, kept.training, accumulate, key,
                      kept.step,        &workspace.own[l]};
    call.dropout = dropout_;
    call.rows = workspace.row_names;
    if (precision_ == Precision::bf16) call.pairs = &workspace.pairs;
    if (kept.sparse.rows() > 0) call.sparse = &kept.sparse, call.columns = &workspace.columns;
    if (const Index other = partner_[l]; other >= 0) {
        const auto o = static_cast<size_t>(other);
        call.partner.rebind(other < layer ? workspace.kept[o].in : workspace.own[o].view());
    }
    return call;
}

template <class T>
MatrixView<const T> Network<T>::run(Workspace<T>& workspace, const Input<T>& input, Index first, Index last,
                                    bool training) const {
    if (workspace.kept.size() < layers_.size()) {
        workspace.kept.resize(layers_.size());
        workspace.memory.resize(layers_.size());
        workspace.own.resize(layers_.size());
    }
    MatrixView<const T> x = input.numbers();
    for (Index l = first; l < last; ++l) {
        const auto i = static_cast<size_t>(l);
        const auto note = [&](size_t at, MatrixView<const T> in, MatrixView<const T> out) {
            workspace.kept[at].in.rebind(in);
            workspace.kept[at].out.rebind(out);
            workspace.kept[at].step = step_;
            workspace.kept[at].training = training;
            workspace.kept[at].sparse = Index(at) == first ? input.sparse() : SparseView<T>();
        };
        const bool joined = l + 1 < last && is_joined(l);
        note(i, x, {});
        LayerCall<T> layer = call(l, workspace, false);
        const ActivationStep<T> step{
            joined ? activation_at(l + 1) : nullptr, &workspace.memory[i + joined], {}, {}};
        if (joined) layer.activation = &step;
        const auto y = cmlp::forward<T>(layers_[i].layer, layer, x, workspace.memory[i]);
        note(i, x, y);
        x.rebind(y);
        if (!joined) continue;
        x.rebind(workspace.memory[i + 1].view());
        note(i + 1, y, x);
        ++l;
    }
    return x;
}

// A Linear and the activation behind it are done in one walk over the rows.
template <class T>
bool Network<T>::is_joined(Index layer) const {
    return std::holds_alternative<Linear>(layers_[static_cast<size_t>(layer)].layer) &&
           activation_at(layer + 1);
}

template <class T>
const ActivationLayer* Network<T>::activation_at(Index layer) const {
    const auto* activation = std::get_if<ActivationLayer>(&layers_[static_cast<size_t>(layer)].layer);
    return activation && activation->kind != Activation::identity ? activation : nullptr;
}

template <class T>
MatrixView<const T> Network<T>::forward(const Input<T>& x, Index first, Index last) {
    require_range("forward", first, last);
    require(x.rows() > 0, "forward: x has no rows");
    output_width(x, first, last);  // nothing is written unless all layers fit
    MatrixView<const T> y;
    with_team(pass_work(x.rows()), 1, [&] { y.rebind(run(workspace_, x, first, last, training_)); });
    for (size_t l = static_cast<size_t>(last); l < layers_.size(); ++l) forget(l);  // their input may be gone
    step_ += training_;
    return y;
}

template <class T>
MatrixView<const T> Network<T>::backward(MatrixView<const T> dy, Index first, Index last, bool accumulate,
                                         bool input_gradient) {
    require_range("backward", first, last);
    const auto& kept = workspace_.kept;
    for (Index l = last - 1; l >= first; --l)
        require(!kept.empty() && !kept[size_t(l)].out.empty(),
                "backward: there is no forward pass to go back from");
    const auto& out = kept[static_cast<size_t>(last - 1)].out;
    require(dy.rows() == out.rows() && dy.cols() == out.cols(), "backward: dy is ", dy.rows(), "x", dy.cols(),
            ", the last output ", out.rows(), "x", out.cols());
    for (Index l = last - 2; l >= first; --l)
        require(kept[size_t(l)].out.rows() == out.rows(), "backward: the layers' last passes had ",
                kept[size_t(l)].out.rows(), " and ", out.rows(), " rows");
    workspace_.gradient.resize(layers_.size());
    workspace_.open.clear();
    with_team(pass_work(dy.rows()), 1,
              [&] { dy.rebind(run_back(dy, first, last, accumulate, input_gradient)); });
    return dy;
}

template <class T>
MatrixView<const T> Network<T>::run_back(MatrixView<const T> dy, Index first, Index last, bool accumulate,
                                         bool input_gradient) {
    const auto& kept = workspace_.kept;
    for (Index l = last - 1; l >= first; --l) {
        const auto i = static_cast<size_t>(l);
        LayerCall<T> layer = call(l, workspace_, accumulate);
        layer.open = &workspace_.open;
        const bool joined = l > first && (l - 1 > first || input_gradient) &&
                            std::holds_alternative<Linear>(layers_[i].layer) && activation_at(l - 1);
        const ActivationStep<T> step{activation_at(l - joined), nullptr, kept[i - joined].in,
                                     kept[i - joined].out};
        if (joined) layer.activation = &step;
        dy.rebind(cmlp::backward<T>(layers_[i].layer, layer, kept[i].in, kept[i].out, dy,
                                    l > first || input_gradient ? &workspace_.gradient[i] : nullptr));
        l -= joined;
        close_gradients(large_work);
    }
    close_gradients(0);
    return dy;
}

// Gradients of small layers wait for each other, so that they share a region over the threads; those of large ones, worth
// at least `enough` multiplications, find what they read in the caches.
template <class T>
void Network<T>::close_gradients(double enough) {
    double work = 0;
    for (const auto& g : workspace_.open) work += g.work();
    if (work < enough || workspace_.open.empty()) return;
    ops::weight_gradients<T>(workspace_.open);
    workspace_.open.clear();
}

template <class T>
Input<T> Network<T>::keep(const Input<T>& x, Index first) {
    inputs_.resize(layers_.size());
    sparse_inputs_.resize(layers_.size());
    if (x.is_sparse()) {
        SparseMatrix<T>& input = sparse_inputs_[static_cast<size_t>(first)];
        input.assign(x.sparse());
        return input.view();
    }
    Matrix<T>& input = inputs_[static_cast<size_t>(first)];
    input.resize(x.rows(), x.cols());
    input.view().assign(x.numbers());
    return input;
}

template <class T>
std::vector<MatrixView<const T>> Network<T>::outputs(Index first, Index last) const {
    std::vector<MatrixView<const T>> all;
    if (workspace_.kept.empty()) return all;
    all.push_back(workspace_.kept[static_cast<size_t>(first)].in);
    for (Index l = first; l < last; ++l) all.push_back(workspace_.kept[static_cast<size_t>(l)].out);
    return all;
}

template <class T>
void Network<T>::set_dropout(double factor) {
    require(factor >= 0 && factor <= 1, "dropout: the factor of p is ", factor, ", it must be in [0, 1]");
    dropout_ = factor;
}

template <class T>
void Network<T>::set_precision(Precision precision) {
    require(precision == Precision::own || std::is_same_v<T, float>,
            "precision: bf16 is for float32 networks, this one is float64");
    precision_ = precision;
}

template <class T>
void Network<T>::forget() {
    for (size_t l = 0; l < workspace_.kept.size(); ++l) forget(l);
    workspace_.row_names = {};
}

template <class T>
void Network<T>::forget(size_t layer) {
    workspace_.kept[layer].in.rebind({});
    workspace_.kept[layer].out.rebind({});
    workspace_.kept[layer].sparse = {};
}

template <class T>
MatrixView<const T> Network<T>::output() const {
    require(!workspace_.kept.empty(), "output: there was no forward pass");
    return workspace_.kept.back().out;
}

template <class T>
void Network<T>::require_range(const char* what, Index first, Index last) const {
    require(0 <= first && first < last && last <= size(), what, ": layers ", first, " to ", last, " of ",
            size());
    for (Index l = first; l < last; ++l) {
        const Index other = partner_[static_cast<size_t>(l)];
        require(other < 0 || (first <= other && other < last), what, ": layers ", first, " to ", last,
                " are only a part of a residual");
    }
}

template <class T>
void Network<T>::predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last) const {
    require_range("predict_into", first, last);
    const Index width = output_width(x, first, last);
    require(y.rows() == x.rows() && y.cols() == width, "predict_into: y is ", y.rows(), "x", y.cols(),
            ", the output is ", x.rows(), "x", width);
    if (!chain_.empty() && precision_ == Precision::own && !x.is_sparse() && first == 0 && last == size())
        return predict_chain(x.numbers(), y);
    static thread_local Workspace<T> workspace;
    with_team(pass_work(x.rows()), 1, [&] {
        const Index most = predict_rows * std::max(1, team_threads());  // the layers share each block
        for (Index r = 0; r < x.rows(); r += most) {
            const Index rows = std::min(most, x.rows() - r);
            y.middle_rows(r, rows).assign(run(workspace, x.middle_rows(r, rows), first, last, false));
        }
    });
}

#define CMLP_PASSES(T)                                                                                      \
    template LayerCall<T> Network<T>::call(Index, Workspace<T>&, bool) const;                               \
    template MatrixView<const T> Network<T>::run(Workspace<T>&, const Input<T>&, Index, Index, bool) const; \
    template MatrixView<const T> Network<T>::forward(const Input<T>&, Index, Index);                        \
    template MatrixView<const T> Network<T>::backward(MatrixView<const T>, Index, Index, bool, bool);       \
    template MatrixView<const T> Network<T>::run_back(MatrixView<const T>, Index, Index, bool, bool);       \
    template void Network<T>::close_gradients(double);                                                      \
    template Input<T> Network<T>::keep(const Input<T>&, Index);                                             \
    template std::vector<MatrixView<const T>> Network<T>::outputs(Index, Index) const;                      \
    template void Network<T>::set_dropout(double);                                                          \
    template void Network<T>::set_precision(Precision);                                                     \
    template void Network<T>::forget();                                                                     \
    template void Network<T>::forget(size_t);                                                               \
    template bool Network<T>::is_joined(Index) const;                                                       \
    template const ActivationLayer* Network<T>::activation_at(Index) const;                                 \
    template MatrixView<const T> Network<T>::output() const;                                                \
    template void Network<T>::require_range(const char*, Index, Index) const;                               \
    template void Network<T>::predict_into(const Input<T>&, MatrixView<T>, Index, Index) const;
CMLP_PASSES(float)
CMLP_PASSES(double)
#undef CMLP_PASSES

}  // namespace cmlp
