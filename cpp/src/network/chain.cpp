// Predictions of networks of linear maps and activations alone; dropout does nothing in them.
#include <algorithm>

#include "layers/basic.hpp"
#include "network/prediction.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::detail {
namespace {

constexpr Index row_grain = 12;  // rows that a thread's share is a multiple of

}  // namespace

template <class T>
Chain<T>::Chain(const Structure& structure, const FlatParameters<T>& parameters)
    : weights_(double(parameters.state().size())) {
    for (Index l = 0; l < structure.count(); ++l)
        if (!structure.as<Dropout>(l) && !add(structure, parameters, l)) {
            links_.clear();
            return;
        }
    for (const Link& link : links_) widest_ = std::max(widest_, padded_stride<T>(link.w.cols()));
}

// False for a layer that no link can have.
template <class T>
bool Chain<T>::add(const Structure& structure, const FlatParameters<T>& parameters, Index at) {
    const auto& values = parameters.values_of(at);
    if (const auto* linear = structure.as<Linear>(at)) {
        links_.push_back(
            {values[0], linear->bias ? values[1].data() : nullptr, layer::factor_of<T>(*linear)});
        return true;
    }
    const auto* parametric = structure.as<ParametricActivation>(at);
    const ActivationLayer* f = parametric ? &parametric->activation : structure.activation_at(at);
    if (!f || links_.empty() || links_.back().is_active()) return false;
    Link& link = links_.back();
    link.activation = f->kind;
    link.parameters = layer::rounded<T>(f->parameters);
    link.share = parametric ? values[0].data() : nullptr;
    return true;
}

// Rows x through the chain to y; `between` holds so many rows of the widest layer, twice.
template <class T>
void Chain<T>::follow(MatrixView<const T> x, MatrixView<T> y, T* between, Index half) const {
    for (size_t i = 0; i < links_.size(); ++i) {
        const Link& link = links_[i];
        const Index width = link.w.cols();
        MatrixView<T> out(between + Index(i % 2) * half, x.rows(), width, padded_stride<T>(width));
        if (i + 1 == links_.size()) out.rebind(y);
        auto activate = [&](Index r, Index rows, Index j, Index cols) {
            const MatrixView<T> z(out.data() + r * out.row_stride() + j, rows, cols, out.row_stride());
            const T* share = link.share ? link.share + j : nullptr;
            ops::activation_forward<T>(link.activation, link.parameters, z, z, share);
        };
        ops::linear_forward<T>(x, link.w, link.bias, out,
                               link.is_active() ? ops::AfterBlock(activate) : ops::AfterBlock(), link.factor);
        x.rebind(out);
    }
}

template <class T>
void Chain<T>::predict(MatrixView<const T> x, MatrixView<T> y, T* between) const {
    const Index most = block_rows();
    for (Index first = 0; first < x.rows(); first += most) {
        const Index n = std::min(most, x.rows() - first);
        const auto part = [&](Index r, Index end) {
            follow(x.middle_rows(first + r, end - r), y.middle_rows(first + r, end - r),
                   between + 2 * r * widest_, (end - r) * widest_);
        };
        // Few rows are left to the layers, which may share their columns out.
        const int threads = n < 2 * row_grain * std::max(1, team_threads()) ? 1 : threads_for(work(n));
        parallel_for(n, row_grain, threads, part);
    }
}

template class Chain<float>;
template class Chain<double>;

}  // namespace cmlp::inline v0_1::detail
