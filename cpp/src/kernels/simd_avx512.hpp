// AVX-512 (F, BW, DQ, VL): 16 floats or 8 doubles.
#pragma once

// GCC 12's own header draws these two warnings wherever its intrinsics are inlined (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
struct Ops;

template <>
struct Ops<float> {
    using Register = __m512;
    using IntRegister = __m512i;
    using MaskRegister = __mmask16;
    using Integer = int32_t;
    static constexpr int size = 16;
    static constexpr bool native_scale = true;
    static constexpr Integer sign_bit = INT32_MIN;
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23
    static constexpr Integer magic_bits = 0x4b400000;

    static CMLP_INLINE Register set(float x) { return _mm512_set1_ps(x); }
    static CMLP_INLINE Register load(const float* p) { return _mm512_loadu_ps(p); }
    static CMLP_INLINE void store(float* p, Register a) { _mm512_storeu_ps(p, a); }
    static CMLP_INLINE Register load_n(const float* p, ptrdiff_t n) {
        return _mm512_maskz_loadu_ps(first_n(n), p);
    }
    static CMLP_INLINE void store_n(float* p, Register a, ptrdiff_t n) {
        _mm512_mask_storeu_ps(p, first_n(n), a);
    }
    static CMLP_INLINE Register load_double(const double* p) {
        const __m256 low = _mm512_cvtpd_ps(_mm512_loadu_pd(p));
        return _mm512_insertf32x8(_mm512_castps256_ps512(low), _mm512_cvtpd_ps(_mm512_loadu_pd(p + 8)), 1);
    }
    static CMLP_INLINE void store_double(double* p, Register a) {
        _mm512_storeu_pd(p, _mm512_cvtps_pd(_mm512_castps512_ps256(a)));
        _mm512_storeu_pd(p + 8, _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)));
    }

    static CMLP_INLINE Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return _mm512_sub_ps(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return _mm512_mul_ps(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return _mm512_div_ps(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return _mm512_fnmadd_ps(a, b, c); }
    static CMLP_INLINE Register sqrt(Register a) { return _mm512_sqrt_ps(a); }
    static CMLP_INLINE Register round(Register a) { return _mm512_roundscale_ps(a, 8); }
    static CMLP_INLINE Register floor(Register a) { return _mm512_roundscale_ps(a, 9); }
    static CMLP_INLINE Register min(Register a, Register b) { return _mm512_min_ps(a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return _mm512_max_ps(a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) {
        return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
    }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
    }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) {
        return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
    }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) { return MaskRegister((1u << n) - 1); }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return a & b; }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return a | b; }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) { return MaskRegister(~a); }
    static CMLP_INLINE bool any(MaskRegister a) { return a != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return a == 0xffff; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return _mm512_mask_blend_ps(m, no, yes);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return _mm512_castps_si512(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return _mm512_castsi512_ps(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return _mm512_set1_epi32(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return _mm512_add_epi32(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return _mm512_sub_epi32(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return _mm512_and_si512(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return _mm512_or_si512(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return _mm512_xor_si512(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) {
        return _mm512_slli_epi32(a, unsigned(n));
    }
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) {
        return _mm512_srai_epi32(a, unsigned(n));
    }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return _mm512_srli_epi32(a, unsigned(n));
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) {
        return _mm512_cmpeq_epi32_mask(a, b);
    }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) {
        return _mm512_cmpgt_epi32_mask(a, b);
    }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return _mm512_maskz_mov_epi32(m, a);
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return _mm512_mask_blend_epi32(m, no, yes);
    }

    static CMLP_INLINE Register scale(Register a, Register n) { return _mm512_scalef_ps(a, n); }
    static CMLP_INLINE Register lookup(const float (&table)[16], IntRegister i) {
        return _mm512_permutexvar_ps(i, load(table));
    }
    static CMLP_INLINE IntRegister load_int(const Integer* p) { return _mm512_loadu_si512(p); }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) { return a; }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) { return MaskRegister(bits); }
    static CMLP_INLINE float first(Register a) { return _mm512_cvtss_f32(a); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        if constexpr (step == 8) return _mm512_shuffle_f32x4(a, a, 0x4e);
        if constexpr (step == 4) return _mm512_shuffle_f32x4(a, a, 0xb1);
        if constexpr (step == 2) return _mm512_permute_ps(a, 0x4e);
        return _mm512_permute_ps(a, 0xb1);
    }
};

template <>
struct Ops<double> {
    using Register = __m512d;
    using IntRegister = __m512i;
    using MaskRegister = __mmask8;
    using Integer = int64_t;
    static constexpr int size = 8;
    static constexpr bool native_scale = true;
    static constexpr Integer sign_bit = INT64_MIN;
    static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr Integer magic_bits = 0x4338000000000000;

    static CMLP_INLINE Register set(double x) { return _mm512_set1_pd(x); }
    static CMLP_INLINE Register load(const double* p) { return _mm512_loadu_pd(p); }
    static CMLP_INLINE void store(double* p, Register a) { _mm512_storeu_pd(p, a); }
    static CMLP_INLINE Register load_n(const double* p, ptrdiff_t n) {
        return _mm512_maskz_loadu_pd(first_n(n), p);
    }
    static CMLP_INLINE void store_n(double* p, Register a, ptrdiff_t n) {
        _mm512_mask_storeu_pd(p, first_n(n), a);
    }
    static CMLP_INLINE Register load_double(const double* p) { return load(p); }
    static CMLP_INLINE void store_double(double* p, Register a) { store(p, a); }

    static CMLP_INLINE Register add(Register a, Register b) { return _mm512_add_pd(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return _mm512_sub_pd(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return _mm512_mul_pd(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return _mm512_div_pd(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return _mm512_fmadd_pd(a, b, c); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return _mm512_fnmadd_pd(a, b, c); }
    static CMLP_INLINE Register sqrt(Register a) { return _mm512_sqrt_pd(a); }
    static CMLP_INLINE Register round(Register a) { return _mm512_roundscale_pd(a, 8); }
    static CMLP_INLINE Register floor(Register a) { return _mm512_roundscale_pd(a, 9); }
    static CMLP_INLINE Register min(Register a, Register b) { return _mm512_min_pd(a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return _mm512_max_pd(a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) {
        return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
    }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ);
    }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) {
        return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
    }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) { return MaskRegister((1u << n) - 1); }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return a & b; }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return a | b; }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) { return MaskRegister(~a); }
    static CMLP_INLINE bool any(MaskRegister a) { return a != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return a == 0xff; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return _mm512_mask_blend_pd(m, no, yes);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return _mm512_castpd_si512(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return _mm512_castsi512_pd(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return _mm512_set1_epi64(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return _mm512_add_epi64(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return _mm512_sub_epi64(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return _mm512_and_si512(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return _mm512_or_si512(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return _mm512_xor_si512(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) {
        return _mm512_slli_epi64(a, unsigned(n));
    }
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) {
        return _mm512_srai_epi64(a, unsigned(n));
    }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return _mm512_srli_epi64(a, unsigned(n));
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) {
        return _mm512_cmpeq_epi64_mask(a, b);
    }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) {
        return _mm512_cmpgt_epi64_mask(a, b);
    }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return _mm512_maskz_mov_epi64(m, a);
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return _mm512_mask_blend_epi64(m, no, yes);
    }

    static CMLP_INLINE Register scale(Register a, Register n) { return _mm512_scalef_pd(a, n); }
    static CMLP_INLINE Register lookup(const double (&table)[16], IntRegister i) {
        return _mm512_permutex2var_pd(load(table), i, load(table + 8));
    }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) { return a; }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) { return MaskRegister(bits); }
    static CMLP_INLINE void store_int(Integer* p, IntRegister a) { _mm512_storeu_si512(p, a); }
    static CMLP_INLINE IntRegister load_int(const Integer* p) { return _mm512_loadu_si512(p); }
    static CMLP_INLINE IntRegister multiply_halves(IntRegister a, IntRegister b) {
        return _mm512_mul_epu32(a, b);
    }
    static CMLP_INLINE void zip(IntRegister& a, IntRegister& b) {
        const IntRegister low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
        const IntRegister high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
        const IntRegister first = _mm512_permutex2var_epi64(a, low, b);
        b = _mm512_permutex2var_epi64(a, high, b);
        a = first;
    }
    static CMLP_INLINE double first(Register a) { return _mm512_cvtsd_f64(a); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        if constexpr (step == 4) return _mm512_shuffle_f64x2(a, a, 0x4e);
        if constexpr (step == 2) return _mm512_shuffle_f64x2(a, a, 0xb1);
        return _mm512_permute_pd(a, 0x55);
    }
};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
