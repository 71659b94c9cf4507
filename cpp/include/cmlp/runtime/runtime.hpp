// What the core runs on: the instruction set, by name, and the number of threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmlp {

/// Names of the instruction sets this build has and this processor can run, best first.
std::vector<std::string> isas();

/// Names of all instruction sets in this build, best first.
std::vector<std::string> built_isas();

/// Name of the instruction set in use: the best one, or what CMLP_ISA or set_isa chose.
/// A CMLP_ISA that is unknown or cannot run here is ignored with a line on stderr.
std::string isa();

/// Chooses the instruction set for calls that follow; throws std::invalid_argument listing the ones there are.
void set_isa(std::string_view name);

/// Threads a call may use at most; at first OMP_NUM_THREADS or the processors this process may run on.
int num_threads();

/// Sets that limit; throws std::invalid_argument unless count >= 1.
void set_num_threads(int count);

}  // namespace cmlp
