// The layers a network is made of: plain values that say what they are; the numbers belong to the network.
#pragma once

#include <cmlp/initializers.hpp>
#include <cmlp/matrix.hpp>
#include <cmlp/registry.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace cmlp {

/// How a parameter is kept and shown.
struct ParameterSpec {
    std::string name;         ///< "weight"
    Index rows, cols;         ///< as stored: a weight is (in, out), a vector (1, n)
    bool transposed = false;  ///< shown as (cols, rows), PyTorch's (out, in)
    bool vector = false;      ///< shown as (cols)
};

/// A layer's view of its parameters and of the call it takes part in.
template <class T>
struct LayerCall {
    std::span<const MatrixView<T>> values;  ///< in the order of its specs
    std::span<const MatrixView<T>> grads;
    Matrix<T>* scratch = nullptr;
    bool training = false;   ///< dropout draws, otherwise passes its input on
    bool accumulate = true;  ///< add to the gradients rather than set them
    std::uint64_t key = 0;   ///< random numbers of this layer ...
    std::uint64_t step = 0;  ///< ... in this forward pass; backward gets the same
};

/// y = x W^T + b, W (out, in) and b (out).
struct Linear {
    Index in_features = 1, out_features = 1;
    bool bias = true;
    std::string init = "auto";  ///< a name of initializers.def, "auto": by the activation that follows
    Settings init_settings = {};

    static constexpr std::string_view type = "Linear";
    void fields(auto&& f) {
        f("in_features", in_features), f("out_features", out_features), f("bias", bias);
        f("init", init), f("init_settings", init_settings);
    }
};

/// An elementwise function of activations.def.
struct ActivationLayer {
    Activation kind = Activation::identity;
    std::vector<double> parameters = resolve(kind);  // in the order of its row

    static constexpr std::string_view type = "Activation";
    void fields(auto&& f) {
        f("activation", kind);
        Settings settings = named_settings(kind, parameters);
        f("settings", settings);
        parameters = resolve(kind, settings);
    }
};

/// y_j = exp(x_j) / sum exp(x) over each row.
struct Softmax {
    static constexpr std::string_view type = "Softmax";
    void fields(auto&&) {}
};

/// In training each element is 0 with probability p, the others are scaled by 1 / (1 - p); otherwise y = x.
struct Dropout {
    double p = 0.5;

    static constexpr std::string_view type = "Dropout";
    void fields(auto&& f) { f("p", p); }
};

/// Any layer. Adding one: its struct here, its functions in layers.cpp, its place in this list.
using Layer = std::variant<Linear, ActivationLayer, Softmax, Dropout>;

/// An activation by name: activation("leaky_relu", {{"negative_slope", 0.2}}); throws as parse and resolve do.
inline ActivationLayer activation(std::string_view name, const Settings& settings = {}) {
    const auto kind = parse<Activation>(name);
    return {kind, resolve(kind, settings)};
}

/// The layer's kind: "Linear", "Activation" ...
std::string_view type_name(const Layer& layer);

/// A default layer of that kind, to be filled through fields(); throws listing the kinds there are.
Layer make_layer(std::string_view type);

/// The parameters a layer has; throws std::invalid_argument on impossible sizes.
std::vector<ParameterSpec> parameter_specs(const Layer& layer);

/// Columns of the output for an input with `in` columns; throws std::invalid_argument when the layer cannot take them.
Index output_width(const Layer& layer, Index in, std::string_view name);

/// Columns the layer insists on at its input; 0 when it takes any.
Index input_width(const Layer& layer);

/// Fills the layer's parameters; `next` is the activation that follows.
template <class T>
void reset_parameters(const Layer& layer, std::span<const MatrixView<T>> values, std::uint64_t seed,
                      Index index, Activation next);

/// The output: memory of y, or x itself where nothing is to be done.
template <class T>
MatrixView<const T> forward(const Layer& layer, const LayerCall<T>& call, MatrixView<const T> x,
                            Matrix<T>& y);

/// Gradients of the parameters, and of the input unless dx is null: memory of dx, or dy itself.
template <class T>
MatrixView<const T> backward(const Layer& layer, const LayerCall<T>& call, MatrixView<const T> x,
                             MatrixView<const T> y, MatrixView<const T> dy, Matrix<T>* dx);

}  // namespace cmlp
