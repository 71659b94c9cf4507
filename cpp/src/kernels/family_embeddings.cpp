// Family embeddings: embeddings of numbers, of one instruction set.
#include "export.hpp"
#include "periodic.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
constexpr Embeddings<T> table = {periodic_forward<T>, periodic_backward<T>};

}  // namespace

CMLP_EXPORT(embeddings, Embeddings)

}  // namespace cmlp::kernels::CMLP_ISA
