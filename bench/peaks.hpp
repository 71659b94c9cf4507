// What the machine can do at most: fused multiply-adds of one core, copies of memory, round trips to another thread.
#pragma once

#include "timer.hpp"

#include <atomic>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bench {

/// Rounds over all chains in one call, about 1 ms.
constexpr int fma_rounds = 20000;

// One link of a chain; the empty asm keeps it, so that none is folded away. Written out, so that all stay in registers.
#define BENCH_LINK(i)               \
    chain[i] = BENCH_FMA(chain[i]); \
    asm volatile("" : BENCH_REGISTER(chain[i]));
#define BENCH_LINKS(i) BENCH_LINK(i) BENCH_LINK(i + 1) BENCH_LINK(i + 2) BENCH_LINK(i + 3)
#define BENCH_12_LINKS(i) BENCH_LINKS(i) BENCH_LINKS(i + 4) BENCH_LINKS(i + 8)

#if defined(__x86_64__)
#define BENCH_REGISTER(x) "+v"(x)
[[gnu::target("avx512f")]] inline double fma_avx512() {
#define BENCH_FMA(x) _mm512_fmadd_ps(x, half, one)
    const __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f);
    __m512 chain[24] = {};
    for (int round = 0; round < fma_rounds; ++round) {
        BENCH_12_LINKS(0)
        BENCH_12_LINKS(12)
    }
    return 2.0 * 16 * 24 * fma_rounds;
#undef BENCH_FMA
}
[[gnu::target("avx2,fma")]] inline double fma_avx2() {
#define BENCH_FMA(x) _mm256_fmadd_ps(x, half, one)
    const __m256 half = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f);
    __m256 chain[12] = {};
    for (int round = 0; round < fma_rounds; ++round) {
        BENCH_12_LINKS(0)
    }
    return 2.0 * 8 * 12 * fma_rounds;
#undef BENCH_FMA
}
#elif defined(__aarch64__)
#define BENCH_REGISTER(x) "+w"(x)
inline double fma_neon() {
#define BENCH_FMA(x) vfmaq_f32(one, x, half)
    const float32x4_t half = vdupq_n_f32(0.5f), one = vdupq_n_f32(1.0f);
    float32x4_t chain[24] = {};
    for (int round = 0; round < fma_rounds; ++round) {
        BENCH_12_LINKS(0)
        BENCH_12_LINKS(12)
    }
    return 2.0 * 4 * 24 * fma_rounds;
#undef BENCH_FMA
}
#endif

/// Peak float32 GFLOP/s of one core with an instruction set; 0 where it has no fused multiply-add.
inline double fma_peak([[maybe_unused]] std::string_view isa) {
    double (*chains)() = nullptr;
#if defined(__x86_64__)
    if (isa == "avx512") chains = fma_avx512;
    if (isa == "avx2") chains = fma_avx2;
#elif defined(__aarch64__)
    if (isa == "neon") chains = fma_neon;
#endif
    if (!chains) return 0;
    double operations = 0;
    const double seconds = best_time([&] { operations = chains(); }, 0.2);
    return operations / seconds / 1e9;
}

/// Nanoseconds of a round trip to another thread: the least cost of every region over two threads.
inline double round_trip_time() {
    constexpr int turns = 100000;
    alignas(64) std::atomic<int> sent = 0;
    alignas(64) std::atomic<int> returned = 0;
    std::thread other([&] {
        for (int turn = 1; turn <= turns; ++turn) {
            while (sent.load(std::memory_order_acquire) < turn) {
            }
            returned.store(turn, std::memory_order_release);
        }
    });
    const double start = now();
    for (int turn = 1; turn <= turns; ++turn) {
        sent.store(turn, std::memory_order_release);
        while (returned.load(std::memory_order_acquire) < turn) {
        }
    }
    const double seconds = now() - start;
    other.join();
    return seconds / turns * 1e9;
}

/// GB/s, read and written, of a copy that moves so many bytes in total.
inline double copy_speed(double bytes) {
    const auto n = static_cast<std::size_t>(bytes / 2);
    std::vector<char> from(n, 1), to(n, 2);
    const double seconds = best_time(
        [&] {
            std::memcpy(to.data(), from.data(), n);
            asm volatile("" : : "r"(to.data()) : "memory");
        },
        4 * budget);
    return bytes / seconds / 1e9;
}

}  // namespace bench
