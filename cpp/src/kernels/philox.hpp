// Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Integers only: any
// compiler, same bits.
#pragma once

#include "arguments.hpp"
#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Words of 32 bits; and lanes of 64 bits with one of them in the lower half, so that products fit.
using Words = Int<float>;
using Lanes64 = Int<double>;
constexpr int philox_groups = 2;                                // of counters, side by side
constexpr int philox_counters = philox_groups * Lanes64::size;  // one a lane
constexpr ptrdiff_t philox_words = 4 * philox_counters;         // made of them
constexpr uint32_t word_sign = uint32_t(1) << 31;  // unsigned words compare like signed ones without it

CMLP_INLINE Words all_lanes(uint32_t word) { return Words(static_cast<int32_t>(word)); }
CMLP_INLINE Lanes64 all_lanes_64(uint64_t value) { return Lanes64(static_cast<int64_t>(value)); }

// The keys of the rounds, made once for many counters.
struct RoundKeys {
    int64_t low[10], high[10];
    explicit RoundKeys(uint64_t key) {
        for (uint32_t round = 0; round < 10; ++round) {
            low[round] = int64_t(uint32_t(key) + round * 0x9E3779B9u);
            high[round] = int64_t(uint32_t(key >> 32) + round * 0xBB67AE85u);
        }
    }
};

// Words 4 counter ... 4 counter + philox_words - 1 of the stream (key, step). The upper halves may hold anything.
CMLP_INLINE void philox(const RoundKeys& keys, uint64_t step, uint64_t counter, int64_t* out) {
    static constexpr int64_t lanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    Lanes64 c[philox_groups][4];
    for (int g = 0; g < philox_groups; ++g) {
        c[g][0] = all_lanes_64(counter + uint64_t(g * Lanes64::size)) + Lanes64::load(lanes);
        c[g][1] = shift_right_logical(c[g][0], 32);
        c[g][2] = all_lanes_64(step);
        c[g][3] = all_lanes_64(step >> 32);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round)
        for (auto& w : c) {
            const Lanes64 p0 = Lanes64::multiply_halves(w[0], all_lanes_64(0xD2511F53u));
            const Lanes64 p1 = Lanes64::multiply_halves(w[2], all_lanes_64(0xCD9E8D57u));
            w[0] = shift_right_logical(p1, 32) ^ w[1] ^ Lanes64(keys.low[round]);
            w[1] = p1;
            w[2] = shift_right_logical(p0, 32) ^ w[3] ^ Lanes64(keys.high[round]);
            w[3] = p0;
        }
    const Lanes64 low = all_lanes_64(0xffffffff);
    for (auto& w : c) {
        Lanes64 first = (w[0] & low) | (w[1] << 32), second = (w[2] & low) | (w[3] << 32);
        Lanes64::zip(first, second);
        first.store(out);
        second.store(out + Lanes64::size);
        out += 2 * Lanes64::size;
    }
}

// out[i] = word first + i of the stream (key, step).
void draw(const RoundKeys& keys, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out) {
    uint64_t counter = first / 4;
    for (ptrdiff_t i = -ptrdiff_t(first % 4); i < n; i += philox_words, counter += philox_counters) {
        int64_t words[philox_words / 2];
        philox(keys, step, counter, words);
        const ptrdiff_t skip = i < 0 ? -i : 0, rest = n - i < philox_words ? n - i : philox_words;
        if (rest - skip == philox_words)
            __builtin_memcpy(out + i, words, sizeof words);
        else
            __builtin_memcpy(out + i + skip, reinterpret_cast<const uint32_t*>(words) + skip,
                             size_t(rest - skip) * sizeof(uint32_t));
    }
}

void random(uint64_t key, uint64_t step, uint64_t first, ptrdiff_t n, uint32_t* out) {
    draw(RoundKeys(key), step, first, n, out);
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
    const RoundKeys keys(call.key);
    constexpr ptrdiff_t block = 256;
    uint32_t words[block];
    for (ptrdiff_t i = 0; i < call.n; i += block) {
        const ptrdiff_t count = call.n - i < block ? call.n - i : block;
        draw(keys, call.step, call.first + uint64_t(i), count, words);
        for (ptrdiff_t j = count; j % 16 != 0; ++j) words[j] = 0;
        for (ptrdiff_t j = 0; j < count; j += 16) {
            const uint32_t bits = threshold >> 32 ? 0 : bits_of_words(words + j, uint32_t(threshold));
            const uint16_t half = uint16_t(bits);
            if (call.kept) __builtin_memcpy(call.kept + (i + j) / 8, &half, sizeof half);
            scale_kept(count - j, call.x + i + j, bits, factor, call.y + i + j);
        }
    }
}

template <class T>
void dropout_backward(ptrdiff_t n, const unsigned char* kept, double p, const T* dy, T* dx) {
    const Vec<T> factor = dropout_factor<T>(p);
    for (ptrdiff_t i = 0; i < n; i += 16) {
        uint16_t half;
        __builtin_memcpy(&half, kept + i / 8, sizeof half);
        scale_kept(n - i, dy + i, half, factor, dx + i);
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
