// Products of bfloat16 numbers in pairs, as the instruction vdpbf16ps of AVX512-BF16 has them; in its steps elsewhere.
//
// A lane's 32 bits are a pair: the even one below, the odd one above. A link of a chain is
// even * even' + (odd * odd' + sum), two fma in float32, in which subnormal operands and results count as 0.
#pragma once

#include "gemm.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

constexpr float smallest_normal = 0x1p-126f;

// Subnormal numbers to zeros of their sign.
CMLP_INLINE Vec<float> flushed(Vec<float> v) {
    const Vec<float> zero = from_bits(bits(v) & Int<float>(INT32_MIN));
    return select(abs(v) < Vec<float>(smallest_normal), zero, v);
}

struct PairLink {
    using V = Vec<float>;
    using Bits = Int<float>;

    static CMLP_INLINE V start(V bias) { return flushed(bias); }

#if defined(__AVX512BF16__)
    static CMLP_INLINE V go_on(V factor, V row, V sum) {
        return V::of(_mm512_dpbf16_ps(sum.r, (__m512bh)bits(factor).r, (__m512bh)bits(row).r));
    }
#else
    static CMLP_INLINE V even(V pair) { return from_bits(bits(pair) << 16); }
    static CMLP_INLINE V odd(V pair) { return from_bits(bits(pair) & Bits(int32_t(0xffff0000))); }

    // What rounds to the smallest normal number from below it among subnormal ones counts as subnormal, unless it would
    // have rounded so with an exponent of any size: it must be within a quarter of the last place.
    static CMLP_INLINE V flushed_fma(V a, V b, V c) {
        const V sum = fma(a, b, c), size = abs(sum);
        if (any(size == V(smallest_normal))) [[unlikely]]
            return at_the_limit(a, b, c, sum);
        return select(size < V(smallest_normal), from_bits(bits(sum) & Bits(INT32_MIN)), sum);
    }

    static V at_the_limit(V a, V b, V c, V sum) {
        float x[V::size], y[V::size], z[V::size], s[V::size];
        a.store(x), b.store(y), c.store(z), sum.store(s);
        for (int i = 0; i < V::size; ++i) {
            const double exact = double(x[i]) * double(y[i]) + double(z[i]);
            const double least = double(smallest_normal) * (1 - 0x1p-25);
            if (__builtin_fabsf(s[i]) <= smallest_normal && __builtin_fabs(exact) < least)
                s[i] = __builtin_copysignf(0.0f, s[i]);
        }
        return V::load(s);
    }

    static CMLP_INLINE V go_on(V factor, V row, V sum) {
        return flushed_fma(even(factor), even(row), flushed_fma(odd(factor), odd(row), sum));
    }
#endif
};

// The nearest bfloat16, ties to even, in the upper half of each lane; subnormal numbers are zeros.
CMLP_INLINE Int<float> to_bf16(Vec<float> v) {
    using Bits = Int<float>;
    const Bits raw = bits(flushed(v)), odd = shift_right_logical(raw, 16) & Bits(1);
    const Bits rounded = select(isnan(v), raw | Bits(0x400000), raw + Bits(0x7fff) + odd);
    return rounded & Bits(int32_t(0xffff0000));
}

// out[j] = the pair of low[j] and high[j], which is 0 from `highs` on.
inline void pack_pairs(ptrdiff_t n, const float* low, const float* high, ptrdiff_t highs, float* out) {
    sweep<float>(n, [&](ptrdiff_t j, ptrdiff_t left) {
        using V = Vec<float>;
        const ptrdiff_t there = highs - j < left ? highs - j : left;
        const V above = there > 0 ? V::load_n(high + j, there) : V(0.0f);
        const Int<float> below = shift_right_logical(to_bf16(V::load_n(low + j, left)), 16);
        from_bits(to_bf16(above) | below).store_n(out + j, left);
    });
}

void bf16_gemm(const Gemm<float>& g) { products<PairLink>(g); }

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
