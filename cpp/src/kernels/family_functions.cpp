// Family functions: a row of functions.def each, of one instruction set.
#include "export.hpp"
#include "map.hpp"
#include "math.hpp"

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
constexpr Functions<T> table = {{
#define CMLP_FUNCTION(name, ...) function_##name<T>,
#include <cmlp/lists/functions.def>
}};

}  // namespace

CMLP_EXPORT(functions, Functions)

}  // namespace cmlp::kernels::CMLP_ISA
