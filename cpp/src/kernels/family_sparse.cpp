// Family sparse: products with a sparse left side of one instruction set.
#include "export.hpp"
#include "sparse.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr SparseProducts<T> table = {sparse_gemm<T>};

}  // namespace

CMLP_EXPORT(sparse, SparseProducts)

}  // namespace cmlp::kernels::CMLP_ISA
