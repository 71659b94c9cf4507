// Where each parameter lies in the flat buffers: on a cache line, its rows padded as a Matrix's are.
#include "network/flat_parameters.hpp"

#include <algorithm>

#include "layers/call.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
FlatParameters<T>::FlatParameters(const Structure& structure, SharedState<T> shared)
    : values_by_layer_(structure.layers().size()), grads_by_layer_(structure.layers().size()) {
    const Index trained = place(structure, true, 0);
    const Index count = place(structure, false, trained);
    trained_ = static_cast<size_t>(trained);
    if (shared.owner)
        share(std::move(shared), count);
    else
        take_memory(count);
    look_at_buffers(parameters_, shown_parameters_);
    look_at_buffers(buffers_, shown_buffers_);
    for (const auto& p : parameters_) largest_ = std::max(largest_, p.value.size());
}

template <class T>
void FlatParameters<T>::take_memory(Index count) {
    values_.resize(count);
    grads_.resize(static_cast<Index>(trained_));
    state_ = values_.span();
}

template <class T>
void FlatParameters<T>::share(SharedState<T> shared, Index count) {
    require(std::ssize(shared.values) == count, "Network: the layers have ", count,
            " numbers, padding included, the shared memory has ", shared.values.size());
    require(reinterpret_cast<std::uintptr_t>(shared.values.data()) % 64 == 0,
            "Network: the shared memory does not begin at a multiple of 64 bytes");
    // The views of layers are those of trained networks; own() and Exclusive keep them from being written.
    state_ = {const_cast<T*>(shared.values.data()), shared.values.size()};
    owner_ = std::move(shared.owner);
}

// Lists the parameters, or the buffers, of all layers from this place in the flat buffer on; returns the place after.
template <class T>
Index FlatParameters<T>::place(const Structure& structure, bool trainable, Index offset) {
    constexpr Index line = 64 / sizeof(T);
    auto& all = trainable ? parameters_ : buffers_;
    for (Index l = 0; l < structure.count(); ++l)
        for (const ParameterSpec& spec : parameter_specs(structure[l].layer)) {
            if (spec.trainable != trainable) continue;
            all.push_back({parameter_name(structure[l], spec), l, spec, offset, {}, {}});
            const Index size = size_product("Network", spec.rows, padded_stride<T>(spec.cols));
            offset += (size + line - 1) / line * line;
            require(offset <= most_numbers, "Network: no memory holds so many parameters");
        }
    return offset;
}

template <class T>
void FlatParameters<T>::look_at_buffers(std::vector<Parameter<T>>& all,
                                        std::vector<Parameter<const T>>& shown) {
    for (auto& p : all) {
        const Index stride = padded_stride<T>(p.spec.cols);
        const auto layer = static_cast<size_t>(p.layer);
        p.value.rebind({state_.data() + p.offset, p.spec.rows, p.spec.cols, stride});
        values_by_layer_[layer].push_back(p.value);
        if (p.spec.trainable && !is_read_only()) {
            p.grad.rebind({grads_.data() + p.offset, p.spec.rows, p.spec.cols, stride});
            grads_by_layer_[layer].push_back(p.grad);
        }
        shown.push_back({p.name, p.layer, p.spec, p.offset, p.value, p.grad});
    }
}

template <class T>
void FlatParameters<T>::reset(const Structure& structure, std::uint64_t seed) {
    require_own("reset_parameters");
    for (Index l = 0; l < structure.count(); ++l)
        reset_parameters<T>(structure[l].layer, values_of(l), seed, l, structure.activation_after(l));
}

template <class T>
bool FlatParameters<T>::same_layout(const FlatParameters& other) const {
    const auto same = [](const Parameter<const T>& a, const Parameter<const T>& b) {
        return a.name == b.name && a.offset == b.offset && a.spec.rows == b.spec.rows &&
               a.spec.cols == b.spec.cols && a.spec.transposed == b.spec.transposed;
    };
    return std::ranges::equal(parameters(), other.parameters(), same) &&
           std::ranges::equal(buffers(), other.buffers(), same);
}

template <class T>
void FlatParameters<T>::copy(const FlatParameters& other) {
    std::ranges::copy(other.state(), state().begin());
    std::ranges::copy(other.grads(), grads_.begin());
    if (other.is_read_only()) std::ranges::fill(grads_, T(0));
}

template <class T>
Index FlatParameters<T>::count() const {
    Index total = 0;
    for (const auto& p : parameters_) total += p.spec.rows * p.spec.cols;
    return total;
}

template class FlatParameters<float>;
template class FlatParameters<double>;

}  // namespace cmlp::inline v0_1::detail
