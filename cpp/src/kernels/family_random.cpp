// Family random: random bits and dropout, of one instruction set.
#include "export.hpp"
#include "philox.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Random<T> table = {random, dropout<T>, dropout_backward<T>};

}  // namespace

CMLP_EXPORT(random, Random)

}  // namespace cmlp::kernels::CMLP_ISA
