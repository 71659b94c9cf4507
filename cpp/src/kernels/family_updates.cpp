// Family updates: the rules of optimizers.def, of one instruction set.
#include "export.hpp"
#include "optimizers.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Updates<T> table = {{
#define CMLP_OPTIMIZER(name, ...) {opt::name::prepare<T>, update<opt::name, T>, opt::name::slots},
#include <cmlp/lists/optimizers.def>
}};

}  // namespace

CMLP_EXPORT(updates, Updates)

}  // namespace cmlp::kernels::CMLP_ISA
