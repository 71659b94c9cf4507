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

#if defined(__AVX512BF16__)
struct PairLink : FmaLink<float> {
    using V = Vec<float>;
    static CMLP_INLINE V start(V bias) { return flushed(bias); }
    CMLP_INLINE V go_on(V factor, V row, V sum) {
        return V::of(_mm512_dpbf16_ps(sum.r, (__m512bh)bits(factor).r, (__m512bh)bits(row).r));
    }
};
#elif !defined(CMLP_SCALAR) && defined(__FMA__)
// The processor's mode in which subnormal numbers are zeros is the instruction's own arithmetic; it is on
// from the first link of a tile to the last. The empty statements keep the links between the two changes of
// mode.
struct PairLink : FmaLink<float> {
    using V = Vec<float>;
    static constexpr int vectors = many_registers ? 3 : 2;
    static constexpr bool streams = false;
    static constexpr int rows(int) { return many_registers ? 6 : 4; }

    unsigned callers_mode;

    static CMLP_INLINE void hold(V* sum, int count) {
#pragma GCC unroll 32
        for (int i = 0; i < count; ++i) asm volatile("" : "+v"(sum[i].r));
    }
    static CMLP_INLINE V start(V bias) { return flushed(bias); }
    CMLP_INLINE void begin(V* sum, int count) {
        constexpr unsigned nearest_no_exceptions = 0x1f80, flush_results = 0x8000, flush_operands = 0x40;
        callers_mode = __builtin_ia32_stmxcsr();
        hold(sum, count);
        __builtin_ia32_ldmxcsr(nearest_no_exceptions | flush_results | flush_operands);
        hold(sum, count);
    }
    CMLP_INLINE void end(V* sum, int count) {
        hold(sum, count);
        __builtin_ia32_ldmxcsr(callers_mode);
        hold(sum, count);
    }
    CMLP_INLINE V go_on(V factor, V row, V sum) {
        const Int<float> upper(int32_t(0xffff0000));
        const V odd = fma(from_bits(bits(factor) & upper), from_bits(bits(row) & upper), sum);
        return fma(from_bits(bits(factor) << 16), from_bits(bits(row) << 16), odd);
    }
};
#else
inline float exact_fma(float a, float b, float c) {
    const float sum = __builtin_fmaf(a, b, c);
    // What rounds to the smallest normal number from below it among subnormal ones counts as subnormal, unless it would
    // have rounded so with an exponent of any size: it must be within a quarter of the last place.
    const double exact = double(a) * double(b) + double(c), least = double(smallest_normal) * (1 - 0x1p-25);
    const bool zero = __builtin_fabsf(sum) <= smallest_normal && __builtin_fabs(exact) < least;
    return zero ? __builtin_copysignf(0.0f, sum) : sum;
}

// Small tiles: a link is many instructions, and this is the path of processors without the instruction that
// they replace.
struct PairLink {
    using V = Vec<float>;
    using Bits = Int<float>;
    static constexpr int vectors = 2;
    static constexpr bool streams = false, checks = true;
    static constexpr int rows(int) { return 4; }

    Bits small{
        0};  // the bits of all magnitudes up to the smallest normal number: its own are one, which no other has

    static CMLP_INLINE V start(V bias) { return flushed(bias); }
    CMLP_INLINE void begin(V*, int) {}
    CMLP_INLINE void end(V*, int) {}
    static CMLP_INLINE V even(V pair) { return from_bits(bits(pair) << 16); }
    static CMLP_INLINE V odd(V pair) { return from_bits(bits(pair) & Bits(int32_t(0xffff0000))); }

    CMLP_INLINE V flushed_fma(V a, V b, V c) {
        const V sum = fma(a, b, c), size = abs(sum);
        const Bits to_zero = keep(size <= V(smallest_normal), bits(size));
        small = small | to_zero;
        return from_bits(bits(sum) ^ to_zero);
    }

    CMLP_INLINE V go_on(V factor, V row, V sum) {
        return flushed_fma(even(factor), even(row), flushed_fma(odd(factor), odd(row), sum));
    }

    CMLP_INLINE bool failed() const { return any((small & Bits(0x00800000)) != Bits(0)); }

    // The chains of a block of rows and columns one after the other, by exact_fma.
    __attribute__((noinline, cold)) static void exactly(const Gemm<float>& g, ptrdiff_t i, ptrdiff_t j,
                                                        ptrdiff_t rows, ptrdiff_t cols, float* out,
                                                        ptrdiff_t out_row) {
        const auto half = [](const float* pair, int shift, uint32_t mask) {
            uint32_t raw;
            __builtin_memcpy(&raw, pair, sizeof raw);
            return __builtin_bit_cast(float, (raw << shift) & mask);
        };
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t c = 0; c < cols; ++c) {
                float sum = g.bias ? g.bias[j + c] : 0.0f;
                if (__builtin_fabsf(sum) < smallest_normal) sum = __builtin_copysignf(0.0f, sum);
                const float *a = g.a + (i + r) * g.a_row, *b = g.b + j + c;
                for (ptrdiff_t p = 0; p < g.k; ++p, a += g.a_col, b += g.b_row) {
                    sum = exact_fma(half(a, 0, 0xffff0000), half(b, 0, 0xffff0000), sum);
                    sum = exact_fma(half(a, 16, ~0u), half(b, 16, ~0u), sum);
                }
                out[r * out_row + c] = sum;
            }
    }
};
#endif

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
