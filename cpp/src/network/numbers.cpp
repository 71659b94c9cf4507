// Reading and setting what a network holds.
#include <cmlp/network/numbers.hpp>

#include "network/parts.hpp"

namespace cmlp::inline v0_1 {

template <class T>
NetworkNumbers<T>::NetworkNumbers(std::vector<NamedLayer> layers, SharedState<T> shared)
    : parts_(std::make_unique<detail::NetworkParts<T>>(std::move(layers), std::move(shared))) {}

template <class T>
NetworkNumbers<T>::NetworkNumbers(NetworkNumbers&& other) noexcept = default;
template <class T>
NetworkNumbers<T>& NetworkNumbers<T>::operator=(NetworkNumbers&& other) noexcept = default;
template <class T>
NetworkNumbers<T>::~NetworkNumbers() = default;

template <class T>
Index NetworkNumbers<T>::input_width() const {
    return parts().model.structure.input_width();
}
template <class T>
const std::vector<NamedLayer>& NetworkNumbers<T>::layers() const {
    return parts().model.structure.layers();
}
template <class T>
const std::vector<Parameter<T>>& NetworkNumbers<T>::parameters() {
    return parts().model.parameters.parameters();
}
template <class T>
const std::vector<Parameter<const T>>& NetworkNumbers<T>::parameters() const {
    return parts().model.parameters.parameters();
}
template <class T>
const std::vector<Parameter<T>>& NetworkNumbers<T>::buffers() {
    return parts().model.parameters.buffers();
}
template <class T>
const std::vector<Parameter<const T>>& NetworkNumbers<T>::buffers() const {
    return parts().model.parameters.buffers();
}
template <class T>
std::span<T> NetworkNumbers<T>::values() {
    auto& numbers = parts().model.parameters;
    return numbers.state().first(numbers.trained());
}
template <class T>
std::span<const T> NetworkNumbers<T>::values() const {
    const auto& numbers = parts().model.parameters;
    return numbers.state().first(numbers.trained());
}
template <class T>
std::span<T> NetworkNumbers<T>::grads() {
    return parts().model.parameters.grads();
}
template <class T>
std::span<const T> NetworkNumbers<T>::grads() const {
    return parts().model.parameters.grads();
}
template <class T>
std::span<T> NetworkNumbers<T>::state() {
    return parts().model.parameters.state();
}
template <class T>
std::span<const T> NetworkNumbers<T>::state() const {
    return parts().model.parameters.state();
}
template <class T>
bool NetworkNumbers<T>::is_read_only() const {
    return parts().model.parameters.is_read_only();
}
template <class T>
Index NetworkNumbers<T>::parameter_count() const {
    return parts().model.parameters.count();
}

template <class T>
bool NetworkNumbers<T>::takes_batch_statistics() const {
    return parts().model.structure.takes_batch_statistics(0, layer_count());
}

template <class T>
double NetworkNumbers<T>::pass_work(Index rows) const {
    return parts().model.parameters.pass_work(rows);
}

template <class T>
bool NetworkNumbers<T>::training() const {
    return parts().model.training;
}
template <class T>
void NetworkNumbers<T>::set_training(bool on) {
    parts().model.training = on;
}
template <class T>
std::uint64_t NetworkNumbers<T>::seed() const {
    return parts().model.seed;
}
template <class T>
std::uint64_t NetworkNumbers<T>::pass_count() const {
    return parts().model.step;
}
template <class T>
void NetworkNumbers<T>::set_pass_count(std::uint64_t count) {
    parts().model.step = count;
}
template <class T>
Precision NetworkNumbers<T>::precision() const {
    return parts().model.precision;
}

template <class T>
void NetworkNumbers<T>::set_precision(Precision precision) {
    require(precision == Precision::own || std::is_same_v<T, float>,
            "precision: bf16 is for float32 networks, this one is float64");
    parts().model.precision = precision;
}

template <class T>
double NetworkNumbers<T>::dropout() const {
    return parts().model.dropout;
}

template <class T>
void NetworkNumbers<T>::set_dropout(double factor) {
    require(factor >= 0 && factor <= 1, "dropout: the factor of p is ", factor, ", it must be in [0, 1]");
    parts().model.dropout = factor;
}

template class NetworkNumbers<float>;
template class NetworkNumbers<double>;

}  // namespace cmlp::inline v0_1
