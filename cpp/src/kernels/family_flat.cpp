// Family flat: sums, scaling and searches over arrays without rows, of one instruction set.
#include "export.hpp"
#include "map.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Flat<T> table = {weighted_sum<T>, squared_norm<T>, multiply_by<T>, first_nonfinite<T>,
                           is_within<T>};

}  // namespace

CMLP_EXPORT(flat, Flat)

}  // namespace cmlp::kernels::CMLP_ISA
