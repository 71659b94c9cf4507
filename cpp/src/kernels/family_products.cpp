// Family products: dense products, column sums and transposed copies of one instruction set.
#include "export.hpp"
#include "gemm.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Products<T> table = {gemm<T>, column_sums<T>, transpose<T>};

}  // namespace

CMLP_EXPORT(products, Products)

}  // namespace cmlp::kernels::CMLP_ISA
