// Vectors of the instruction set this file is compiled for: Vec, Int, Mask and Lanes over one Ops<T> per set.
//
// CMLP_ISA names the namespace (scalar, avx2, avx512, neon); the compiler's own macros choose the registers,
// CMLP_SCALAR forces one lane. Each operation rounds once and gives the same bits on every set (the sign and
// payload of a NaN excepted). Build with -ffp-contract=off.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef CMLP_ISA
#error "CMLP_ISA must name the instruction set: scalar, avx2, avx512 or neon"
#endif

#define CMLP_INLINE inline __attribute__((always_inline))

#if defined(CMLP_SCALAR)
#include "simd_scalar.hpp"
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include "simd_avx512.hpp"
#elif defined(__AVX2__) && defined(__FMA__)
#include "simd_avx2.hpp"
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include "simd_neon.hpp"
#else
#include "simd_scalar.hpp"
#endif

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
struct Vec;
template <class T>
struct Int;

/// One truth value a lane.
template <class T>
struct Mask {
    using O = Ops<T>;
    typename O::MaskRegister r;

    /// True in the first n lanes; n <= 0 gives none, n >= size all.
    static CMLP_INLINE Mask first_n(ptrdiff_t n) {
        return {O::first_n(n < 0 ? 0 : n < O::size ? n : O::size)};
    }

    /// A bit a lane, lane 0 the lowest; of the bits given, those of other lanes do not matter.
    friend CMLP_INLINE uint32_t mask_bits(Mask a) { return O::mask_bits(a.r); }
    static CMLP_INLINE Mask of_bits(uint32_t bits) { return {O::mask_of_bits(bits)}; }

    friend CMLP_INLINE Mask operator&(Mask a, Mask b) { return {O::mask_and(a.r, b.r)}; }
    friend CMLP_INLINE Mask operator|(Mask a, Mask b) { return {O::mask_or(a.r, b.r)}; }
    friend CMLP_INLINE Mask operator!(Mask a) { return {O::mask_not(a.r)}; }
    friend CMLP_INLINE bool any(Mask a) { return O::any(a.r); }
    friend CMLP_INLINE bool all(Mask a) { return O::all(a.r); }
    friend CMLP_INLINE Vec<T> select(Mask m, Vec<T> yes, Vec<T> no) {
        return Vec<T>::of(O::select(m.r, yes.r, no.r));
    }
    friend CMLP_INLINE Int<T> select(Mask m, Int<T> yes, Int<T> no) {
        return Int<T>::of(O::select_int(m.r, yes.r, no.r));
    }
    /// a in the lanes of m, 0 in the others.
    friend CMLP_INLINE Int<T> keep(Mask m, Int<T> a) { return Int<T>::of(O::keep_int(m.r, a.r)); }
};

/// Integers of the lanes' own width: int32 beside float, int64 beside double. Arithmetic wraps around.
template <class T>
struct Int {
    using O = Ops<T>;
    using Scalar = typename O::Integer;
    static constexpr int size = O::size;
    typename O::IntRegister r;

    Int() = default;
    explicit CMLP_INLINE Int(Scalar value) : r(O::set_int(value)) {}
    static CMLP_INLINE Int of(typename O::IntRegister r) {
        Int v;
        v.r = r;
        return v;
    }

    static CMLP_INLINE Int load(const Scalar* p) { return of(O::load_int(p)); }
    /// For int64 alone: this, the product of the lower halves without signs, and zip, which turns the lanes of a and b
    /// into a0 b0 a1 b1 ...
    CMLP_INLINE void store(Scalar* p) const { O::store_int(p, r); }
    static CMLP_INLINE Int multiply_halves(Int a, Int b) { return of(O::multiply_halves(a.r, b.r)); }
    static CMLP_INLINE void zip(Int& a, Int& b) { O::zip(a.r, b.r); }

    friend CMLP_INLINE Int operator+(Int a, Int b) { return of(O::add_int(a.r, b.r)); }
    friend CMLP_INLINE Int operator-(Int a, Int b) { return of(O::sub_int(a.r, b.r)); }
    friend CMLP_INLINE Int operator&(Int a, Int b) { return of(O::and_int(a.r, b.r)); }
    friend CMLP_INLINE Int operator|(Int a, Int b) { return of(O::or_int(a.r, b.r)); }
    friend CMLP_INLINE Int operator^(Int a, Int b) { return of(O::xor_int(a.r, b.r)); }
    friend CMLP_INLINE Int operator<<(Int a, int count) { return of(O::shift_left(a.r, count)); }
    friend CMLP_INLINE Int operator>>(Int a, int count) { return of(O::shift_right(a.r, count)); }
    friend CMLP_INLINE Int shift_right_logical(Int a, int count) {
        return of(O::shift_right_logical(a.r, count));
    }
    friend CMLP_INLINE Mask<T> operator==(Int a, Int b) { return {O::equal_int(a.r, b.r)}; }
    friend CMLP_INLINE Mask<T> operator!=(Int a, Int b) { return !(a == b); }
    friend CMLP_INLINE Mask<T> operator>(Int a, Int b) { return {O::greater_int(a.r, b.r)}; }
    friend CMLP_INLINE Mask<T> operator<(Int a, Int b) { return b > a; }

