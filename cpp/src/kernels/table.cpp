// Compiled once per instruction set: fills the table from the lists and exports nothing else.
#include "activations.hpp"
#include "bf16.hpp"
#include "gemm.hpp"
#include "losses.hpp"
#include "norms.hpp"
#include "optimizers.hpp"
#include "philox.hpp"
#include "sparse.hpp"

#define CMLP_TEXT_(x) #x
#define CMLP_TEXT(x) CMLP_TEXT_(x)

namespace cmlp::kernels::CMLP_ISA {
namespace {

#define CMLP_FUNCTION(name, ...)                                          \
    template <class T>                                                    \
    void function_##name(ptrdiff_t n, const T* x, T* y) {                 \
        sweep<T>(n, [&](ptrdiff_t j, ptrdiff_t left) {                    \
            math::name(Vec<T>::load_n(x + j, left)).store_n(y + j, left); \
        });                                                               \
    }
#include <cmlp/lists/functions.def>

template <class T>
constexpr Kernels<T> kernels_of = {
    gemm<T>,
    sparse_gemm<T>,
    {
#define CMLP_ACTIVATION(name, ...) \
    {activation_forward<act::name, T>, activation_backward<act::name, T>, act::name::keep},
#include <cmlp/lists/activations.def>
    },
    {
#define CMLP_LOSS(name, ...) loss_kernel<loss::name, T>,
#include <cmlp/lists/losses.def>
    },
    {
#define CMLP_OPTIMIZER(name, ...) {opt::name::prepare<T>, update<opt::name, T>, opt::name::slots},
#include <cmlp/lists/optimizers.def>
    },
    {
#define CMLP_FUNCTION(name, ...) function_##name<T>,
#include <cmlp/lists/functions.def>
    },
    softmax<T>,
    softmax_backward<T>,
    dropout<T>,
    column_sums<T>,
    transpose<T>,
    weighted_sum<T>,
    squared_norm<T>,
    multiply_by<T>,
    first_nonfinite<T>,
    {log_softmax<T>, log_softmax_backward<T>, normalize_rows<T>, normalize_rows_backward<T>, affine<T>,
     column_products<T>, column_moments<T>, normalize_columns<T>, normalize_columns_backward<T>},
};

}  // namespace

extern const Table table;
const Table table = {
    CMLP_TEXT(CMLP_ISA), kernels_of<float>, kernels_of<double>, random, {bf16_gemm, pack_pairs}};

}  // namespace cmlp::kernels::CMLP_ISA
