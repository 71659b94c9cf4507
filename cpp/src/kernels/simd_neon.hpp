// NEON on AArch64: 4 floats or 2 doubles; a mask is a register of all-ones and all-zeros lanes.
#pragma once

#include <arm_neon.h>

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
struct Ops;

template <>
struct Ops<float> {
    using Register = float32x4_t;
    using IntRegister = int32x4_t;
    using MaskRegister = uint32x4_t;
    using Integer = int32_t;
    static constexpr int size = 4;
    static constexpr bool native_scale = false;
    static constexpr Integer sign_bit = INT32_MIN;
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23
    static constexpr Integer magic_bits = 0x4b400000;

    static CMLP_INLINE Register set(float x) { return vdupq_n_f32(x); }
    static CMLP_INLINE Register load(const float* p) { return vld1q_f32(p); }
    static CMLP_INLINE void store(float* p, Register a) { vst1q_f32(p, a); }
    static CMLP_INLINE Register load_n(const float* p, ptrdiff_t n) {
        Register a = vld1q_lane_f32(p, vdupq_n_f32(0), 0);
        if (n > 1) a = vld1q_lane_f32(p + 1, a, 1);
        if (n > 2) a = vld1q_lane_f32(p + 2, a, 2);
        return n > 3 ? vld1q_lane_f32(p + 3, a, 3) : a;
    }
    static CMLP_INLINE void store_n(float* p, Register a, ptrdiff_t n) {
        vst1q_lane_f32(p, a, 0);
        if (n > 1) vst1q_lane_f32(p + 1, a, 1);
        if (n > 2) vst1q_lane_f32(p + 2, a, 2);
        if (n > 3) vst1q_lane_f32(p + 3, a, 3);
    }
    static CMLP_INLINE Register load_double(const double* p) {
        return vcvt_high_f32_f64(vcvt_f32_f64(vld1q_f64(p)), vld1q_f64(p + 2));
    }
    static CMLP_INLINE void store_double(double* p, Register a) {
        vst1q_f64(p, vcvt_f64_f32(vget_low_f32(a)));
        vst1q_f64(p + 2, vcvt_high_f64_f32(a));
    }

    static CMLP_INLINE Register add(Register a, Register b) { return vaddq_f32(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return vsubq_f32(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return vmulq_f32(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return vdivq_f32(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return vfmsq_f32(c, a, b); }
    static CMLP_INLINE Register sqrt(Register a) { return vsqrtq_f32(a); }
    static CMLP_INLINE Register round(Register a) { return vrndnq_f32(a); }
    static CMLP_INLINE Register floor(Register a) { return vrndmq_f32(a); }
    // vminq and vmaxq treat NaN and -0 in their own way; the comparison gives the result of the other sets.
    static CMLP_INLINE Register min(Register a, Register b) { return select(less(a, b), a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return select(less(b, a), a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) { return vcltq_f32(a, b); }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) { return vcleq_f32(a, b); }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) { return vceqq_f32(a, b); }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) {
        const int32x4_t lane = {0, 1, 2, 3};
        return vcgtq_s32(vdupq_n_s32(int32_t(n)), lane);
    }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return vandq_u32(a, b); }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return vorrq_u32(a, b); }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) { return vmvnq_u32(a); }
    static CMLP_INLINE bool any(MaskRegister a) { return vmaxvq_u32(a) != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return vminvq_u32(a) != 0; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return vbslq_f32(m, yes, no);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return vreinterpretq_s32_f32(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return vreinterpretq_f32_s32(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return vdupq_n_s32(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return vaddq_s32(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return vsubq_s32(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return vandq_s32(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return vorrq_s32(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return veorq_s32(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) { return vshlq_s32(a, vdupq_n_s32(n)); }
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) { return vshlq_s32(a, vdupq_n_s32(-n)); }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-n)));
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) { return vceqq_s32(a, b); }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) { return vcgtq_s32(a, b); }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return vandq_s32(a, vreinterpretq_s32_u32(m));
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return vbslq_s32(m, yes, no);
    }

    static CMLP_INLINE Register lookup(const float (&table)[16], IntRegister i) {
        const uint32x4_t first_byte = vreinterpretq_u32_s32(vandq_s32(vshlq_n_s32(i, 2), vdupq_n_s32(60)));
        const uint32x4_t bytes = vmlaq_u32(vdupq_n_u32(0x03020100), first_byte, vdupq_n_u32(0x01010101));
        const uint8_t* p = reinterpret_cast<const uint8_t*>(table);
        const uint8x16x4_t all = {vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)};
        return vreinterpretq_f32_u8(vqtbl4q_u8(all, vreinterpretq_u8_u32(bytes)));
    }
    static CMLP_INLINE IntRegister load_int(const Integer* p) { return vld1q_s32(p); }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) {
        const uint32x4_t own = {1, 2, 4, 8};
        return vaddvq_u32(vandq_u32(a, own));
    }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) {
        const uint32x4_t own = {1, 2, 4, 8};
        return vtstq_u32(vdupq_n_u32(bits), own);
    }
    static CMLP_INLINE float first(Register a) { return vgetq_lane_f32(a, 0); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        return vextq_f32(a, a, step);
    }
};

