// Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Integers only: any
// compiler, same bits.
#pragma once

#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Blocks of four words made side by side, each word in 64 bits so that products fit.
constexpr int philox_blocks = 8;
typedef uint64_t Words __attribute__((vector_size(8 * philox_blocks)));

// Words 4 * block ... 4 * (block + philox_blocks) - 1 of the stream (key, step).
CMLP_INLINE void philox(uint64_t key, uint64_t step, uint64_t block, uint32_t* out) {
    constexpr uint64_t low = 0xffffffff;
    const Words at = Words{0, 1, 2, 3, 4, 5, 6, 7} + block;
    Words c0 = at & low, c1 = at >> 32, c2 = Words{} + (step & low), c3 = Words{} + (step >> 32);
    uint64_t k0 = key & low, k1 = key >> 32;
    for (int round = 0; round < 10; ++round) {
        const Words p0 = c0 * 0xD2511F53u, p1 = c2 * 0xCD9E8D57u;
        c0 = (p1 >> 32) ^ c1 ^ k0;
        c1 = p1 & low;
        c2 = (p0 >> 32) ^ c3 ^ k1;
        c3 = p0 & low;
        k0 = (k0 + 0x9E3779B9u) & low;
        k1 = (k1 + 0xBB67AE85u) & low;
    }
    const Words first = c0 | c1 << 32, second = c2 | c3 << 32;
    for (int i = 0; i < philox_blocks; ++i) {
        out[4 * i] = uint32_t(first[i]), out[4 * i + 1] = uint32_t(first[i] >> 32);
        out[4 * i + 2] = uint32_t(second[i]), out[4 * i + 3] = uint32_t(second[i] >> 32);
    }
}

void random(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out) {
    constexpr ptrdiff_t made = 4 * philox_blocks;
    uint32_t words[made];
    for (ptrdiff_t i = 0; i < n;) {
        const uint64_t index = first + uint64_t(i);
        philox(key, step, index / 4, words);
        for (ptrdiff_t at = ptrdiff_t(index % 4); at < made && i < n; ++at) out[i++] = words[at];
    }
}

// Inverted dropout: kept elements are scaled by 1 / (1 - p), so that the expectation stays.
template <class T>
void dropout(const DropoutCall<T>& call) {
    const T factor = call.p < 1 ? T(1 / (1 - call.p)) : T(0);
    const uint64_t threshold =
        uint64_t(call.p * 4294967296.0);  // an element is kept when its word >= threshold
    constexpr ptrdiff_t block = 256;
    uint32_t words[block];
    for (ptrdiff_t i = 0; i < call.n; i += block) {
        const ptrdiff_t count = call.n - i < block ? call.n - i : block;
        random(call.key, call.step, call.first + uint64_t(i), count, words);
        for (ptrdiff_t j = 0; j < count; ++j)
            call.y[i + j] = words[j] >= threshold ? call.x[i + j] * factor : T(0);
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
