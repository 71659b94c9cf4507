// Family losses: a row of losses.def each, of one instruction set.
#include "export.hpp"
#include "losses.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Losses<T> table = {{
#define CMLP_LOSS(name, ...) loss_kernel<loss::name, T>,
#include <cmlp/lists/losses.def>
}};

}  // namespace

CMLP_EXPORT(losses, Losses)

}  // namespace cmlp::kernels::CMLP_ISA
