// The parameters of a network as tensors of its file, and all its numbers as they lie in memory, which a loader maps.
#pragma once

#include <cmlp/network/network.hpp>

#include <cstring>

#include "files/safetensors.hpp"

namespace cmlp::inline v0_1 {

template <class T>
constexpr const char* dtype_name = sizeof(T) == 4 ? "F32" : "F64";

// ---- parameters, in the shape they are shown in

inline std::vector<Index> shown_shape(const ParameterSpec& spec) {
    if (spec.scalar) return {};
    if (spec.vector) return {spec.cols};
    return spec.transposed ? std::vector<Index>{spec.cols, spec.rows}
                           : std::vector<Index>{spec.rows, spec.cols};
}

template <class T>
MatrixView<T> shown_element_order(std::vector<T>& memory, const ParameterSpec& spec) {
    return spec.transposed ? MatrixView<T>(memory.data(), spec.cols, spec.rows)
                           : MatrixView<T>(memory.data(), spec.rows, spec.cols);
}

template <class T>
safetensors::Tensor tensor_of(const Parameter<const T>& p) {
    std::vector<T> elements(static_cast<size_t>(p.spec.rows * p.spec.cols));
    const MatrixView<T> out = shown_element_order(elements, p.spec);
    if (p.spec.transposed)
        out.assign(p.value.transpose());
    else
        out.assign(p.value);
    const auto* bytes = reinterpret_cast<const std::byte*>(elements.data());
    return {p.name, dtype_name<T>, shown_shape(p.spec), {bytes, bytes + elements.size() * sizeof(T)}};
}

template <class T>
void fill(const Parameter<T>& p, const safetensors::Tensor& tensor) {
    require(tensor.dtype == dtype_name<T> && tensor.shape == shown_shape(p.spec), "tensor '", p.name,
            "' has another type or shape than its layer");
    std::vector<T> elements(static_cast<size_t>(p.spec.rows * p.spec.cols));
    std::memcpy(elements.data(), tensor.data.data(), tensor.data.size());
    const MatrixView<T> in = shown_element_order(elements, p.spec);
    if (p.spec.transposed)
        p.value.assign(in.transpose());
    else
        p.value.assign(in);
}

// ---- the flat buffer

/// Written with the array. To be raised when FlatParameters or padded_stride place the numbers elsewhere.
constexpr int flat_layout = 1;

template <class T>
safetensors::Tensor flat_tensor(const Network<T>& network) {
    const std::span<const T> numbers = network.state();
    const auto bytes = std::as_bytes(numbers);
    return {std::string(safetensors::aligned_name),
            dtype_name<T>,
            {std::ssize(numbers)},
            {bytes.begin(), bytes.end()}};
}

/// The array of a mapped file as the numbers of a network; throws std::invalid_argument when it has other elements.
template <class T>
SharedState<T> shared_state(const safetensors::MappedArray& array) {
    require(array.dtype == dtype_name<T>, "tensor '", safetensors::aligned_name, "' has the type ",
            array.dtype, ", the network ", dtype_name<T>);
    return {{reinterpret_cast<const T*>(array.bytes.data()), array.bytes.size() / sizeof(T)}, array.owner};
}

}  // namespace cmlp::inline v0_1
