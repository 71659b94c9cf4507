// One call of a layer, forward or backward: its parameters, the memory it may use, and what some kinds need beside.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/layers/layers.hpp>
#include <cmlp/runtime/rng.hpp>

#include <cstdint>
#include <span>
#include <vector>

#include "ops/bf16.hpp"
#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

/// The elementwise layers that a Linear takes along while its result is in the cache: those behind it, whose input it
/// makes (forward), or those in front, whose input gets the gradient (backward). Null where there is none.
template <class T>
struct JoinedLayers {
    const ActivationLayer* activation = nullptr;
    const T* share = nullptr;      ///< of a ParametricActivation, (cols); forward
    Matrix<T>* active = nullptr;   ///< the activation's output; forward
    MatrixView<const T> z, y;      ///< its input and output; backward
    Matrix<T>* dropped = nullptr;  ///< the output of the dropout behind the activation; forward
    ops::DropoutDraws dropout;     ///< p = 0: there is no dropout
    ops::KeptBits kept;

    bool empty() const { return !activation && dropout.p == 0; }
};

/// For layers that draw: where their random numbers come from. Backward gets the same as forward.
struct Draws {
    std::uint64_t seed = 0;                    ///< of this layer ...
    std::uint64_t step = 0;                    ///< ... in this forward pass
    std::span<const std::uint64_t> rows = {};  ///< names of the rows; empty: 0, 1, ...
    double dropout = 1;                        ///< factor of every dropout's p

    std::uint64_t key() const { return random_key(seed, Stream::dropout); }
};

/// For Linear alone; null where there is no such thing.
template <class T>
struct LinearCall {
    const JoinedLayers<T>* joined = nullptr;  ///< done in the same walk over the rows
    const SparseView<T>* sparse = nullptr;    ///< an input that is sparse; x is then its numbers()
    SparseMatrix<T>* columns = nullptr;       ///< scratch for it by columns
    Bf16Pairs* pairs = nullptr;               ///< memory of products in bfloat16
    /// Where backward leaves the gradient of its weights, if it is dense; null: it computes it.
    std::vector<WeightGradient<T>>* open = nullptr;
};

/// For the brackets of residuals and ensembles alone.
template <class T>
struct GroupCall {
    MatrixView<const T> input = {};  ///< of the group
    MatrixView<const T> dy = {};     ///< backward: the gradient of the group's output
    bool first = true;               ///< whether the member that ends here is the first
    /// EnsembleBegin backward: the input gradients of all members but the first.
    std::span<const MatrixView<const T>> gradients = {};
};

/// A layer's view of its parameters and of the call it takes part in.
template <class T>
struct LayerCall {
    std::span<const MatrixView<T>> values;  ///< in the order of its specs
    std::span<const MatrixView<T>> grads;   ///< likewise; those of buffers are empty
    Matrix<T>* scratch = nullptr;           ///< of this call
    bool training = false;                  ///< dropout draws, otherwise passes its input on
    bool accumulate = true;                 ///< add to the gradients rather than set them
    Draws draws = {};
    Matrix<T>* kept = nullptr;  ///< the layer's own, from forward to backward
    LinearCall<T> linear = {};
    GroupCall<T> group = {};
};

/// What a dropout of p draws in this call for rows of so many columns: nothing, p = 0, where it passes its input on.
template <class T>
ops::DropoutDraws dropout_draws(const LayerCall<T>& call, double p, Index cols) {
    const double share = call.training ? p * call.draws.dropout : 0;
    return {share, call.draws.key(), call.draws.step, call.draws.rows, cols};
}

/// The bits that a dropout keeps: rows of bytes in the memory of a matrix that resize_kept_bits makes large enough.
template <class T>
ops::KeptBits kept_bits(Matrix<T>& kept) {
    return {reinterpret_cast<unsigned char*>(kept.data()), kept.row_stride() * Index(sizeof(T))};
}
template <class T>
void resize_kept_bits(Matrix<T>& kept, Index rows, Index cols) {
    kept.resize(rows, (ops::kept_bytes(cols) + Index(sizeof(T)) - 1) / Index(sizeof(T)));
}

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

}  // namespace cmlp::inline v0_1
