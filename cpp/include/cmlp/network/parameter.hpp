// Layers with their names, and the parameters of a network as its users see them.
#pragma once

#include <cmlp/layers/layers.hpp>

#include <string>

namespace cmlp::inline v0_1 {

/// A layer with the name its parameters carry: "0", "encoder.1".
struct NamedLayer {
    std::string name;
    Layer layer;
};

/// "0.weight": the layer's name and the parameter's; a layer without a name adds none.
[[nodiscard]] inline std::string parameter_name(const NamedLayer& layer, const ParameterSpec& spec) {
    return layer.name.empty() ? spec.name : layer.name + "." + spec.name;
}

/// One parameter: where it lies in the flat buffers and how it is shown; of a const network T is const.
template <class T>
struct Parameter {
    std::string name;  ///< "0.weight"
    Index layer;       ///< index of its layer
    ParameterSpec spec;
    Index offset;         ///< of its first element in the flat buffers
    MatrixView<T> value;  // as stored, rows padded
    MatrixView<T> grad;   // empty for a buffer
};

}  // namespace cmlp::inline v0_1
