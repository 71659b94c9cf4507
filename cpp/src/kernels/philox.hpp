// Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Integers only: any compiler, same bits.
#pragma once

#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Words 4 * block ... 4 * block + 3 of the stream (key, step).
CMLP_INLINE void philox(uint64_t key, uint64_t step, uint64_t block, uint32_t out[4]) {
    uint32_t c0 = uint32_t(block), c1 = uint32_t(block >> 32), c2 = uint32_t(step), c3 = uint32_t(step >> 32);
    uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
        c0 = uint32_t(p1 >> 32) ^ c1 ^ k0;
        c1 = uint32_t(p1);
        c2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
        c3 = uint32_t(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void random(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out) {
    uint32_t words[4];
    for (ptrdiff_t i = 0; i < n;) {
        const uint64_t index = first + uint64_t(i);
        philox(key, step, index / 4, words);
        for (uint64_t lane = index % 4; lane < 4 && i < n; ++lane) out[i++] = words[lane];
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
