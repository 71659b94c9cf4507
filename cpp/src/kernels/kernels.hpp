// The one interface to the vector code: tables of function pointers, one a family and number type, filled once per
// instruction set. What no call asks for is left out by the linker, so a program keeps the families that it uses.
// Plain pointers and sizes only. Matrices are row-major; `x_row` is the distance between rows in elements.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "families.hpp"

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

/// What the numbers of a loss's `column` are: weights that the mean divides by, factors that it does not, factors of the
/// positive part, or the quantiles predicted.
enum class Column : int { none, class_weight, class_factor, positive, quantile };

/// What an activation's backward reads: its input or its output.
enum class Keep : int { input, output };

/// c (m, n) = start + a (m, k) * b (k, n): every element one chain of fma in k order, whatever the blocking.
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
};

/// A block of rows and columns that elementwise kernels walk over.
struct Shape {
    ptrdiff_t rows, cols;
};

template <class T>
struct ActivationKernel {
    void (*forward)(Shape, const T* z, ptrdiff_t z_row, T* y, ptrdiff_t y_row, const T* parameters);
    /// dz = dy * f'(z), f' from what `keep` says was kept
    void (*backward)(Shape, const T* kept, ptrdiff_t kept_row, const T* dy, ptrdiff_t dy_row, T* dz,
                     ptrdiff_t dz_row, const T* parameters);
    Keep keep;
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

template <class T>
struct LossKernel {
    void (*run)(const LossCall<T>&);
    bool elementwise;   ///< a value for each element; otherwise one a row
    bool takes_labels;  ///< accepts class indices
    int width;          ///< predictions for one target; 0: one for each entry of `column`
    bool joint;         ///< one value for a target's predictions together
    Column column;
};

template <class T>
struct UpdateKernel {
    /// Numbers of one step from the settings in row order; step counts from 1. `memory` is the rule's own.
    void (*prepare)(const double* settings, int64_t step, double* memory, T* coefficients);
    /// One step of n weights; `slots` arrays of state, zero before the first.
    void (*update)(int slots, ptrdiff_t n, T* w, const T* g, T* const* state, const T* coefficients);
    int (*slots)(const double* settings);  ///< arrays of state these settings need
};

/// y = x * keep / (1 - p) with keep drawn from (key, step) at index first, first + 1, ... ; backward is the same on dy.
template <class T>
struct DropoutCall {
    ptrdiff_t n;
    const T* x;
    T* y;
    double p;
    uint64_t key, step, first;
};

/// Row-wise and column-wise parts of layers; softmax.hpp and norms.hpp have the formulas.
template <class T>
struct Rows {
    void (*softmax)(Shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row);
    void (*softmax_backward)(Shape, const T* y, ptrdiff_t y_row, const T* dy, ptrdiff_t dy_row, T* dx,
                             ptrdiff_t dx_row);
    void (*log_softmax)(Shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row);
    void (*log_softmax_backward)(Shape, const T* y, ptrdiff_t y_row, const T* dy, ptrdiff_t dy_row, T* dx,
                                 ptrdiff_t dx_row);
    void (*normalize_rows)(Shape, const T* x, ptrdiff_t x_row, T eps, bool center, T* u, ptrdiff_t u_row,
                           T* rstd);
    void (*normalize_rows_backward)(Shape, const T* u, ptrdiff_t u_row, const T* du, ptrdiff_t du_row,
                                    const T* rstd, bool center, T* dx, ptrdiff_t dx_row);
    void (*affine)(Shape, const T* x, ptrdiff_t x_row, const T* scale, const T* shift, T* y, ptrdiff_t y_row);
    void (*column_products)(Shape, const T* a, ptrdiff_t a_row, const T* b, ptrdiff_t b_row, T* out,
                            bool add);
    void (*column_moments)(Shape, const T* x, ptrdiff_t x_row, T* mean, T* variance);
    void (*normalize_columns)(Shape, const T* x, ptrdiff_t x_row, const T* mean, const T* rstd, T* u,
                              ptrdiff_t u_row);
    void (*normalize_columns_backward)(Shape, const T* u, ptrdiff_t u_row, const T* dy, ptrdiff_t dy_row,
                                       const T* factor, const T* mean, const T* along, T* dx,
                                       ptrdiff_t dx_row);
};

template <class T>
struct Products {
    void (*gemm)(const Gemm<T>&);
    /// out (cols) = or += sum of the rows of x in order
    void (*column_sums)(Shape, const T* x, ptrdiff_t x_row, T* out, bool add);
    void (*transpose)(Shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row);
};

template <class T>
struct SparseProducts {
    void (*gemm)(const SparseGemm<T>&);
};

/// Products of bfloat16: a and b of a Gemm are pairs, one in the 32 bits of each element, and k counts them.
struct Bf16Products {
    void (*gemm)(const Gemm<float>&);
    /// out[j] = the pair low[j], high[j] rounded to nearest even; high is 0 from `highs` on.
    void (*pack_pairs)(ptrdiff_t n, const float* low, const float* high, ptrdiff_t highs, float* out);
};

template <class T>
struct Activations {
    ActivationKernel<T> kind[activation_count];
};

template <class T>
struct Losses {
    LossKernel<T> kind[loss_count];
};

template <class T>
struct Updates {
    UpdateKernel<T> kind[optimizer_count];
};

template <class T>
struct Functions {
    void (*kind[function_count])(ptrdiff_t n, const T* x, T* y);
};

/// Loops over arrays without rows.
template <class T>
struct Flat {
    /// sum of x[i] * weight[i] (weight null: 1) in double, over 16 lanes joined in a fixed tree
    double (*weighted_sum)(ptrdiff_t n, const T* x, const T* weight);
    double (*squared_norm)(ptrdiff_t n, const T* x);
    void (*scale)(ptrdiff_t n, T* x, T factor);
    /// index of the first NaN or infinity, n when there is none
    ptrdiff_t (*first_nonfinite)(ptrdiff_t n, const T* x);
};

template <class T>
struct Random {
    /// out[i] = word first + i of the Philox4x32-10 stream (key, step)
    void (*words)(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out);
    void (*dropout)(const DropoutCall<T>&);
};

/// Name of the instruction set in use.
const char* isa();

extern int row_in_use;  // -1 before the first use
int choose_row();

/// Place of the instruction set in use among those of this build.
inline int row() {
    const int row = __atomic_load_n(&row_in_use, __ATOMIC_ACQUIRE);
    return row >= 0 ? row : choose_row();
}

/// Whether it is used with the processor's own instruction for bfloat16.
bool has_bf16_instruction();

/// The tables of each family, a row an instruction set; table.cpp fills them.
template <class T>
struct Tables {
#define CMLP_FAMILY(name, Type) static const Type<T>* const name[];
    CMLP_FAMILIES(CMLP_FAMILY)
#undef CMLP_FAMILY
};
#define CMLP_FAMILY(name, Type)                     \
    template <>                                     \
    const Type<float>* const Tables<float>::name[]; \
    template <>                                     \
    const Type<double>* const Tables<double>::name[];
CMLP_FAMILIES(CMLP_FAMILY)
#undef CMLP_FAMILY

/// products<T>(), losses<T>() ...: a family's table for the instruction set in use.
#define CMLP_FAMILY(name, Type)         \
    template <class T>                  \
    const Type<T>& name() {             \
        return *Tables<T>::name[row()]; \
    }
CMLP_FAMILIES(CMLP_FAMILY)
#undef CMLP_FAMILY

/// The products of bfloat16: by the processor's own instruction where there is one, in its steps elsewhere.
const Bf16Products& bf16();

}  // namespace cmlp::kernels