    /// The floats with these bits.
    friend CMLP_INLINE Vec<T> from_bits(Int a) { return Vec<T>::of(O::from_bits(a.r)); }
    /// Exact for |a| <= 2^22 (float) and 2^51 (double).
    friend CMLP_INLINE Vec<T> to_float(Int a) { return from_bits(a + Int(O::magic_bits)) - Vec<T>(O::magic); }
};

/// A register of floats. NaN and signed zeros: min and max give b unless a < b (a > b) holds.
template <class T>
struct Vec {
    using O = Ops<T>;
    using Scalar = T;
    using Mask = CMLP_ISA::Mask<T>;
    using Int = CMLP_ISA::Int<T>;
    static constexpr int size = O::size;
    static constexpr int mantissa_bits = sizeof(T) == 4 ? 23 : 52;
    static constexpr T power_magic = O::magic + (sizeof(T) == 4 ? 127 : 1023);
    typename O::Register r;

    Vec() = default;
    CMLP_INLINE Vec(T value) : r(O::set(value)) {}
    static CMLP_INLINE Vec of(typename O::Register r) {
        Vec v;
        v.r = r;
        return v;
    }

    static CMLP_INLINE Vec load(const T* p) { return of(O::load(p)); }
    CMLP_INLINE void store(T* p) const { O::store(p, r); }
    /// The first n > 0 lanes (all, where n >= size), the others 0; nothing beyond them is touched.
    static CMLP_INLINE Vec load_n(const T* p, ptrdiff_t n) {
        return n >= size ? load(p) : of(O::load_n(p, n));
    }
    /// load_n for 0 < n < size.
    static CMLP_INLINE Vec load_part(const T* p, ptrdiff_t n) { return of(O::load_n(p, n)); }
    CMLP_INLINE void store_n(T* p, ptrdiff_t n) const { n >= size ? store(p) : O::store_n(p, r, n); }
    /// `size` doubles, widened or rounded to nearest.
    static CMLP_INLINE Vec load_double(const double* p) { return of(O::load_double(p)); }
    CMLP_INLINE void store_double(double* p) const { O::store_double(p, r); }

    friend CMLP_INLINE Vec operator+(Vec a, Vec b) { return of(O::add(a.r, b.r)); }
    friend CMLP_INLINE Vec operator-(Vec a, Vec b) { return of(O::sub(a.r, b.r)); }
    friend CMLP_INLINE Vec operator*(Vec a, Vec b) { return of(O::mul(a.r, b.r)); }
    friend CMLP_INLINE Vec operator/(Vec a, Vec b) { return of(O::div(a.r, b.r)); }
    friend CMLP_INLINE Vec operator-(Vec a) { return from_bits(bits(a) ^ Int(O::sign_bit)); }
    CMLP_INLINE Vec& operator+=(Vec b) { return *this = *this + b; }
    CMLP_INLINE Vec& operator-=(Vec b) { return *this = *this - b; }
    CMLP_INLINE Vec& operator*=(Vec b) { return *this = *this * b; }
    CMLP_INLINE Vec& operator/=(Vec b) { return *this = *this / b; }

    friend CMLP_INLINE Mask operator<(Vec a, Vec b) { return {O::less(a.r, b.r)}; }
    friend CMLP_INLINE Mask operator<=(Vec a, Vec b) { return {O::less_equal(a.r, b.r)}; }
    friend CMLP_INLINE Mask operator>(Vec a, Vec b) { return b < a; }
    friend CMLP_INLINE Mask operator>=(Vec a, Vec b) { return b <= a; }
    friend CMLP_INLINE Mask operator==(Vec a, Vec b) { return {O::equal(a.r, b.r)}; }
    friend CMLP_INLINE Mask operator!=(Vec a, Vec b) { return !(a == b); }
    friend CMLP_INLINE Mask isnan(Vec a) { return a != a; }

