// No vector instructions: one lane. fma is the C library's where the processor's baseline has none.
#pragma once

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
struct Width;

template <>
struct Width<float> {
    using Integer = int32_t;
    using Unsigned = uint32_t;
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23
    static constexpr Integer magic_bits = 0x4b400000;
    static CMLP_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
    static CMLP_INLINE float sqrt(float a) { return __builtin_sqrtf(a); }
    static CMLP_INLINE float round(float a) { return __builtin_rintf(a); }
    static CMLP_INLINE float floor(float a) { return __builtin_floorf(a); }
};

template <>
struct Width<double> {
    using Integer = int64_t;
    using Unsigned = uint64_t;
    static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr Integer magic_bits = 0x4338000000000000;
    static CMLP_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
    static CMLP_INLINE double sqrt(double a) { return __builtin_sqrt(a); }
    static CMLP_INLINE double round(double a) { return __builtin_rint(a); }
    static CMLP_INLINE double floor(double a) { return __builtin_floor(a); }
};

template <class T>
struct Ops : Width<T> {
    using Register = T;
    using MaskRegister = bool;
    using Integer = typename Width<T>::Integer;
    using Unsigned = typename Width<T>::Unsigned;
    using IntRegister = Integer;
    static constexpr int size = 1;
    static constexpr bool native_scale = false;
    static constexpr Integer sign_bit = Integer(Unsigned(1) << (8 * sizeof(T) - 1));

    static CMLP_INLINE T set(T x) { return x; }
    static CMLP_INLINE T load(const T* p) { return *p; }
    static CMLP_INLINE void store(T* p, T a) { *p = a; }
    static CMLP_INLINE T load_n(const T* p, ptrdiff_t) { return *p; }
    static CMLP_INLINE void store_n(T* p, T a, ptrdiff_t) { *p = a; }
    static CMLP_INLINE T load_double(const double* p) { return T(*p); }
    static CMLP_INLINE void store_double(double* p, T a) { *p = a; }

    static CMLP_INLINE T add(T a, T b) { return a + b; }
    static CMLP_INLINE T sub(T a, T b) { return a - b; }
    static CMLP_INLINE T mul(T a, T b) { return a * b; }
    static CMLP_INLINE T div(T a, T b) { return a / b; }
    static CMLP_INLINE T fnma(T a, T b, T c) { return Width<T>::fma(-a, b, c); }
    static CMLP_INLINE T min(T a, T b) { return a < b ? a : b; }
    static CMLP_INLINE T max(T a, T b) { return a > b ? a : b; }

    static CMLP_INLINE bool less(T a, T b) { return a < b; }
    static CMLP_INLINE bool less_equal(T a, T b) { return a <= b; }
    static CMLP_INLINE bool equal(T a, T b) { return a == b; }
    static CMLP_INLINE bool first_n(ptrdiff_t n) { return n > 0; }
    static CMLP_INLINE bool mask_and(bool a, bool b) { return a & b; }
    static CMLP_INLINE bool mask_or(bool a, bool b) { return a | b; }
    static CMLP_INLINE bool mask_not(bool a) { return !a; }
    static CMLP_INLINE bool any(bool a) { return a; }
    static CMLP_INLINE bool all(bool a) { return a; }
    static CMLP_INLINE T select(bool m, T yes, T no) { return m ? yes : no; }

    static CMLP_INLINE Integer bits(T a) { return __builtin_bit_cast(Integer, a); }
    static CMLP_INLINE T from_bits(Integer a) { return __builtin_bit_cast(T, a); }
    static CMLP_INLINE Integer set_int(Integer x) { return x; }
    static CMLP_INLINE Integer add_int(Integer a, Integer b) { return Integer(Unsigned(a) + Unsigned(b)); }
    static CMLP_INLINE Integer sub_int(Integer a, Integer b) { return Integer(Unsigned(a) - Unsigned(b)); }
    static CMLP_INLINE Integer and_int(Integer a, Integer b) { return a & b; }
    static CMLP_INLINE Integer or_int(Integer a, Integer b) { return a | b; }
    static CMLP_INLINE Integer xor_int(Integer a, Integer b) { return a ^ b; }
    static CMLP_INLINE Integer shift_left(Integer a, int n) { return Integer(Unsigned(a) << n); }
    static CMLP_INLINE Integer shift_right(Integer a, int n) { return a >> n; }
    static CMLP_INLINE Integer shift_right_logical(Integer a, int n) { return Integer(Unsigned(a) >> n); }
    static CMLP_INLINE bool equal_int(Integer a, Integer b) { return a == b; }
    static CMLP_INLINE bool greater_int(Integer a, Integer b) { return a > b; }
    static CMLP_INLINE Integer keep_int(bool m, Integer a) { return m ? a : 0; }
    static CMLP_INLINE Integer select_int(bool m, Integer yes, Integer no) { return m ? yes : no; }

    static CMLP_INLINE T lookup(const T (&table)[16], Integer i) { return table[i & 15]; }
    static CMLP_INLINE T first(T a) { return a; }
    static CMLP_INLINE void store_int(Integer* p, Integer a) { *p = a; }
    static CMLP_INLINE Integer load_int(const Integer* p) { return *p; }
    static CMLP_INLINE uint32_t mask_bits(bool a) { return a; }
    static CMLP_INLINE bool mask_of_bits(uint32_t bits) { return bits & 1; }
    static CMLP_INLINE Integer multiply_halves(Integer a, Integer b) {
        return Integer(uint64_t(uint32_t(a)) * uint32_t(b));
    }
    static CMLP_INLINE void zip(Integer&, Integer&) {}
};

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
