// The processors that this process may use, and the threads that a call may.
#pragma once

namespace cmlp::inline v0_1 {

/// Processors by affinity, and by a container's quota.
int processors_allowed();

/// The same as this thread knew it some milliseconds ago: teams that are opened in a row save a system call each.
int processors_lately();

/// num_threads(), where there are that many processors.
int thread_limit(int processors);

}  // namespace cmlp::inline v0_1
