// Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Integers only: any
// compiler, same bits.
#pragma once

#include "arguments.hpp"
#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

using Words = Int<float>;
constexpr int philox_counters = Words::size;             // side by side
constexpr ptrdiff_t philox_words = 4 * philox_counters;  // made of them
constexpr uint32_t word_sign = uint32_t(1) << 31;        // unsigned words compare like signed ones without it

CMLP_INLINE Words all_lanes(uint64_t low_half) { return Words(static_cast<int32_t>(uint32_t(low_half))); }

// Lane 4 q + m has counter m size / 4 + q, so that 4x4 transposes put the words of the counters in order.
struct CounterLanes {
    int32_t offset[philox_counters];
    constexpr CounterLanes() : offset() {
        for (int i = 0; i < philox_counters; ++i) offset[i] = i % 4 * (philox_counters / 4) + i / 4;
    }
};

// Words 4 counter ... 4 counter + philox_words - 1 of the stream (key, step).
CMLP_INLINE void philox(uint64_t key, uint64_t step, uint64_t counter, int32_t* out) {
    static constexpr CounterLanes lanes;
    const Words low = all_lanes(counter), offset = Words::load(lanes.offset), sign = all_lanes(word_sign);
    Words c[4] = {low + offset, all_lanes(counter >> 32), all_lanes(step), all_lanes(step >> 32)};
    c[1] = c[1] + keep((low ^ sign) > (c[0] ^ sign), Words(1));  // where the lower half has wrapped around
    uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        Words high0, low0, high1, low1;
        Words::multiply_wide(c[0], all_lanes(0xD2511F53u), high0, low0);
        Words::multiply_wide(c[2], all_lanes(0xCD9E8D57u), high1, low1);
        c[0] = high1 ^ c[1] ^ all_lanes(k0);
        c[1] = low1;
        c[2] = high0 ^ c[3] ^ all_lanes(k1);
        c[3] = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    Words::transpose_4(c);
    for (int i = 0; i < 4; ++i) c[i].store(out + i * philox_counters);
}

// out[i] = word first + i of the stream (key, step).
void random(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out) {
    int32_t* to = reinterpret_cast<int32_t*>(out);
    uint64_t counter = first / 4;
    for (ptrdiff_t i = -ptrdiff_t(first % 4); i < n; i += philox_words, counter += philox_counters) {
        if (i >= 0 && i + philox_words <= n) {
            philox(key, step, counter, to + i);
            continue;
        }
        int32_t words[philox_words];
        philox(key, step, counter, words);
        for (ptrdiff_t at = i < 0 ? -i : 0; at < philox_words && i + at < n; ++at) to[i + at] = words[at];
    }
}

// Bit j is set where word j of sixteen is at least the threshold.
CMLP_INLINE uint32_t bits_of_words(const uint32_t* words, uint32_t threshold) {
    const int32_t* from = reinterpret_cast<const int32_t*>(words);
    const Words sign = all_lanes(word_sign), least = all_lanes(threshold ^ word_sign);
    uint32_t bits = 0;
    for (int i = 0; i < 16 / Words::size; ++i) {
        const Words word = Words::load(from + i * Words::size) ^ sign;
        bits |= mask_bits(!(least > word)) << i * Words::size;
    }
    return bits;
}

// y = x factor where the bit of an element is set, else 0; at most sixteen elements.
template <class T>
CMLP_INLINE void scale_kept(ptrdiff_t n, const T* x, uint32_t bits, Vec<T> factor, T* y) {
    using V = Vec<T>;
#pragma GCC unroll 16
    for (int at = 0; at < 16; at += V::size)
        if (at < n) {
            const V v = V::load_n(x + at, n - at) * factor;
            select(Mask<T>::of_bits(bits >> at), v, V(T(0))).store_n(y + at, n - at);
        }
}

template <class T>
CMLP_INLINE Vec<T> dropout_factor(double p) {
    return p < 1 ? T(1 / (1 - p)) : T(0);
}

// Inverted dropout: kept elements are scaled by 1 / (1 - p), so that the expectation stays.
template <class T>
void dropout(const DropoutCall<T>& call) {
    const Vec<T> factor = dropout_factor<T>(call.p);
    const uint64_t threshold = uint64_t(call.p * 4294967296.0);  // kept: words of at least this
    constexpr ptrdiff_t block = 256;
    uint32_t words[block] = {};
    for (ptrdiff_t i = 0; i < call.n; i += block) {
        const ptrdiff_t count = call.n - i < block ? call.n - i : block;
        random(call.key, call.step, call.first + uint64_t(i), count, words);
        for (ptrdiff_t j = 0; j < count; j += 16) {
            const uint32_t bits = threshold >> 32 ? 0 : bits_of_words(words + j, uint32_t(threshold));
            if (call.kept) {
                call.kept[(i + j) / 8] = (unsigned char)(bits);
                call.kept[(i + j) / 8 + 1] = (unsigned char)(bits >> 8);
            }
            scale_kept(count - j, call.x + i + j, bits, factor, call.y + i + j);
        }
    }
}

template <class T>
void dropout_backward(ptrdiff_t n, const unsigned char* kept, double p, const T* dy, T* dx) {
    const Vec<T> factor = dropout_factor<T>(p);
    for (ptrdiff_t i = 0; i < n; i += 16)
        scale_kept(n - i, dy + i, uint32_t(kept[i / 8]) | uint32_t(kept[i / 8 + 1]) << 8, factor, dx + i);
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
