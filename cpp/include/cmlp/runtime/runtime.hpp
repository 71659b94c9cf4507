// What the core runs on: the instruction set, by name, and the number of threads.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

/// Names of the instruction sets this build has and this processor can run, best first.
std::vector<std::string> isas();

/// Names of all instruction sets in this build, best first.
std::vector<std::string> built_isas();

/// Name of the instruction set in use: the best one, or what CMLP_ISA or set_isa chose.
/// A CMLP_ISA that is unknown or cannot run here is ignored with a line on stderr.
std::string isa();

/// Chooses the instruction set for calls that follow; throws std::invalid_argument listing the ones there
/// are.
void set_isa(std::string_view name);

/// How one call runs: the last argument of calls that train or predict. Threads at most; 0: as many as
/// num_threads() says. Throws std::invalid_argument where it is used when it is negative.
struct Execution {
    int threads = 0;
};

/// Threads that a call of this thread uses at most: an ExecutionScope's, else those of set_num_threads, else
/// the default, which is OMP_NUM_THREADS or the processors this process may run on. OpenMP's own limit
/// (omp_set_num_threads, threadpoolctl) bounds all three once it is lowered. No call starts more threads than
/// there are processors.
int num_threads();

/// Sets the limit for all threads, std::nullopt: back to the default; throws std::invalid_argument unless
/// count >= 1.
void set_num_threads(std::optional<int> count);

namespace detail {

/// Sets the limit for this thread's calls, 0: none; the one before.
int limit_call(int threads);

}  // namespace detail

/// The limit for the calls of this thread, nested ones included, until it goes out of scope.
class [[nodiscard]] ExecutionScope {
public:
    /// Throws std::invalid_argument on a negative count.
    explicit ExecutionScope(Execution execution)
        : before_(execution.threads == 0 ? none : detail::limit_call(execution.threads)) {}
    ~ExecutionScope() {
        if (before_ != none) (void)detail::limit_call(before_);
    }
    ExecutionScope(const ExecutionScope&) = delete;

private:
    static constexpr int none = -1;
    int before_;
};

/// Whose threads a call's team is made of in this build: "OpenMP" or "std::thread".
std::string_view team_kind();

/// The threads of a team: those of team_kind(), or std::thread's, as in a forked child.
enum class TeamKind { of_build, std_thread };

/// Runs body on this thread with one team of exactly so many threads for all calls in it, however many processors
/// there are: slower than calls left alone, for tests that the number of threads changes no bit. Inside another team
/// body runs as it is. Throws std::invalid_argument unless threads >= 1, and what body throws. The process must not
/// fork in the body.
void run_in_team(int threads, const std::function<void()>& body, TeamKind kind = TeamKind::of_build);

/// Ends the threads that OpenMP keeps for this thread's next call; without OpenMP there are none between
/// calls. A call made while a team is open, or in a process forked from one that used it, does nothing.
void shutdown();

}  // namespace cmlp::inline v0_1
