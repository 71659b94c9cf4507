// What layers do: their parameters, the width of their output, forward and backward.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/layers/layer_types.hpp>
#include <cmlp/ops/precision.hpp>
#include <cmlp/ops/weight_gradient.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cmlp {

/// How a parameter is kept and shown.
struct ParameterSpec {
    std::string name;         ///< "weight"
    Index rows, cols;         ///< as stored: a weight is (in, out), a vector (1, n)
    bool transposed = false;  ///< shown as (cols, rows), PyTorch's (out, in)
    bool vector = false;      ///< shown as (cols)
    bool trainable = true;  ///< otherwise a buffer: saved with the rest, never touched by optimizers or norms
    bool scalar = false;    ///< shown as ()
};

/// An activation that a Linear takes along while its result is in the cache: the one behind it, whose input it makes
/// (forward), or the one in front, whose input gets the gradient (backward).
template <class T>
struct ActivationStep {
    const ActivationLayer* layer;
    Matrix<T>* out;            ///< forward
    MatrixView<const T> z, y;  ///< backward
};

/// A layer's view of its parameters and of the call it takes part in.
template <class T>
struct LayerCall {
    std::span<const MatrixView<T>> values;  ///< in the order of its specs
    std::span<const MatrixView<T>> grads;   ///< likewise; those of buffers are empty
    Matrix<T>* scratch = nullptr;
    bool training = false;                          ///< dropout draws, otherwise passes its input on
    bool accumulate = true;                         ///< add to the gradients rather than set them
    std::uint64_t key = 0;                          ///< random numbers of this layer ...
    std::uint64_t step = 0;                         ///< ... in this forward pass; backward gets the same
    Matrix<T>* kept = nullptr;                      ///< the layer's own, from forward to backward
    const ActivationStep<T>* activation = nullptr;  ///< done in the same walk: see ActivationStep
    MatrixView<const T> partner =
        {};  ///< ResidualEnd forward: the input of its beginning; ResidualBegin backward:
             ///< the gradient that reached its end
    std::span<const std::uint64_t> rows = {};  ///< their names for random numbers; empty: 0, 1, ...
    double dropout = 1;                        ///< factor of every dropout's p
    const SparseView<T>* sparse = nullptr;  ///< the input of a Linear that is sparse; x is then its numbers()
    SparseMatrix<T>* columns = nullptr;     ///< scratch for it by columns
    Bf16Pairs* pairs =
        nullptr;  ///< memory of products in bfloat16; null: they are in the network's own numbers
    std::vector<WeightGradient<T>>* open =
        nullptr;  ///< where backward of a Linear leaves the gradient of its weights, if it is dense; null: it makes it
};

/// The layer's kind: "Linear", "Activation" ...
std::string_view type_name(const Layer& layer);

/// A default layer of that kind, to be filled through fields(); throws listing the kinds there are.
Layer make_layer(std::string_view type);

/// The parameters a layer has, buffers last; throws std::invalid_argument on impossible sizes.
std::vector<ParameterSpec> parameter_specs(const Layer& layer);

/// Columns of the output for an input with `in` columns; throws std::invalid_argument when the layer cannot take them.
Index output_width(const Layer& layer, Index in, std::string_view name);

/// Columns the layer insists on at its input; 0 when it takes any.
Index input_width(const Layer& layer);

/// Columns of its input for each column of its output, where the layer takes any input.
Index narrowing(const Layer& layer);

/// The activation a layer in front is initialised for: this layer's own, identity; nothing where the next one counts.
std::optional<Activation> activation_of(const Layer& layer);

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
