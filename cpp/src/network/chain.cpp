// Predictions of networks of linear maps and activations alone: blocks of rows go through all layers in one region over the
// threads, without the notes that a way back would need.
#include <cmlp/network/network.hpp>

#include <algorithm>

#include "layers/basic.hpp"
#include "runtime/parallel.hpp"

namespace cmlp {
namespace {

constexpr Index predict_rows =
    192;  // of a block of one thread, so that what lies between layers stays in the caches
constexpr Index row_grain = 12;  // rows that a thread's share is a multiple of

}  // namespace

template <class T>
std::vector<typename Network<T>::Link> Network<T>::find_chain() const {
    std::vector<Link> chain;
    for (Index l = 0; l < size(); ++l) {
        const auto i = static_cast<size_t>(l);
        if (const ActivationLayer* f = activation_at(l); f && l > 0 && !activation_at(l - 1)) {
            chain.back().activation = f->kind;
            chain.back().parameters = layer::rounded<T>(f->parameters);
            continue;
        }
        const auto* linear = std::get_if<Linear>(&layers_[i].layer);
        if (!linear || layer::is_ntk(*linear)) return {};
        chain.push_back({layer_values_[i][0], linear->bias ? layer_values_[i][1].data() : nullptr});
    }
    return chain;
}

// Rows x through the chain to y; `between` holds so many rows of the widest layer, twice.
template <class T>
void Network<T>::follow_chain(MatrixView<const T> x, MatrixView<T> y, T* between, Index half) const {
    for (size_t i = 0; i < chain_.size(); ++i) {
        const Link& link = chain_[i];
        const Index width = link.w.cols();
        MatrixView<T> out(between + Index(i % 2) * half, x.rows(), width, padded_stride<T>(width));
        if (i + 1 == chain_.size()) out.rebind(y);
        auto activate = [&](Index r, Index rows, Index j, Index cols) {
            const MatrixView<T> z(out.data() + r * out.row_stride() + j, rows, cols, out.row_stride());
            ops::activation_forward<T>(link.activation, link.parameters, z, z);
        };
        const bool active = link.activation != Activation::identity;
        ops::linear_forward<T>(x, link.w, link.bias, out,
                               active ? ops::AfterBlock(activate) : ops::AfterBlock());
        x.rebind(out);
    }
}

template <class T>
void Network<T>::predict_chain(MatrixView<const T> x, MatrixView<T> y) const {
    static thread_local Buffer<T> own;
    Buffer<T>& between = own;
    Index widest = 0;
    for (const Link& link : chain_) widest = std::max(widest, padded_stride<T>(link.w.cols()));
    const double work_a_row = double(values_.size());
    with_team(double(x.rows()) * work_a_row, 1, [&] {
        const int team = std::max(1, team_threads());
        const Index most = predict_rows * team, rows = std::min(most, x.rows());
        if (std::ssize(between.span()) < 2 * rows * widest) between.resize(2 * rows * widest);
        T* const memory = between.data();  // of this thread, whichever thread works on the rows
        for (Index first = 0; first < x.rows(); first += most) {
            const Index n = std::min(most, x.rows() - first);
            const auto part = [&](Index r, Index end) {
                follow_chain(x.middle_rows(first + r, end - r), y.middle_rows(first + r, end - r),
                             memory + 2 * r * widest, (end - r) * widest);
            };
            // Few rows are left to the layers, which may share their columns out.
            const int threads = n < 2 * row_grain * team ? 1 : threads_for(double(n) * work_a_row);
            parallel_for(n, row_grain, threads, part);
        }
    });
}

#define CMLP_CHAIN(T)                                                      \
    template std::vector<Network<T>::Link> Network<T>::find_chain() const; \
    template void Network<T>::predict_chain(MatrixView<const T>, MatrixView<T>) const;
CMLP_CHAIN(float)
CMLP_CHAIN(double)
#undef CMLP_CHAIN

}  // namespace cmlp
