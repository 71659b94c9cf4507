// Family rows: softmax, norms and sums along rows or columns, of one instruction set.
#include "export.hpp"
#include "norms.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Rows<T> table = {softmax<T>,
                           softmax_backward<T>,
                           log_softmax<T>,
                           log_softmax_backward<T>,
                           normalize_rows<T>,
                           normalize_rows_backward<T>,
                           affine<T>,
                           column_products<T>,
                           column_moments<T>,
                           normalize_columns<T>,
                           normalize_columns_backward<T>};

}  // namespace

CMLP_EXPORT(rows, Rows)

}  // namespace cmlp::kernels::CMLP_ISA
