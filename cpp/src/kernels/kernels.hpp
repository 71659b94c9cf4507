// The one interface to the vector code: tables of function pointers, one a family and number type, filled once per
// instruction set. The linker leaves out what no call uses, so a program keeps the families that it uses.
// Plain pointers and sizes only. Matrices are row-major; `x_row` is the distance between rows in elements.
#pragma once

#include "arguments.hpp"
#include "families.hpp"

namespace cmlp::kernels {

template <class T>
struct ActivationKernel {
    /// y = f(z), or with a share for each column z + share (f(z) - z)
    void (*forward)(Shape, const T* z, ptrdiff_t z_row, const T* share, T* y, ptrdiff_t y_row,
                    const T* parameters);
    void (*backward)(const ActivationGradient<T>&, const T* parameters);
    Keep keep;
};

template <class T>
struct LossKernel {
    void (*run)(const LossCall<T>&);
    bool elementwise;   ///< a value for each element; otherwise one a row
    bool takes_labels;  ///< accepts class indices
    int width;          ///< predictions for one target; 0: one for each entry of `column`
    bool joint;         ///< one value for all predictions of a target
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
    /// A backward with shares: dshare = or += its sums, chains over chunks of rows that are folded in order
    void (*parametric_backward)(void (*backward)(const ActivationGradient<T>&, const T*),
                                ActivationGradient<T>, T* dshare, bool add, const T* parameters);
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
    /// whether all are in [-limit, limit]; a NaN is not
    bool (*is_within)(ptrdiff_t n, const T* x, T limit);
};

template <class T>
struct Random {
    /// out[i] = word first + i of the Philox4x32-10 stream (key, step)
    void (*words)(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out);
    void (*dropout)(const DropoutCall<T>&);
    /// dx = dy * keep / (1 - p) with the bits that dropout has kept
    void (*dropout_backward)(ptrdiff_t n, const unsigned char* kept, double p, const T* dy, T* dx);
};

template <class T>
struct Embeddings {
    /// y (outputs + 1, rows)
    void (*periodic_forward)(const PeriodicCall<T>&, T* y, ptrdiff_t y_row);
    void (*periodic_backward)(const PeriodicCall<T>&, const PeriodicGradients<T>&);
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
