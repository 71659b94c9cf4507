// The network that its users see: joins model, passes and prediction; copies, moves, and who may train it.
#include <cmlp/network/network.hpp>

#include <algorithm>

#include "network/parts.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1 {
namespace {

// Numbers on the stack that a prediction of a few rows may take instead of the network's memory.
constexpr Index small_memory = 1024;

std::vector<NamedLayer> numbered(std::vector<Layer> layers) {
    std::vector<NamedLayer> named;
    for (Layer& layer : layers) named.push_back({std::to_string(named.size()), std::move(layer)});
    return named;
}

// All that is not a number.
template <class T, class U>
void copy_settings(detail::Model<T>& to, const Network<U>& from) {
    to.seed = from.seed();
    to.step = from.pass_count();
    to.training = from.training();
    to.dropout = from.dropout();
    if constexpr (std::is_same_v<T, float>) to.precision = from.precision();
}

}  // namespace

template <class T>
Network<T>::Network(std::vector<NamedLayer> layers, Seed seed, bool draw)
    : NetworkNumbers<T>(std::move(layers)) {
    parts_->model.seed = seed;
    if (draw) reset_parameters(seed);
}

template <class T>
Network<T>::Network(std::vector<Layer> layers, Seed seed) : Network(numbered(std::move(layers)), seed) {}

template <class T>
Network<T>::Network(std::vector<NamedLayer> layers, SharedState<T> shared, Seed seed)
    : NetworkNumbers<T>(std::move(layers), std::move(shared)) {
    parts_->model.seed = seed;
}

template <class T>
Network<T>::Network(const Network& other) : NetworkNumbers<T>(other.layers()) {
    metadata = other.metadata;
    copy_settings(parts_->model, other);
    parts_->model.parameters.copy(other.parts().model.parameters);
}

template <class T>
template <class U>
    requires(!std::same_as<T, U>)
Network<T>::Network(const Network<U>& other) : NetworkNumbers<T>(other.layers()) {
    metadata = other.metadata;
    copy_settings(parts_->model, other);
    parts_->model.parameters.convert(other);
}

template <class T>
Network<T>::Network(Network&& other) noexcept = default;
template <class T>
Network<T>& Network<T>::operator=(Network&& other) noexcept = default;
template <class T>
Network<T>::~Network() = default;

template <class T>
Network<T>& Network<T>::operator=(const Network& other) {
    if (this == &other) return *this;
    const auto& from = other.parts().model;
    if (!parts_ || !parts_->model.parameters.same_layout(from.parameters)) return *this = Network(other);
    const Exclusive only(*this, "operator=");
    detail::Structure structure = from.structure;
    detail::Chain<T> chain(structure, parts_->model.parameters);
    auto text = other.metadata;  // from here on nothing throws
    metadata.swap(text);
    std::swap(parts_->model.structure, structure);
    copy_settings(parts_->model, other);
    parts_->model.parameters.copy(from.parameters);
    std::swap(parts_->chain, chain);
    forget();
    return *this;
}

// ---- passes

template <class T>
MatrixView<const T> Network<T>::forward(const Input<T>& x, Index first, Index last, Execution execution) {
    const ExecutionScope limit(execution);
    const Exclusive only(*this, "forward");
    auto& p = parts();
    p.model.structure.require_range("forward", first, last);
    p.passes.add_pass(first);
    repeat_calls("forward");
    return detail::Passes<T>::forward(p, x, first, last, p.model.training);
}

template <class T>
MatrixView<const T> Network<T>::backward(MatrixView<const T> dy, Index first, Index last, bool accumulate,
                                         bool input_gradient, Execution execution) {
    const ExecutionScope limit(execution);
    const Exclusive only(*this, "backward");
    repeat_calls("backward");
    return detail::Passes<T>::backward(parts(), dy, first, last, accumulate, input_gradient);
}

template <class T>
void Network<T>::call_into(const Input<T>& x, MatrixView<T> y, Index first, Index last) {
    const Shared reader(*this, "forward");
    require(x.rows() > 0, "forward: x has no rows");
    predict_into(x, y, first, last);
    parts().passes.add_input(x, first, last);
}

template <class T>
std::vector<Matrix<T>> Network<T>::trace(const Input<T>& x, Index first, Index last) {
    auto& p = parts();
    const auto check_range = [&] { p.model.structure.require_range("trace", first, last); };
    const auto copies = [&](const detail::Workspace<T>& passes) {
        std::vector<Matrix<T>> all;
        for (const auto& values : passes.outputs(first, last)) all.emplace_back(values);
        return all;
    };
    if (this->training()) {
        const Exclusive only(*this, "trace");
        check_range();
        forward(keep(x, first), first, last);
        return copies(p.workspace);
    }
    const Shared reader(*this, "trace");
    check_range();
    require(x.rows() > 0, "trace: x has no rows");
    (void)output_width(x, first, last);
    detail::Workspace<T> passes;
    with_team(p.model.parameters.pass_work(x.rows()), 1,
              [&] { passes.forward(p.model, x, first, last, false); });
    p.passes.add_input(x, first, last);
    return copies(passes);
}

