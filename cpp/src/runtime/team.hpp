// A team of threads for the time of one call: the caller runs the call's body, the others claim pieces of the
// jobs in it.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/runtime.hpp>

namespace cmlp::inline v0_1 {

/// Pieces that work is cut into for each thread: one that is held up leaves the others to its neighbours.
constexpr Index pieces_a_thread = 2;

constexpr Index most_pieces = 0x3ff;

/// Runs body on this thread beside a team of so many threads in all, which ends with it. Inside a team, or on
/// a thread that runs a piece, body runs as it is. An exception of body leaves through the caller. The
/// members compute with the caller's floating-point mode. A process must not fork in the body: hooks are
/// called between teams.
void run_with_team(int threads, void (*body)(void*), void* context, TeamKind kind = TeamKind::of_build);

/// Runs body on this thread, which has no team in it, even where it leads one.
void run_alone(void (*body)(void*), void* context);

/// Runs every piece (at most most_pieces) once, on this thread and at most threads - 1 others of its team, or
/// of one that is opened for it; returns when all are done. The caller claims pieces itself, so it never
/// waits for a thread that has not begun. On a thread that runs a piece, it runs everything alone. `run` must
/// not throw.
void run_pieces(Index pieces, int threads, void (*run)(void*, Index), void* context);

/// Threads of the team that this thread leads; 1 on a thread that runs a piece, 0 outside teams.
int team_threads();

/// Threads that a new team would make use of: the limit of num_threads(), but no more than processors that no team has.
int useful_threads();

/// Work, in multiplications or so, below which opening a team costs more than it saves: much more for std::thread's.
double least_work_of_team();

/// Forks between the process that loaded the library and this one: threads of the others are not in this one.
unsigned fork_count();

/// What OpenMP's own limit allows, since it was lowered; no bound otherwise.
int openmp_limit();

}  // namespace cmlp::inline v0_1