template <>
struct Ops<double> {
    using Register = float64x2_t;
    using IntRegister = int64x2_t;
    using MaskRegister = uint64x2_t;
    using Integer = int64_t;
    static constexpr int size = 2;
    static constexpr bool native_scale = false;
    static constexpr Integer sign_bit = INT64_MIN;
    static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr Integer magic_bits = 0x4338000000000000;

    static CMLP_INLINE Register set(double x) { return vdupq_n_f64(x); }
    static CMLP_INLINE Register load(const double* p) { return vld1q_f64(p); }
    static CMLP_INLINE void store(double* p, Register a) { vst1q_f64(p, a); }
    static CMLP_INLINE Register load_n(const double* p, ptrdiff_t n) {
        const Register a = vld1q_lane_f64(p, vdupq_n_f64(0), 0);
        return n > 1 ? vld1q_lane_f64(p + 1, a, 1) : a;
    }
    static CMLP_INLINE void store_n(double* p, Register a, ptrdiff_t n) {
        vst1q_lane_f64(p, a, 0);
        if (n > 1) vst1q_lane_f64(p + 1, a, 1);
    }
    static CMLP_INLINE Register load_double(const double* p) { return load(p); }
    static CMLP_INLINE void store_double(double* p, Register a) { store(p, a); }

    static CMLP_INLINE Register add(Register a, Register b) { return vaddq_f64(a, b); }
    static CMLP_INLINE Register sub(Register a, Register b) { return vsubq_f64(a, b); }
    static CMLP_INLINE Register mul(Register a, Register b) { return vmulq_f64(a, b); }
    static CMLP_INLINE Register div(Register a, Register b) { return vdivq_f64(a, b); }
    static CMLP_INLINE Register fma(Register a, Register b, Register c) { return vfmaq_f64(c, a, b); }
    static CMLP_INLINE Register fnma(Register a, Register b, Register c) { return vfmsq_f64(c, a, b); }
    static CMLP_INLINE Register sqrt(Register a) { return vsqrtq_f64(a); }
    static CMLP_INLINE Register round(Register a) { return vrndnq_f64(a); }
    static CMLP_INLINE Register floor(Register a) { return vrndmq_f64(a); }
    static CMLP_INLINE Register min(Register a, Register b) { return select(less(a, b), a, b); }
    static CMLP_INLINE Register max(Register a, Register b) { return select(less(b, a), a, b); }

    static CMLP_INLINE MaskRegister less(Register a, Register b) { return vcltq_f64(a, b); }
    static CMLP_INLINE MaskRegister less_equal(Register a, Register b) { return vcleq_f64(a, b); }
    static CMLP_INLINE MaskRegister equal(Register a, Register b) { return vceqq_f64(a, b); }
    static CMLP_INLINE MaskRegister first_n(ptrdiff_t n) {
        const int64x2_t lane = {0, 1};
        return vcgtq_s64(vdupq_n_s64(n), lane);
    }
    static CMLP_INLINE MaskRegister mask_and(MaskRegister a, MaskRegister b) { return vandq_u64(a, b); }
    static CMLP_INLINE MaskRegister mask_or(MaskRegister a, MaskRegister b) { return vorrq_u64(a, b); }
    static CMLP_INLINE MaskRegister mask_not(MaskRegister a) {
        return veorq_u64(a, vdupq_n_u64(~uint64_t(0)));
    }
    static CMLP_INLINE bool any(MaskRegister a) { return vmaxvq_u32(vreinterpretq_u32_u64(a)) != 0; }
    static CMLP_INLINE bool all(MaskRegister a) { return vminvq_u32(vreinterpretq_u32_u64(a)) != 0; }
    static CMLP_INLINE Register select(MaskRegister m, Register yes, Register no) {
        return vbslq_f64(m, yes, no);
    }

