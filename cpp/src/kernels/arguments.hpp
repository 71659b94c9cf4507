// What the kernels take: the lists' sizes, and the arguments of one call. Plain pointers and sizes only; matrices are
// row-major, and `x_row` is the distance between rows in elements.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace cmlp::kernels {

/// How many entries each list has.
enum : int {
    activation_count = 0
#define CMLP_ACTIVATION(...) +1
#include <cmlp/lists/activations.def>
    ,
    loss_count = 0
#define CMLP_LOSS(...) +1
#include <cmlp/lists/losses.def>
    ,
    optimizer_count = 0
#define CMLP_OPTIMIZER(...) +1
#include <cmlp/lists/optimizers.def>
    ,
    function_count = 0
#define CMLP_FUNCTION(...) +1
#include <cmlp/lists/functions.def>
    ,
    max_coefficients = 16,  ///< numbers an update rule may prepare for one step
    max_slots = 4,          ///< arrays of state a rule may keep
    max_memory = 2          ///< numbers a rule may keep from step to step beside them
};

/// Rows of a batch that one chain sums in a weight gradient; longer batches fold chunk after chunk, in order.
constexpr ptrdiff_t chunk_rows = 256;

/// Numbers a loss may take.
constexpr int max_loss_parameters = 8;

/// What the numbers of a loss's `column` are: weights that the mean divides by, factors that it does not,
/// factors of the positive part, or the quantiles predicted.
enum class Column : int { none, class_weight, class_factor, positive, quantile };

/// What an activation's backward reads: its input or its output.
enum class Keep : int { input, output };

/// c (m, n) = start + a (m, k) * b (k, n): every element one chain of fma in k order, whatever the blocking. With a
/// factor c = shift + factor * chain.
template <class T>
struct Gemm {
    ptrdiff_t m, n, k;
    const T* a;  ///< a(i, p) = a[i * a_row + p * a_col]: row-major, or transposed by swapping the two
    ptrdiff_t a_row, a_col;
    const T* b;  ///< (k, n)
    ptrdiff_t b_row;
    T* c;  ///< (m, n)
    ptrdiff_t c_row;
    const T* bias;  ///< (n): the chain starts there; null: at 0
    bool add;       ///< c += chain instead of c = chain
    T factor = 1;
    const T* shift = nullptr;  ///< (n), with a factor; null: 0
};

/// c (m, n) = start + a b, a (m, k) in sparse rows: every element one chain of fma over the entries of its row.
template <class T>
struct SparseGemm {
    ptrdiff_t m, n;
    const int64_t*
        start;  ///< (m + 1) where the entries of a row begin, counted so that start[0] is the first of all
    const int32_t* index;  ///< the row of b that an entry goes with
    const T* value;
    const T* b;  ///< (k, n)
    ptrdiff_t b_row;
    T* c;  ///< (m, n)
    ptrdiff_t c_row;
    const T* bias;  ///< (n): the chain starts there; null: at 0
    bool add;       ///< c += chain instead of c = chain
    T factor = 1;
    const T* shift = nullptr;  ///< (n), with a factor; null: 0
};

/// A block of rows and columns that elementwise kernels walk over.
struct Shape {
    ptrdiff_t rows, cols;
};

/// dz = dy f'(z), f' from what `keep` says was kept. With shares, one each column: dz of z + share (f(z) - z) from z.
template <class T>
struct ActivationGradient {
    Shape shape;
    const T* kept;
    ptrdiff_t kept_row;
    const T* dy;
    ptrdiff_t dy_row;
    T* dz;
    ptrdiff_t dz_row;
    const T* share = nullptr;
    T* sum = nullptr;  ///< (cols, up to a full vector) += dy (f(z) - z) down the rows, with shares
};

/// Value and gradient of a loss over a block of rows. Any output may be null.
template <class T>
struct LossCall {
    Shape shape;
    const T* y;  ///< predictions
    ptrdiff_t y_row;
    const T* target;  ///< (rows, cols / width); null when `label` is given
    ptrdiff_t target_row;
    const int64_t* label;  ///< (rows) class indices; null when `target` is given
    const T*
        row_scale;    ///< (rows) factor of each row's gradient, 0: the row is absent; null: `scale` for all
    T scale;          ///< factor of all gradients
    const T* column;  ///< (cols), or the quantiles; null: none
    const T* parameters;
    T* row_value;  ///< (rows) unscaled value, summed over the columns
    T* value;  ///< (rows, cols) unscaled values of an elementwise loss, (rows, cols / width) of a joint one
    ptrdiff_t value_row;
    T* dy;  ///< (rows, cols) scaled gradient
    ptrdiff_t dy_row;
    ptrdiff_t columns = 0;             ///< entries of `column`
    int64_t ignore_index = INT64_MIN;  ///< rows of this label are absent
};

/// y = x * keep / (1 - p) with keep drawn from (key, step) at index first, first + 1, ...
template <class T>
struct DropoutCall {
    ptrdiff_t n;
    const T* x;
    T* y;
    double p;
    uint64_t key, step, first;
    unsigned char* kept = nullptr;  ///< a bit an element for dropout_backward, two bytes for 16; or null
};

/// PeriodicEmbedding of one column for at most chunk_rows rows, all arrays by columns: the outputs are
/// cos(2 pi x w + phase) weight + bias, and x itself as the last one.
template <class T>
struct PeriodicCall {
    ptrdiff_t rows, frequencies, outputs;  ///< x as an output is not counted
    const T* x;                            ///< (rows)
    const T *w, *phase;                    ///< (frequencies)
    const T* weight;                       ///< (frequencies, outputs)
    ptrdiff_t weight_row;
    const T* bias;  ///< (outputs)
};

/// Gradients of the same from dy (outputs + 1, rows): of its numbers = or +=, of x = or null.
template <class T>
struct PeriodicGradients {
    const T* dy;
    ptrdiff_t dy_row;
    T *w, *phase, *weight, *bias;  ///< weight with the rows of PeriodicCall's
    ptrdiff_t weight_row;
    T* x;
    bool add;
};

}  // namespace cmlp::kernels
