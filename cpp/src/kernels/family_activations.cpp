// Family activations: a row of activations.def each, of one instruction set.
#include "activations.hpp"
#include "export.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Activations<T> table = {{
#define CMLP_ACTIVATION(name, ...) \
    {activation_forward<act::name, T>, activation_backward<act::name, T>, act::name::keep},
#include <cmlp/lists/activations.def>
                                  },
                                  parametric_backward<T>};

}  // namespace

CMLP_EXPORT(activations, Activations)

}  // namespace cmlp::kernels::CMLP_ISA
