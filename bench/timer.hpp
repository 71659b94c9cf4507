// The best time of a call.
#pragma once

#include <algorithm>
#include <chrono>

namespace bench {

/// About how long one measurement lasts, in seconds.
inline double budget = 0.03;

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of one call of f at best: runs of about 1 ms (at least one call), for as long as the budget lasts, at least
/// three.
template <class F>
double best_time(F&& f, double seconds = budget) {
    double start = now();
    f();
    const double first = std::max(now() - start, 1e-8);
    const int calls = std::max(1, int(1e-3 / first));
    double best = 1e30;
    const double end = now() + seconds;
    for (int run = 0; run < 3 || now() < end; ++run) {
        start = now();
        for (int i = 0; i < calls; ++i) f();
        best = std::min(best, (now() - start) / calls);
    }
    return best;
}

}  // namespace bench
