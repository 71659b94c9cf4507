// The only elementwise loops: full vectors, then one masked tail. Every element is computed the same way in both.
#pragma once

#include "kernels.hpp"
#include "simd.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// body(j, left) for each vector starting at element j of n, for load_n(p + j, left) and store_n(p + j, left);
// left is the constant `size` but in the tail, so that full vectors are loaded without a mask.
template <class T, class Body>
CMLP_INLINE void sweep(ptrdiff_t n, Body body) {
    ptrdiff_t j = 0;
    for (; j + Vec<T>::size <= n; j += Vec<T>::size) body(j, ptrdiff_t(Vec<T>::size));
    if (j < n) body(j, n - j);
}

template <class T>
CMLP_INLINE T row_max(const T* x, ptrdiff_t n) {
    Lanes<T> lanes(-T(__builtin_inf()));
    lanes.fold(
        n, [&](Vec<T> lane, ptrdiff_t j, ptrdiff_t left) { return max(Vec<T>::load_n(x + j, left), lane); });
    return lanes.max();
}

// In double over 16 lanes and a fixed tree; plain code, since double lanes of floats differ in width per set.
template <class T, class Term>
CMLP_INLINE double sum_in_double(ptrdiff_t n, Term term) {
    double lane[16] = {};
    ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int l = 0; l < 16; ++l) lane[l] += term(i + l);
    for (int l = 0; i + l < n; ++l) lane[l] += term(i + l);
    for (int step = 8; step > 0; step /= 2)
        for (int l = 0; l < step; ++l) lane[l] += lane[l + step];
    return lane[0];
}

template <class T>
double weighted_sum(ptrdiff_t n, const T* x, const T* weight) {
    if (!weight) return sum_in_double<T>(n, [=](ptrdiff_t i) { return double(x[i]); });
    return sum_in_double<T>(n, [=](ptrdiff_t i) { return double(x[i]) * double(weight[i]); });
}

template <class T>
double squared_norm(ptrdiff_t n, const T* x) {
    return sum_in_double<T>(n, [=](ptrdiff_t i) { return double(x[i]) * double(x[i]); });
}

template <class T>
CMLP_INLINE void multiply_by(ptrdiff_t n, T* x, T factor) {
    sweep<T>(n, [&](ptrdiff_t j, ptrdiff_t left) {
        (Vec<T>::load_n(x + j, left) * Vec<T>(factor)).store_n(x + j, left);
    });
}

template <class T>
bool is_within(ptrdiff_t n, const T* x, T limit) {
    using V = Vec<T>;
    Lanes<T> outside(T(0));
    outside.fold(n, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        return lane + select(abs(V::load_n(x + j, left)) <= V(limit), V(T(0)), V(T(1)));
    });
    return outside.sum() == T(0);
}

// x - x is 0 exactly for the finite ones; sums of blocks are searched only where they are not.
template <class T>
ptrdiff_t first_nonfinite(ptrdiff_t n, const T* x) {
    constexpr ptrdiff_t block = 1024;
    for (ptrdiff_t i = 0; i < n; i += block) {
        const ptrdiff_t count = n - i < block ? n - i : block;
        Vec<T> bad(T(0));
        sweep<T>(count, [&](ptrdiff_t j, ptrdiff_t left) {
            const Vec<T> v = Vec<T>::load_n(x + i + j, left);
            bad += v - v;
        });
        if (all(bad == Vec<T>(T(0)))) continue;
        for (ptrdiff_t j = i; j < i + count; ++j)
            if (!(x[j] - x[j] == T(0))) return j;
    }
    return n;
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
