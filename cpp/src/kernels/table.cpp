// Joins what the families' files export: of each family a row of pointers, one an instruction set. Compiled once.
#include <cmlp_isas.def>

#include "kernels.hpp"

namespace cmlp::kernels {

#define CMLP_FAMILY(name, Type)                    \
    extern const Type<float> table_##name##_float; \
    extern const Type<double> table_##name##_double;
#define CMLP_ISA_ROW(isa)                 \
    namespace isa {                       \
    CMLP_FAMILIES(CMLP_FAMILY)            \
    extern const Bf16Products table_bf16; \
    }
CMLP_ISAS(CMLP_ISA_ROW)
#undef CMLP_FAMILY

#define CMLP_POINTER(isa, table) &isa::table,
#define CMLP_FAMILY(name, Type)                                    \
    template <>                                                    \
    constinit const Type<float>* const Tables<float>::name[] = {   \
        CMLP_ISAS(CMLP_POINTER, table_##name##_float)};            \
    template <>                                                    \
    constinit const Type<double>* const Tables<double>::name[] = { \
        CMLP_ISAS(CMLP_POINTER, table_##name##_double)};
CMLP_FAMILIES(CMLP_FAMILY)

#if defined(CMLP_BF16_ISA)
namespace CMLP_BF16_ISA {
extern const Bf16Products table_bf16;
}
#endif

const Bf16Products& bf16() {
    static constexpr const Bf16Products* in_steps[] = {CMLP_ISAS(CMLP_POINTER, table_bf16)};
#if defined(CMLP_BF16_ISA)
    if (has_bf16_instruction()) return CMLP_BF16_ISA::table_bf16;
#endif
    return *in_steps[row()];
}

}  // namespace cmlp::kernels
