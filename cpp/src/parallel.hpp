// Threads: the only file that says omp. What runs where never changes a bit of what is computed.
#pragma once

#include <cmlp/matrix.hpp>
#include <cmlp/runtime.hpp>

#include <algorithm>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace cmlp {

/// True in a process forked from one that may have started threads: its regions then run on one.
bool forked();

/// Work, in multiplications or so, below which a second thread costs more than it saves.
constexpr double work_a_thread = 1 << 17;

/// Threads worth using for that much work.
inline int threads_for(double work) {
    const double useful = std::min(work / work_a_thread, 1024.0);
    return forked() ? 1 : std::clamp(static_cast<int>(useful), 1, num_threads());
}

/// f(begin, end) over 0 .. n in at most `threads` pieces whose bounds are multiples of `grain`.
template <class F>
void parallel_for(Index n, Index grain, int threads, F&& f) {
    const Index grains = (n + grain - 1) / grain;
    const auto pieces = std::min<Index>(threads, grains);
#if defined(_OPENMP)
    if (pieces > 1) {
#pragma omp parallel num_threads(static_cast<int>(pieces))
        {
            const Index team = omp_get_num_threads(), me = omp_get_thread_num();
            const Index begin = grains * me / team * grain, end = std::min(n, grains * (me + 1) / team * grain);
            if (begin < end) f(begin, end);
        }
        return;
    }
#endif
    if (n > 0) f(Index(0), n);
}

}  // namespace cmlp
