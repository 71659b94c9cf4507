// AVX2 with FMA: 8 floats or 4 doubles; a mask is a register of all-ones and all-zeros lanes.
#pragma once

#include <immintrin.h>

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
struct Ops;

template <>
struct Ops<float> {
    using Register = __m256;
    using IntRegister = __m256i;
    using MaskRegister = __m256;
    using Integer = int32_t;
    static constexpr int size = 8;
    static constexpr bool native_scale = false;
    static constexpr Integer sign_bit = INT32_MIN;
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23
    static constexpr Integer magic_bits = 0x4b400000;

    static CMLP_INLINE Register set(float x) { return _mm256_set1_ps(x); }
    static CMLP_INLINE Register load(const float* p) { return _mm256_loadu_ps(p); }
    static CMLP_INLINE void store(float* p, Register a) { _mm256_storeu_ps(p, a); }
    static CMLP_INLINE Register load_n(const float* p, ptrdiff_t n) {
        return _mm256_maskload_ps(p, bits(first_n(n)));
    }
    static CMLP_INLINE void store_n(float* p, Register a, ptrdiff_t n) {
        _mm256_maskstore_ps(p, bits(first_n(n)), a);
    }
    static CMLP_INLINE Register load_double(const double* p) {
        return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_loadu_pd(p + 4)), _mm256_cvtpd_ps(_mm256_loadu_pd(p)));
    }
    static CMLP_INLINE void store_double(double* p, Register a) {
        _mm256_storeu_pd(p, _mm256_cvtps_pd(_mm256_castps256_ps128(a)));
        _mm256_storeu_pd(p + 4, _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)));
    }

    static CMLP_INLINE Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return _mm256_sub_ps(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return _mm256_mul_ps(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return _mm256_div_ps(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return _mm256_fnmadd_ps(a, b, c); }
    static CMLP_INLINE Register sqrt(Register a) { return _mm256_sqrt_ps(a); }
    static CMLP_INLINE Register round(Register a) { return _mm256_round_ps(a, 8); }
    static CMLP_INLINE Register floor(Register a) { return _mm256_round_ps(a, 9); }
    static CMLP_INLINE Register min(Register a, Register b) { return _mm256_min_ps(a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return _mm256_max_ps(a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
    }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return from_bits(_mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), lane));
    }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return _mm256_and_ps(a, b); }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return _mm256_or_ps(a, b); }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) {
        return _mm256_xor_ps(a, from_bits(_mm256_set1_epi32(-1)));
    }
    static CMLP_INLINE bool any(MaskRegister a) { return _mm256_movemask_ps(a) != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return _mm256_movemask_ps(a) == 0xff; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return _mm256_blendv_ps(no, yes, m);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return _mm256_castps_si256(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return _mm256_castsi256_ps(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return _mm256_set1_epi32(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return _mm256_add_epi32(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return _mm256_sub_epi32(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return _mm256_and_si256(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return _mm256_or_si256(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return _mm256_xor_si256(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) { return _mm256_slli_epi32(a, n); }
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) { return _mm256_srai_epi32(a, n); }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return _mm256_srli_epi32(a, n);
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) {
        return from_bits(_mm256_cmpeq_epi32(a, b));
    }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) {
        return from_bits(_mm256_cmpgt_epi32(a, b));
    }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return _mm256_and_si256(a, bits(m));
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return _mm256_blendv_epi8(no, yes, bits(m));
    }

    static CMLP_INLINE Register lookup(const float (&table)[16], IntRegister i) {
        const Register low = _mm256_permutevar8x32_ps(load(table), i);
        const Register high = _mm256_permutevar8x32_ps(load(table + 8), i);
        return select(from_bits(_mm256_slli_epi32(i, 28)), high, low);
    }
    static CMLP_INLINE IntRegister load_int(const Integer* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) { return uint32_t(_mm256_movemask_ps(a)); }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) {
        const __m256i own = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        return equal_int(_mm256_and_si256(_mm256_set1_epi32(int(bits)), own), own);
    }
    static CMLP_INLINE float first(Register a) { return _mm256_cvtss_f32(a); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        if constexpr (step == 4) return _mm256_permute2f128_ps(a, a, 1);
        if constexpr (step == 2) return _mm256_permute_ps(a, 0x4e);
        return _mm256_permute_ps(a, 0xb1);
    }
};

template <>
struct Ops<double> {
    using Register = __m256d;
    using IntRegister = __m256i;
    using MaskRegister = __m256d;
    using Integer = int64_t;
    static constexpr int size = 4;
    static constexpr bool native_scale = false;
    static constexpr Integer sign_bit = INT64_MIN;
    static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr Integer magic_bits = 0x4338000000000000;

    static CMLP_INLINE Register set(double x) { return _mm256_set1_pd(x); }
    static CMLP_INLINE Register load(const double* p) { return _mm256_loadu_pd(p); }
    static CMLP_INLINE void store(double* p, Register a) { _mm256_storeu_pd(p, a); }
    static CMLP_INLINE Register load_n(const double* p, ptrdiff_t n) {
        return _mm256_maskload_pd(p, bits(first_n(n)));
    }
    static CMLP_INLINE void store_n(double* p, Register a, ptrdiff_t n) {
        _mm256_maskstore_pd(p, bits(first_n(n)), a);
    }
    static CMLP_INLINE Register load_double(const double* p) { return load(p); }
    static CMLP_INLINE void store_double(double* p, Register a) { store(p, a); }

    static CMLP_INLINE Register add(Register a, Register b) { return _mm256_add_pd(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return _mm256_sub_pd(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return _mm256_mul_pd(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return _mm256_div_pd(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return _mm256_fmadd_pd(a, b, c); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return _mm256_fnmadd_pd(a, b, c); }
    static CMLP_INLINE Register sqrt(Register a) { return _mm256_sqrt_pd(a); }
    static CMLP_INLINE Register round(Register a) { return _mm256_round_pd(a, 8); }
    static CMLP_INLINE Register floor(Register a) { return _mm256_round_pd(a, 9); }
    static CMLP_INLINE Register min(Register a, Register b) { return _mm256_min_pd(a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return _mm256_max_pd(a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm256_cmp_pd(a, b, _CMP_LE_OQ);
    }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) {
        return from_bits(_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)));
    }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return _mm256_and_pd(a, b); }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return _mm256_or_pd(a, b); }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) {
        return _mm256_xor_pd(a, from_bits(_mm256_set1_epi64x(-1)));
    }
    static CMLP_INLINE bool any(MaskRegister a) { return _mm256_movemask_pd(a) != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return _mm256_movemask_pd(a) == 0xf; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return _mm256_blendv_pd(no, yes, m);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return _mm256_castpd_si256(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return _mm256_castsi256_pd(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return _mm256_set1_epi64x(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return _mm256_add_epi64(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return _mm256_sub_epi64(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return _mm256_and_si256(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return _mm256_or_si256(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return _mm256_xor_si256(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) { return _mm256_slli_epi64(a, n); }
    // AVX2 has no arithmetic shift of 64 bits: shift, then spread the sign bit again.
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) {
        const IntRegister sign = _mm256_set1_epi64x(int64_t(uint64_t(1) << (63 - n)));
        return _mm256_sub_epi64(_mm256_xor_si256(_mm256_srli_epi64(a, n), sign), sign);
    }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return _mm256_srli_epi64(a, n);
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) {
        return from_bits(_mm256_cmpeq_epi64(a, b));
    }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) {
        return from_bits(_mm256_cmpgt_epi64(a, b));
    }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return _mm256_and_si256(a, bits(m));
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return _mm256_blendv_epi8(no, yes, bits(m));
    }

    // Four loads: a gather takes several times as long on AMD's processors.
    static CMLP_INLINE Register lookup(const double (&table)[16], IntRegister i) {
        const __m128i low = _mm256_castsi256_si128(i), high = _mm256_extracti128_si256(i, 1);
        return _mm256_setr_pd(table[_mm_extract_epi64(low, 0) & 15], table[_mm_extract_epi64(low, 1) & 15],
                              table[_mm_extract_epi64(high, 0) & 15], table[_mm_extract_epi64(high, 1) & 15]);
    }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) { return uint32_t(_mm256_movemask_pd(a)); }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) {
        const __m256i own = _mm256_setr_epi64x(1, 2, 4, 8);
        return equal_int(_mm256_and_si256(_mm256_set1_epi64x(bits), own), own);
    }
    static CMLP_INLINE void store_int(Integer* p, IntRegister a) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a);
    }
    static CMLP_INLINE IntRegister load_int(const Integer* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static CMLP_INLINE IntRegister multiply_halves(IntRegister a, IntRegister b) {
        return _mm256_mul_epu32(a, b);
    }
    static CMLP_INLINE void zip(IntRegister& a, IntRegister& b) {
        const IntRegister even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);
        a = _mm256_permute2x128_si256(even, odd, 0x20);
        b = _mm256_permute2x128_si256(even, odd, 0x31);
    }
    static CMLP_INLINE double first(Register a) { return _mm256_cvtsd_f64(a); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        if constexpr (step == 2) return _mm256_permute2f128_pd(a, a, 1);
        return _mm256_permute_pd(a, 0x5);
    }
};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