    /// a * b + c, rounded once.
    friend CMLP_INLINE Vec fma(Vec a, Vec b, Vec c) { return of(O::fma(a.r, b.r, c.r)); }
    /// c - a * b, rounded once.
    friend CMLP_INLINE Vec fnma(Vec a, Vec b, Vec c) { return of(O::fnma(a.r, b.r, c.r)); }
    friend CMLP_INLINE Vec sqrt(Vec a) { return of(O::sqrt(a.r)); }
    /// To the nearest integer, ties to even.
    friend CMLP_INLINE Vec round(Vec a) { return of(O::round(a.r)); }
    friend CMLP_INLINE Vec floor(Vec a) { return of(O::floor(a.r)); }
    friend CMLP_INLINE Vec min(Vec a, Vec b) { return of(O::min(a.r, b.r)); }
    friend CMLP_INLINE Vec max(Vec a, Vec b) { return of(O::max(a.r, b.r)); }
    friend CMLP_INLINE Vec abs(Vec a) { return from_bits(bits(a) & Int(~O::sign_bit)); }
    friend CMLP_INLINE Vec copysign(Vec magnitude, Vec sign) {
        return from_bits((bits(magnitude) & Int(~O::sign_bit)) | (bits(sign) & Int(O::sign_bit)));
    }

    friend CMLP_INLINE Int bits(Vec a) { return Int::of(O::bits(a.r)); }
    /// a * 2^n rounded once, for a normal a near 1 and integral |n| < 250 (float) or 2000 (double).
    friend CMLP_INLINE Vec scale(Vec a, Vec n) {
        if constexpr (O::native_scale) return of(O::scale(a.r, n.r));
        const Vec half = fma(n, Vec(T(0.5)), Vec(power_magic));
        return a * power_of_2(half) * power_of_2(n - (half - Vec(power_magic)) + Vec(power_magic));
    }
    /// 2^n given n + power_magic, for a normal result.
    friend CMLP_INLINE Vec power_of_2(Vec shifted) { return from_bits(bits(shifted) << mantissa_bits); }
    /// table[index % 16] in each lane.
    static CMLP_INLINE Vec lookup(const T (&table)[16], Int index) { return of(O::lookup(table, index.r)); }

    /// The nearest integer, ties to even, for |a| <= 2^22 (float) and 2^51 (double).
    friend CMLP_INLINE Int to_int(Vec a) { return bits(a + Vec(O::magic)) - Int(O::magic_bits); }

    /// Lane 0, and lane i + step moved to lane i for every i < step (a power of two).
    friend CMLP_INLINE T first(Vec a) { return O::first(a.r); }
    template <int step>
    CMLP_INLINE Vec fold() const {
        return of(O::template fold<step>(r));
    }
};

/// Sixteen virtual lanes for the reduction of a row: element j belongs to lane j % 16 on every set.
///
///     Lanes<T> total(0);
///     total.fold(n, [&](V sum, ptrdiff_t at, ptrdiff_t left) { return sum + V::load_n(row + at, left); });
template <class T>
struct Lanes {
    using V = Vec<T>;
    static constexpr int count = 16;
    static constexpr int registers = count / V::size;
    V reg[registers];

    explicit CMLP_INLINE Lanes(T neutral) {
        for (int i = 0; i < registers; ++i) reg[i] = V(neutral);
    }

    /// reg = step(reg, at, left) for the elements at, at + 1, ... of a row of n; left >= size while a full
    /// register remains, and at the end the lanes from left on keep what they had, whatever step gives.
    template <class Step>
    CMLP_INLINE void fold(ptrdiff_t n, Step step) {
        ptrdiff_t at = 0;
        for (; at + count <= n; at += count)
            for (int i = 0; i < registers; ++i) reg[i] = step(reg[i], at + i * V::size, ptrdiff_t(V::size));
        for (int i = 0; i < registers && at < n; ++i, at += V::size)
            reg[i] = select(V::Mask::first_n(n - at), step(reg[i], at, n - at), reg[i]);
    }

    /// Fixed tree: lane i takes lane i + 8, then i + 4, i + 2, i + 1.
    CMLP_INLINE T sum() const { return reduce(Add()); }
    CMLP_INLINE T max() const { return reduce(Max()); }

private:
    struct Add {
        CMLP_INLINE V operator()(V a, V b) const { return a + b; }
    };
    // The name `max` would find Lanes::max here, so the operation is named in full.
    struct Max {
        CMLP_INLINE V operator()(V a, V b) const { return V::of(Ops<T>::max(a.r, b.r)); }
    };

    template <class Join>
    CMLP_INLINE T reduce(Join join) const {
        V lane[registers];
        for (int i = 0; i < registers; ++i) lane[i] = reg[i];
        for (int step = registers / 2; step > 0; step /= 2)
            for (int i = 0; i < step; ++i) lane[i] = join(lane[i], lane[i + step]);
        V v = lane[0];
        if constexpr (V::size > 8) v = join(v, v.template fold<8>());
        if constexpr (V::size > 4) v = join(v, v.template fold<4>());
        if constexpr (V::size > 2) v = join(v, v.template fold<2>());
        if constexpr (V::size > 1) v = join(v, v.template fold<1>());
        return first(v);
    }
};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
