// Threads: what runs where never changes a bit of what is computed. The only file that says omp.
//
// By default pieces of work are claimed one by one by the caller and a few waiting threads (pool.hpp): a caller never
// waits for a thread that has not begun, so a busy machine costs little. CMLP_OPENMP builds use OpenMP's teams instead.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <algorithm>

#include "runtime/pool.hpp"

#if defined(CMLP_OPENMP)
#include <omp.h>
#endif

namespace cmlp {

/// Work, in multiplications or so, below which a second thread costs more than it saves.
constexpr double work_a_thread = 1 << 17;

/// Threads worth using for that much work.
inline int threads_for(double work) {
    if (work < 2 * work_a_thread) return 1;
#if defined(CMLP_OPENMP)
    if (omp_in_parallel()) return 1;
#else
    if (in_parallel_region()) return 1;
#endif
    const double useful = std::min(work / work_a_thread, 1024.0);
    return std::clamp(static_cast<int>(useful), 1, num_threads());
}

/// Runs every piece 0 .. pieces - 1 once, on at most that many threads; returns when all are done.
inline void run_pieces(Index pieces, int threads, void (*run)(void*, Index), void* context) {
#if defined(CMLP_OPENMP)
    if (!forked()) {  // OpenMP's threads do not survive a fork
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (Index i = 0; i < pieces; ++i) run(context, i);
        return;
    }
    for (Index i = 0; i < pieces; ++i) run(context, i);
#else
    run_on_pool(pieces, threads, run, context);
#endif
}

/// f(i) for every i in 0 .. n on at most that many threads.
template <class F>
void parallel_each(Index n, int threads, F&& f) {
    const Index pieces = threads <= 1 ? 1 : std::clamp(n, Index(1), most_pieces);
    auto piece = [&](Index p) {
        for (Index i = n * p / pieces; i < n * (p + 1) / pieces; ++i) f(i);
    };
    if (pieces <= 1) return piece(0);
    run_pieces(
        pieces, threads, [](void* context, Index p) { (*static_cast<decltype(piece)*>(context))(p); },
        &piece);
}

/// f(begin, end) over 0 .. n on at most `threads` threads, in pieces whose bounds are multiples of `grain`.
template <class F>
void parallel_for(Index n, Index grain, int threads, F&& f) {
    const Index grains = (n + grain - 1) / grain;
    if (threads <= 1 || grains <= 1) {
        if (n > 0) f(Index(0), n);
        return;
    }
    const Index pieces = std::min({grains, Index(threads) * pieces_a_thread, most_pieces});
    auto piece = [&](Index i) {
        // Rounded up, so that the first pieces, which the caller takes, are the larger ones.
        const Index begin = (grains * i + pieces - 1) / pieces * grain;
        const Index end = std::min(n, (grains * (i + 1) + pieces - 1) / pieces * grain);
        if (begin < end) f(begin, end);
    };
    parallel_each(pieces, threads, piece);
}

}  // namespace cmlp
