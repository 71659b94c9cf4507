// Which elementwise layers a Linear takes along in the passes of a network.
#include "network/workspace.hpp"

namespace cmlp::inline v0_1::detail {

// The layers behind a Linear, up to `last`, that it takes along: an activation and a dropout. Returns the first that is
// left. `out` is the memory of its output.
template <class T>
Index Workspace<T>::join_behind(const Model<T>& model, Index layer, Index last, Index rows, Matrix<T>& out,
                                JoinedLayers<T>& joined) {
    const Structure& structure = model.structure;
    const auto* linear = structure.as<Linear>(layer);
    Index next = layer + 1;
    if (!linear || next == last) return next;
    const auto* parametric = structure.as<ParametricActivation>(next);
    joined.activation = parametric ? &parametric->activation : structure.activation_at(next);
    if (parametric) joined.share = model.parameters.values_of(next)[0].data();
    if (joined.activation) joined.active = keeps_ ? &memory_[static_cast<size_t>(next)] : &out, ++next;
    const auto* dropout = next < last && keeps_ ? structure.as<Dropout>(next) : nullptr;
    if (!dropout) return next;
    begin(model, next, {}, kept_[static_cast<size_t>(layer)].training);
    joined.dropout = dropout_draws(call(model, next, false), dropout->p, linear->out_features);
    if (joined.dropout.p == 0) return next;
    Matrix<T>& bits = own_[static_cast<size_t>(next)];
    resize_kept_bits(bits, rows, linear->out_features);
    joined.kept = kept_bits(bits);
    joined.dropped = &memory_[static_cast<size_t>(next)];
    return next + 1;
}

// The layers in front of a Linear, from `first` on, that the gradient of its input passes while it is in the cache: a
// dropout and an activation. Returns the first of them.
template <class T>
Index Workspace<T>::join_front(const Model<T>& model, Index first, Index layer, bool input_gradient,
                               JoinedLayers<T>& joined) {
    const Structure& structure = model.structure;
    const auto is_wanted = [&](Index l) {
        return l >= first && (input_gradient || !structure.gets_input(l, first));
    };
    const auto* dropout = structure.as<Dropout>(layer - 1);
    if (dropout && is_wanted(layer - 1)) {
        const auto i = static_cast<size_t>(--layer);
        joined.dropout = dropout_draws(call(model, layer, false), dropout->p, kept_[i].in.cols());
        joined.kept = kept_bits(own_[i]);
    }
    if (is_wanted(layer - 1)) joined.activation = structure.activation_at(layer - 1);
    if (!joined.activation) return layer;
    const auto i = static_cast<size_t>(layer - 1);
    joined.z.rebind(kept_[i].in);
    joined.y.rebind(kept_[i].out);
    return layer - 1;
}

#define CMLP_JOINED(T)                                                                         \
    template Index Workspace<T>::join_behind(const Model<T>&, Index, Index, Index, Matrix<T>&, \
                                             JoinedLayers<T>&);                                \
    template Index Workspace<T>::join_front(const Model<T>&, Index, Index, bool, JoinedLayers<T>&);
CMLP_JOINED(float)
CMLP_JOINED(double)
#undef CMLP_JOINED

}  // namespace cmlp::inline v0_1::detail
