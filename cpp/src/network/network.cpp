// A network's layers, buffers and offsets; the passes are in network_passes.cpp.
#include <cmlp/network/network.hpp>

#include <algorithm>
#include <set>

namespace cmlp {
namespace {

std::vector<NamedLayer> numbered(std::vector<Layer> layers) {
    std::vector<NamedLayer> named;
    for (Layer& layer : layers) named.push_back({std::to_string(named.size()), std::move(layer)});
    return named;
}

// The activation that a layer's output meets, norms and dropout not counted; identity at the end.
Activation activation_after(const std::vector<NamedLayer>& layers, size_t i) {
    for (++i; i < layers.size(); ++i)
        if (const auto activation = activation_of(layers[i].layer)) return *activation;
    return Activation::identity;
}

}  // namespace

template <class T>
Network<T>::Network(std::vector<NamedLayer> layers, std::uint64_t seed, bool draw)
    : layers_(std::move(layers)), seed_(seed) {
    require(!layers_.empty(), "Network: there are no layers");
    match_residuals();
    allocate();
    if (draw) reset_parameters(seed);
}

template <class T>
Network<T>::Network(std::vector<Layer> layers, std::uint64_t seed)
    : Network(numbered(std::move(layers)), seed) {}

template <class T>
Network<T>::Network(const Network& other)
    : metadata(other.metadata),
      layers_(other.layers_),
      seed_(other.seed_),
      step_(other.step_),
      training_(other.training_),
      precision_(other.precision_) {
    match_residuals();
    allocate();
    std::copy(other.values_.begin(), other.values_.end(), values_.begin());
    std::copy(other.grads_.begin(), other.grads_.end(), grads_.begin());
}

template <class T>
template <class U>
Network<T>::Network(const Network<U>& other)
    : metadata(other.metadata),
      layers_(other.layers()),
      seed_(other.seed()),
      step_(other.step()),
      training_(other.training()) {
    match_residuals();
    allocate();
    const auto copy = [](MatrixView<T> to, MatrixView<const U> from) {
        for (Index i = 0; i < from.rows(); ++i)
            for (Index j = 0; j < from.cols(); ++j) to(i, j) = static_cast<T>(from(i, j));
    };
    for (size_t p = 0; p < parameters_.size(); ++p) copy(parameters_[p].value, other.parameters()[p].value);
    for (size_t b = 0; b < buffers_.size(); ++b) copy(buffers_[b].value, other.buffers()[b].value);
}

// Beginnings and ends of residuals, matched as brackets are.
template <class T>
void Network<T>::match_residuals() {
    partner_.assign(layers_.size(), -1);
    std::vector<Index> open;
    for (Index l = 0; l < size(); ++l) {
        const auto i = static_cast<size_t>(l);
        if (std::holds_alternative<ResidualBegin>(layers_[i].layer)) open.push_back(l);
        if (!std::holds_alternative<ResidualEnd>(layers_[i].layer)) continue;
        require(!open.empty(), "Network: layer '", layers_[i].name, "' ends a residual that did not begin");
        partner_[i] = open.back();
        partner_[static_cast<size_t>(open.back())] = l;
        open.pop_back();
    }
    require(open.empty(), "Network: a residual does not end");
}

// Lists the parameters, or the buffers, of all layers from this place in the flat buffer on; returns the place after.
template <class T>
Index Network<T>::place(std::vector<Parameter<T>>& all, bool trainable, Index offset) {
    constexpr Index line = 64 / sizeof(T);
    for (size_t l = 0; l < layers_.size(); ++l)
        for (const ParameterSpec& spec : parameter_specs(layers_[l].layer)) {
            if (spec.trainable != trainable) continue;
            all.push_back({parameter_name(layers_[l], spec), Index(l), spec, offset, {}, {}});
            offset += (spec.rows * padded_stride<T>(spec.cols) + line - 1) / line * line;
        }
    return offset;
}

// Every parameter starts on a cache line of the flat buffers; its rows are padded as a Matrix's are.
template <class T>
void Network<T>::allocate() {
    std::set<std::string_view> names;
    for (const NamedLayer& named : layers_)
        require(names.insert(named.name).second, "Network: two layers are named '", named.name, "'");
    const Index trained = place(parameters_, true, 0);
    values_.resize(place(buffers_, false, trained));
    grads_.resize(trained);
    layer_values_.resize(layers_.size());
    layer_grads_.resize(layers_.size());
    for (auto* list : {&parameters_, &buffers_})
        for (auto& p : *list) {
            const Index stride = padded_stride<T>(p.spec.cols);
            p.value.rebind({values_.data() + p.offset, p.spec.rows, p.spec.cols, stride});
            layer_values_[size_t(p.layer)].push_back(p.value);
            if (!p.spec.trainable) continue;
            p.grad.rebind({grads_.data() + p.offset, p.spec.rows, p.spec.cols, stride});
            layer_grads_[size_t(p.layer)].push_back(p.grad);
        }
    for (const auto& p : parameters_) largest_layer_ = std::max(largest_layer_, p.value.size());
    chain_ = find_chain();
    if (const Index in = input_width()) {
        output_ = output_width(in, 0, size());
        input_ = in;
    }
}

template <class T>
void Network<T>::reset_parameters(std::uint64_t seed) {
    seed_ = seed;
    for (size_t l = 0; l < layers_.size(); ++l)
        cmlp::reset_parameters<T>(layers_[l].layer, layer_values_[l], seed, Index(l),
                                  activation_after(layers_, l));
}

template <class T>
Index Network<T>::output_width(Index in, Index first, Index last) const {
    if (first == 0 && last == size() && input_ > 0 && in == input_) return output_;
    std::vector<Index> open;  // widths at the beginnings of residuals
    for (Index l = first; l < last; ++l) {
        const NamedLayer& named = layers_[static_cast<size_t>(l)];
        in = cmlp::output_width(named.layer, in, named.name);
        const Index other = partner_[static_cast<size_t>(l)];
        if (other > l) open.push_back(in);
        if (other < 0 || other > l) continue;
        require(open.empty() || open.back() == in, "Residual: its layers turn ",
                open.empty() ? 0 : open.back(), " columns into ", in, ", the sum needs the same");
        if (!open.empty()) open.pop_back();
    }
    return in;
}

template <class T>
Index Network<T>::output_width(const Input<T>& x, Index first, Index last) const {
    const Layer& layer = layers_[static_cast<size_t>(first)].layer;
    require(!x.is_sparse() || std::holds_alternative<Linear>(layer), type_name(layer),
            ".forward: x is sparse, only a Linear takes it");
    require(!x.is_sparse() || precision_ == Precision::own,
            "Linear.forward: x is sparse, with precision bf16 it must be dense");
    return output_width(x.cols(), first, last);
}

template <class T>
Index Network<T>::input_width() const {
    Index factor = 1;
    for (const NamedLayer& named : layers_) {
        if (const Index in = cmlp::input_width(named.layer)) return in * factor;
        if (std::holds_alternative<Embedding>(named.layer)) return 0;
        factor *= narrowing(named.layer);
    }
    return 0;
}

template <class T>
Index Network<T>::parameter_count() const {
    Index count = 0;
    for (const auto& p : parameters_) count += p.spec.rows * p.spec.cols;
    return count;
}

template <class T>
void Network<T>::zero_grad() {
    std::fill(grads_.begin(), grads_.end(), T(0));
}

template <class T>
Network<T>::Exclusive::Exclusive(Network& network, const char* what) : network_(network) {
    std::thread::id nobody;
    const auto me = std::this_thread::get_id();
    nested_ = network_.owner_.load(std::memory_order_relaxed) == me;
    if (!nested_ && !network_.owner_.compare_exchange_strong(nobody, me, std::memory_order_acquire))
        throw std::runtime_error(std::string(what) + ": another thread is training this network");
}

template <class T>
Network<T>::Exclusive::~Exclusive() {
    if (!nested_) network_.owner_.store(std::thread::id(), std::memory_order_release);
}

template class Network<float>;
template class Network<double>;
template Network<float>::Network(const Network<double>&);
template Network<double>::Network(const Network<float>&);

}  // namespace cmlp
