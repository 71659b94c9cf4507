// The dense operations of a network on matrix views: shapes checked, rows split into blocks over the threads,
// each block one call through the kernel table. Outputs come last; nothing is allocated but scratch that
// callers keep.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/registry.hpp>

#include <cstdint>
#include <span>
#include <type_traits>

#include "ops/weight_gradient.hpp"

namespace cmlp::inline v0_1::ops {

/// What follows a block (first row, rows, first column, columns) of a product while it is in the cache: any function of
/// these four, borrowed.
class AfterBlock {
public:
    AfterBlock() = default;
    template <class F>
        requires(!std::is_same_v<F, AfterBlock>)
    AfterBlock(F& f)
        : context_(&f), call_([](void* context, Index i, Index rows, Index j, Index cols) {
              (*static_cast<F*>(context))(i, rows, j, cols);
          }) {}
    explicit operator bool() const { return call_ != nullptr; }
    void operator()(Index i, Index rows, Index j, Index cols) const { call_(context_, i, rows, j, cols); }

private:
    void* context_ = nullptr;
    void (*call_)(void*, Index, Index, Index, Index) = nullptr;
};

/// y = factor x w + bias: x (batch, in), w (in, out), bias (out) or null, y (batch, out).
template <class T>
void linear_forward(MatrixView<const T> x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after = {}, T factor = 1);

/// db (out) = or += the sum of dy's rows: over chunks of 256 rows, folded in order.
template <class T>
void linear_backward_bias(MatrixView<const T> dy, T* db, bool accumulate);

/// The gradients of several linear maps, dw by chains over chunks of 256 rows that are folded in order, in
/// one region over the threads.
template <class T>
void weight_gradients(std::span<const WeightGradient<T>> all);

/// dw (in, out) = or += x^T dy alone.
template <class T>
void linear_backward_weight(MatrixView<const T> x, MatrixView<const T> dy, MatrixView<T> dw,
                            bool accumulate) {
    const WeightGradient<T> gradient{x, dy, dw, nullptr, accumulate};
    weight_gradients<T>({&gradient, 1});
}

/// dx = factor dy w^T; `scratch` holds the transposed weights.
template <class T>
void linear_backward_input(MatrixView<const T> dy, MatrixView<const T> w, Matrix<T>& scratch,
                           MatrixView<T> dx, AfterBlock after = {}, T factor = 1);

/// y = f(z), or with a share for each column z + share (f(z) - z).
template <class T>
void activation_forward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                        MatrixView<T> y, const T* share = nullptr);

/// dz = dy * f'(z), from the layer's input z and output y, whichever the activation keeps.
template <class T>
void activation_backward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                         MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dz);

/// The way back with shares: dz, and dshare (cols) = or += the column sums of dy (f(z) - z), in an order that depends
/// on the rows alone.
template <class T>
void parametric_backward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                         const T* share, MatrixView<const T> dy, T* dshare, bool add, MatrixView<T> dz);

template <class T>
void softmax_forward(MatrixView<const T> x, MatrixView<T> y);
template <class T>
void softmax_backward(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx);

/// What dropout draws: a mask from (key, step) alone, by the names of the rows of so many columns.
struct DropoutDraws {
    double p = 0;
    std::uint64_t key = 0, step = 0;
    std::span<const std::uint64_t> rows = {};
    Index cols = 0;
};
/// Bytes of a row of `cols` bits that dropout keeps.
constexpr Index kept_bytes(Index cols) { return (cols + 15) / 16 * 2; }
/// Rows of bits, `stride` bytes apart.
struct KeptBits {
    unsigned char* data = nullptr;
    Index stride = 0;
};

/// y = x * mask / (1 - p) for a block from row i and column j on, a multiple of 16; kept, of all rows, gets the bits of
/// the mask. y may be x.
template <class T>
void dropout(MatrixView<const T> x, const DropoutDraws& draws, KeptBits kept, Index i, Index j,
             MatrixView<T> y);
/// dx = dy * mask / (1 - p) with the bits of the mask; dx may be dy.
template <class T>
void dropout_backward(MatrixView<const T> dy, double p, KeptBits kept, Index i, Index j, MatrixView<T> dx);
/// The name of row r, its place where there are none.
inline std::uint64_t row_name(std::span<const std::uint64_t> rows, Index r) {
    return rows.empty() ? static_cast<std::uint64_t>(r) : rows[static_cast<size_t>(r)];
}

/// What a loss reads and writes for one batch; any output may be empty.
template <class T>
struct LossBatch {
    MatrixView<const T> y;          // (batch, out)
    MatrixView<const T> target;     // (batch, targets), empty with labels
    const std::int64_t* label;      // (batch), null with dense targets
    const T* row_scale;             // (batch) factor of each row's gradient, null: scale
    T scale;                        // factor of all gradients
    std::span<const T> column;      // (out), or quantiles, or empty
    std::span<const T> parameters;  // in the order of the loss's row
    T* row_value;                   // (batch) or null
    MatrixView<T> value;            // (batch, values) or empty
    MatrixView<T> dy;               // (batch, out) or empty
    std::int64_t ignore_index;      // rows of this label are absent
};
template <class T>
void loss(LossKind kind, const LossBatch<T>& batch);
/// What holds for a loss whatever its settings; as in kernels.hpp.
enum class LossColumn : int { none, class_weight, class_factor, positive, quantile };
struct LossFacts {
    bool elementwise, takes_labels;
    int width;
    bool joint;
    LossColumn column;
};
LossFacts loss_facts(LossKind kind);
constexpr int max_loss_parameters = 8;

/// sum of x * weight (null: 1) in double; the order is fixed.
template <class T>
double weighted_sum(std::span<const T> x, const T* weight);
template <class T>
double squared_norm(std::span<const T> x);
template <class T>
void scale(std::span<T> x, T factor);

/// Index (row-major, gaps not counted) of the first NaN or infinity, -1 when there is none.
template <class T>
Index first_nonfinite(MatrixView<const T> x);

/// Whether all are in [-limit, limit]; a NaN is not.
template <class T>
bool is_within(std::span<const T> x, T limit);

/// out row i = x row order[i]
template <class T>
void gather_rows(MatrixView<const T> x, std::span<const Index> order, MatrixView<T> out);

/// Update rules: numbers of one step, and the step itself over part of the flat weights.
constexpr int max_coefficients = 16;
constexpr int max_memory = 2;
/// Work of updating one number by Adam, in multiplications or so.
constexpr double work_of_update = 24;
int update_slots(OptimizerKind kind, std::span<const double> settings);
template <class T>
void update_prepare(OptimizerKind kind, std::span<const double> settings, std::int64_t step,
                    std::span<double> memory, std::span<T> coefficients);
template <class T>
void update(OptimizerKind kind, std::span<T> w, const T* g, std::span<T* const> state,
            std::span<const T> coefficients);

}  // namespace cmlp::inline v0_1::ops