    static CMLP_INLINE IntRegister bits(Register a) { return vreinterpretq_s64_f64(a); }
    static CMLP_INLINE Register from_bits(IntRegister a) { return vreinterpretq_f64_s64(a); }
    static CMLP_INLINE IntRegister set_int(Integer x) { return vdupq_n_s64(x); }
    static CMLP_INLINE IntRegister add_int(IntRegister a, IntRegister b) { return vaddq_s64(a, b); }
    static CMLP_INLINE IntRegister sub_int(IntRegister a, IntRegister b) { return vsubq_s64(a, b); }
    static CMLP_INLINE IntRegister and_int(IntRegister a, IntRegister b) { return vandq_s64(a, b); }
    static CMLP_INLINE IntRegister or_int(IntRegister a, IntRegister b) { return vorrq_s64(a, b); }
    static CMLP_INLINE IntRegister xor_int(IntRegister a, IntRegister b) { return veorq_s64(a, b); }
    static CMLP_INLINE IntRegister shift_left(IntRegister a, int n) { return vshlq_s64(a, vdupq_n_s64(n)); }
    static CMLP_INLINE IntRegister shift_right(IntRegister a, int n) { return vshlq_s64(a, vdupq_n_s64(-n)); }
    static CMLP_INLINE IntRegister shift_right_logical(IntRegister a, int n) {
        return vreinterpretq_s64_u64(vshlq_u64(vreinterpretq_u64_s64(a), vdupq_n_s64(-n)));
    }
    static CMLP_INLINE MaskRegister equal_int(IntRegister a, IntRegister b) { return vceqq_s64(a, b); }
    static CMLP_INLINE MaskRegister greater_int(IntRegister a, IntRegister b) { return vcgtq_s64(a, b); }
    static CMLP_INLINE IntRegister keep_int(MaskRegister m, IntRegister a) {
        return vandq_s64(a, vreinterpretq_s64_u64(m));
    }
    static CMLP_INLINE IntRegister select_int(MaskRegister m, IntRegister yes, IntRegister no) {
        return vbslq_s64(m, yes, no);
    }

    static CMLP_INLINE Register lookup(const double (&table)[16], IntRegister i) {
        const Register low = vld1q_dup_f64(table + (vgetq_lane_s64(i, 0) & 15));
        return vld1q_lane_f64(table + (vgetq_lane_s64(i, 1) & 15), low, 1);
    }
    static CMLP_INLINE uint32_t mask_bits(MaskRegister a) {
        const uint64x2_t own = {1, 2};
        return uint32_t(vaddvq_u64(vandq_u64(a, own)));
    }
    static CMLP_INLINE MaskRegister mask_of_bits(uint32_t bits) {
        const uint64x2_t own = {1, 2};
        return vtstq_u64(vdupq_n_u64(bits), own);
    }
    static CMLP_INLINE void store_int(Integer* p, IntRegister a) { vst1q_s64(p, a); }
    static CMLP_INLINE IntRegister load_int(const Integer* p) { return vld1q_s64(p); }
    static CMLP_INLINE IntRegister multiply_halves(IntRegister a, IntRegister b) {
        const uint32x2_t x = vmovn_u64(vreinterpretq_u64_s64(a)), y = vmovn_u64(vreinterpretq_u64_s64(b));
        return vreinterpretq_s64_u64(vmull_u32(x, y));
    }
    static CMLP_INLINE void zip(IntRegister& a, IntRegister& b) {
        const IntRegister first = vzip1q_s64(a, b);
        b = vzip2q_s64(a, b);
        a = first;
    }
    static CMLP_INLINE double first(Register a) { return vgetq_lane_f64(a, 0); }
    template <int step>
    static CMLP_INLINE Register fold(Register a) {
        return vextq_f64(a, a, step);
    }
};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
