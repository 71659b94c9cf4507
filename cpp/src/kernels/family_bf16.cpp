// Family bf16: products of bfloat16, by an instruction of their own or in its steps, as the flags of the set allow.
#include "bf16.hpp"

namespace cmlp::kernels::CMLP_ISA {

extern const Bf16Products table_bf16;
const Bf16Products table_bf16 = {bf16_gemm, pack_pairs};

}  // namespace cmlp::kernels::CMLP_ISA