template <class T>
void Network<T>::repeat_calls(const char* what) {
    const Exclusive only(*this, what);
    auto& p = parts();
    p.inputs.resize(size_t(layer_count()));
    for (auto& [first, last, input] : p.passes.take(what)) {
        std::swap(p.inputs[size_t(first)], input);
        detail::Passes<T>::forward(p, p.inputs[size_t(first)].view(), first, last, false);
    }
}

template <class T>
Input<T> Network<T>::keep(const Input<T>& x, Index first) {
    auto& p = parts();
    require(first >= 0 && first < layer_count(), "keep: there is no layer ", first);
    p.inputs.resize(p.model.structure.layers().size());
    auto& input = p.inputs[static_cast<size_t>(first)];
    input.assign(x);
    return input.view();
}

template <class T>
std::vector<MatrixView<const T>> Network<T>::outputs(Index first, Index last) const {
    parts().model.structure.require_range("outputs", first, last);
    return parts().workspace.outputs(first, last);
}

template <class T>
MatrixView<const T> Network<T>::output() const {
    return parts().workspace.output();
}

template <class T>
void Network<T>::forget() {
    parts().workspace.forget_from(0);
    parts().workspace.name_rows({});
    parts().passes.clear();
}

template <class T>
void Network<T>::name_rows(std::span<const std::uint64_t> names) {
    parts().workspace.name_rows(names);
}

template <class T>
void Network<T>::predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last,
                              Execution execution) const {
    const ExecutionScope limit(execution);
    const auto& p = parts();
    p.model.structure.require_range("predict_into", first, last);
    const detail::Prediction<T> prediction = p.prediction();
    prediction.check(x, y, first, last);
    if (p.chain.memory(x.rows()) <= small_memory && prediction.is_chain(x, first, last)) {
        alignas(64) T between[small_memory];
        return with_team(p.chain.work(x.rows()), 1, [&] { p.chain.predict(x.numbers(), y, between); });
    }
    auto memory = p.memories.take();
    prediction.run(x, y, first, last, *memory);
    p.memories.give(std::move(memory));
}

// ---- layers and numbers

template <class T>
Index Network<T>::output_width(Index in, Index first, Index last) const {
    parts().model.structure.require_range("output_width", first, last);
    return parts().model.structure.output_width(in, first, last);
}
template <class T>
Index Network<T>::output_width(const Input<T>& x, Index first, Index last) const {
    parts().model.structure.require_range("output_width", first, last);
    return parts().prediction().output_width(x, first, last);
}
template <class T>
void Network<T>::set_layer(Index layer, const Layer& settings) {
    const Exclusive only(*this, "set_layer");
    auto& model = parts().model;
    detail::Structure changed = model.structure.with_layer(layer, settings);
    detail::Chain<T> chain(changed, model.parameters);
    std::swap(model.structure, changed);  // from here on nothing throws
    std::swap(parts().chain, chain);
    parts().workspace.forget_from(layer);  // what it keeps for backward goes with its settings
}
template <class T>
void Network<T>::zero_grad() {
    std::ranges::fill(this->grads(), T(0));
}

template <class T>
void Network<T>::reset_parameters(Seed seed) {
    auto& model = parts().model;
    model.seed = seed;
    model.parameters.reset(model.structure, seed);
}

template <class T>
void Network<T>::initialize_from(MatrixView<const T> x, Seed seed, Index first, Index last) {
    auto& p = parts();
    const Exclusive only(*this, "data_driven_");
    p.model.structure.require_range("data_driven_", first, last);
    const ForgetAtEnd after(*this);  // they were over other weights
    detail::initialize_from<T>(p, x, seed, first, last);
}

// ---- who may change it

template <class T>
Network<T>::Exclusive::Exclusive(Network& network, const char* what)
    : access_(network.parts().access_to_change(what)), nested_(!access_.enter(what)) {}

template <class T>
Network<T>::Exclusive::~Exclusive() {
    if (!nested_) access_.leave();
}

template <class T>
Network<T>::Shared::Shared(const Network& network, const char* what)
    : access_(network.parts().access), process_(access_.enter_shared(what)) {}

template <class T>
Network<T>::Shared::~Shared() {
    access_.leave_shared(process_);
}

template class Network<float>;
template class Network<double>;
template Network<float>::Network(const Network<double>&);
template Network<double>::Network(const Network<float>&);

}  // namespace cmlp::inline v0_1
