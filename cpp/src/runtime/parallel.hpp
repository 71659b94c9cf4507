// Threads: what runs where never changes a bit of what is computed.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <algorithm>
#include <type_traits>

#include "runtime/team.hpp"

namespace cmlp::inline v0_1 {

/// Work, in multiplications or so, below which a second thread costs more than it saves.
constexpr double work_a_thread = 1 << 17;

/// Threads that so much work would keep busy.
inline int threads_kept_busy(double work) { return static_cast<int>(std::min(work / work_a_thread, 1024.0)); }

/// Threads worth using for that much work in the team of this thread, or in one that is opened for it.
inline int threads_for(double work) {
    if (work < 2 * work_a_thread) return 1;
    int most = team_threads();
    if (most == 0) most = work < least_work_of_team() ? 1 : useful_threads();
    return std::clamp(threads_kept_busy(work), 1, most);
}

/// body() with a team for the jobs in it: the largest is of so much work, and comes so many times.
template <class F>
void with_team(double work, double times, F&& body) {
    if (work < 2 * work_a_thread) return body();
    const bool worth = team_threads() == 0 && work * times >= least_work_of_team();
    const int threads = worth ? std::min(useful_threads(), threads_kept_busy(work)) : 1;
    run_with_team(threads, [](void* f) { (*static_cast<std::remove_reference_t<F>*>(f))(); }, &body);
}

/// body() with no team in it.
template <class F>
void alone(F&& body) {
    run_alone([](void* f) { (*static_cast<std::remove_reference_t<F>*>(f))(); }, &body);
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

}  // namespace cmlp::inline v0_1
