// The network that its users see: joins model, passes and prediction; copies, moves, and who may train it.
#include <cmlp/network/network.hpp>

#include <algorithm>
#include <stdexcept>

#include "network/parts.hpp"
#include "runtime/parallel.hpp"

namespace cmlp {
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
Network<T>::Network(std::vector<NamedLayer> layers, std::uint64_t seed, bool draw)
    : NetworkNumbers<T>(std::move(layers)) {
    parts_->model.seed = seed;
    if (draw) reset_parameters(seed);
}

template <class T>
Network<T>::Network(std::vector<Layer> layers, std::uint64_t seed)
    : Network(numbered(std::move(layers)), seed) {}

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
    auto text = other.metadata;  // from here on nothing throws
    metadata.swap(text);
    std::swap(parts_->model.structure, structure);
    copy_settings(parts_->model, other);
    parts_->model.parameters.copy(from.parameters);
    parts_->chain = detail::Chain<T>(parts_->model);
    forget();
    return *this;
}

// ---- passes

template <class T>
MatrixView<const T> Network<T>::forward(const Input<T>& x, Index first, Index last) {
    const Exclusive only(*this, "forward");
    return detail::Passes<T>::forward(parts(), x, first, last);
}

template <class T>
MatrixView<const T> Network<T>::backward(MatrixView<const T> dy, Index first, Index last, bool accumulate,
                                         bool input_gradient) {
    const Exclusive only(*this, "backward");
    return detail::Passes<T>::backward(parts(), dy, first, last, accumulate, input_gradient);
}

template <class T>
MatrixView<const T> detail::Passes<T>::forward(NetworkParts<T>& p, const Input<T>& x, Index first,
                                               Index last) {
    p.model.structure.require_range("forward", first, last);
    require(x.rows() > 0, "forward: x has no rows");
    (void)p.prediction().output_width(x, first, last);  // nothing is written unless all layers fit
    MatrixView<const T> y;
    with_team(p.model.parameters.pass_work(x.rows()), 1,
              [&] { y.rebind(p.workspace.forward(p.model, x, first, last, p.model.training)); });
    p.workspace.forget_from(last);  // their input may be gone
    p.model.step += p.model.training;
    return y;
}

template <class T>
MatrixView<const T> detail::Passes<T>::backward(NetworkParts<T>& p, MatrixView<const T> dy, Index first,
                                                Index last, bool accumulate, bool input_gradient) {
    p.model.structure.require_range("backward", first, last);
    with_team(p.model.parameters.pass_work(dy.rows()), 1,
              [&] { dy.rebind(p.workspace.backward(p.model, dy, first, last, accumulate, input_gradient)); });
    return dy;
}

template <class T>
Input<T> Network<T>::keep(const Input<T>& x, Index first) {
    auto& p = parts();
    require(first >= 0 && first < layer_count(), "keep: there is no layer ", first);
    p.inputs.resize(p.model.structure.layers().size());
    p.sparse_inputs.resize(p.inputs.size());
    if (x.is_sparse()) {
        SparseMatrix<T>& input = p.sparse_inputs[static_cast<size_t>(first)];
        input.assign(x.sparse());
        return input.view();
    }
    Matrix<T>& input = p.inputs[static_cast<size_t>(first)];
    input.resize(x.rows(), x.cols());
    input.view().assign(x.numbers());
    return input;
}

template <class T>
std::vector<MatrixView<const T>> Network<T>::outputs(Index first, Index last) const {
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
}

template <class T>
void Network<T>::name_rows(std::span<const std::uint64_t> names) {
    parts().workspace.name_rows(names);
}

template <class T>
void Network<T>::predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last) const {
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
    return parts().model.structure.output_width(in, first, last);
}
template <class T>
Index Network<T>::output_width(const Input<T>& x, Index first, Index last) const {
    return parts().prediction().output_width(x, first, last);
}
template <class T>
void Network<T>::zero_grad() {
    std::ranges::fill(this->grads(), T(0));
}

template <class T>
void Network<T>::reset_parameters(std::uint64_t seed) {
    auto& model = parts().model;
    model.seed = seed;
    model.parameters.reset(model.structure, seed);
}

template <class T>
void Network<T>::initialize_from(MatrixView<const T> x, std::uint64_t seed, Index first, Index last) {
    auto& p = parts();
    const Exclusive only(*this, "data_driven_");
    p.model.structure.require_range("data_driven_", first, last);
    detail::initialize_from<T>(p, x, seed, first, last);
    forget();  // the passes were over other weights, and x may be gone
}

// ---- who may change it

template <class T>
Network<T>::Exclusive::Exclusive(Network& network, const char* what) : owner_(network.parts().owner) {
    std::thread::id nobody;
    const auto me = std::this_thread::get_id();
    nested_ = owner_.load(std::memory_order_relaxed) == me;
    if (!nested_ && !owner_.compare_exchange_strong(nobody, me, std::memory_order_acquire))
        throw std::runtime_error(std::string(what) + ": another thread is training this network");
}

template <class T>
Network<T>::Exclusive::~Exclusive() {
    if (!nested_) owner_.store(std::thread::id(), std::memory_order_release);
}

template struct detail::Passes<float>;
template struct detail::Passes<double>;
template class Network<float>;
template class Network<double>;
template Network<float>::Network(const Network<double>&);
template Network<double>::Network(const Network<float>&);

}  // namespace cmlp
