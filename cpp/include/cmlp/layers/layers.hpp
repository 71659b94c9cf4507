// What every layer has: its kind, its parameters, the width of its output.
#pragma once

#include <cmlp/layers/layer_types.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

/// How a parameter is kept and shown.
struct ParameterSpec {
    std::string name;         ///< "weight"
    Index rows, cols;         ///< as stored: a weight is (in, out), a vector (1, n)
    bool transposed = false;  ///< shown as (cols, rows), PyTorch's (out, in)
    bool vector = false;      ///< shown as (cols)
    bool trainable = true;  ///< otherwise a buffer: saved with the rest, never touched by optimizers or norms
    bool scalar = false;    ///< shown as ()
};

/// The layer's kind: "Linear", "Activation" ...
[[nodiscard]] std::string_view type_name(const Layer& layer);

/// A default layer of that kind, to be filled through fields(); throws listing the kinds there are.
[[nodiscard]] Layer make_layer(std::string_view type);

/// The parameters a layer has, buffers last; throws std::invalid_argument on impossible sizes.
[[nodiscard]] std::vector<ParameterSpec> parameter_specs(const Layer& layer);

/// Columns of the output for an input with `in` columns; throws std::invalid_argument when the layer cannot take them.
[[nodiscard]] Index output_width(const Layer& layer, Index in, std::string_view name);

/// Columns the layer insists on at its input; 0 when it takes any.
[[nodiscard]] Index input_width(const Layer& layer);

/// Columns of its input for each column of its output, where the layer takes any input; 0: it is unknown.
[[nodiscard]] Index narrowing(const Layer& layer);

/// The activation a layer in front is initialised for: this layer's own, identity; nothing where the next one counts.
[[nodiscard]] std::optional<Activation> activation_of(const Layer& layer);

}  // namespace cmlp::inline v0_1
