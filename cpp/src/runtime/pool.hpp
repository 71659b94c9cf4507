// A few threads that wait for pieces of work.
#pragma once

#include <cmlp/base/matrix.hpp>

namespace cmlp {

/// Pieces that work is cut into for each thread: one that is held up leaves the others to its neighbours.
constexpr Index pieces_a_thread = 2;

constexpr Index most_pieces = 0x3ff;

/// Runs every piece (at most most_pieces) once, on the calling thread and at most threads - 1 others; returns when all
/// are done. The caller claims pieces itself, so it never waits for a thread that has not begun. While another caller uses
/// the pool, or on a thread that is running pieces, it runs everything alone. A forked process starts with a pool of its
/// own. `run` must not throw.
void run_on_pool(Index pieces, int threads, void (*run)(void*, Index), void* context);

/// True on a thread that is running pieces.
bool in_parallel_region();

/// True in a process that was forked from one that had loaded this library.
bool forked();

}  // namespace cmlp
