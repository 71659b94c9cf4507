// The products of bfloat16 by an instruction of their own: compiled beside the tables, for the sets that have one.
#include "bf16.hpp"

namespace cmlp::kernels::CMLP_ISA {

extern const Bf16Kernels table_bf16;
const Bf16Kernels table_bf16 = {bf16_gemm, pack_pairs};

}  // namespace cmlp::kernels::CMLP_ISA
