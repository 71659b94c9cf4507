// The team's threads are OpenMP's, in one region a team, or std::thread's without OpenMP and in a forked
// child, where OpenMP's do not survive. The only file that says omp.
#include "runtime/team.hpp"

#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <thread>
#include <vector>

#include "runtime/floating_point.hpp"
#include "runtime/jobs.hpp"
#include "runtime/threads.hpp"

#if defined(CMLP_OPENMP)
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace cmlp::inline v0_1 {
namespace {

thread_local Jobs* led = nullptr;       // by this thread
thread_local bool runs_pieces = false;  // this thread does, so that what is inside runs alone

std::atomic<int> members = 0;  // threads of all open teams but their callers
std::atomic<bool> in_child = false;
std::atomic<unsigned> forks = 0;

[[maybe_unused]] const bool forks_are_noticed = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] {
        in_child.store(true, std::memory_order_relaxed);
        forks.fetch_add(1, std::memory_order_relaxed);
        members.store(0, std::memory_order_relaxed);
    });
#endif
    return true;
}();

// A flag or pointer of this thread for the time of a scope.
template <class V>
class Set {
public:
    Set(V& variable, V value) : variable_(variable), before_(variable) { variable = value; }
    ~Set() { variable_ = before_; }
    Set(const Set&) = delete;

private:
    V& variable_;
    V before_;
};

struct Body {
    void (*run)(void*);
    void* context;

    // An exception must not pass through a region: it is kept until the team has ended.
    std::exception_ptr operator()(Jobs& jobs) const {
        const Set leading(led, &jobs);
        std::exception_ptr error;
        try {
            run(context);
        } catch (...) {
            error = std::current_exception();
        }
        jobs.close();
        return error;
    }
};

// A member computes with the caller's mode.
void serve(Jobs& jobs, int member, FloatingPointMode mode) {
    const Set inside(runs_pieces, true);
    const auto own = FloatingPointMode::current();
    mode.set();
    jobs.serve(member);
    own.set();
}

std::exception_ptr with_std_threads(int threads, Jobs& jobs, const Body& body) {
    const auto mode = FloatingPointMode::current();
    std::vector<std::thread> team;
    try {
        team.reserve(static_cast<size_t>(threads - 1));
        for (int member = 0; member < threads - 1; ++member)
            team.emplace_back([&jobs, mode, member] { serve(jobs, member, mode); });
    } catch (...) {  // the system gives no more: those there are do the work
    }
    jobs.open(static_cast<int>(team.size()));
    const std::exception_ptr error = body(jobs);
    for (std::thread& thread : team) thread.join();
    return error;
}

#if defined(CMLP_OPENMP)
// Regions are all of the largest size so far, since libgomp starts new threads when the size changes.
std::exception_ptr with_openmp(int threads, Jobs& jobs, const Body& body) {
    static std::atomic<int> largest = 0;
    int size = largest.load(std::memory_order_relaxed);
    while (size < threads && !largest.compare_exchange_weak(size, threads)) {
    }
    size = std::max(size, threads);
    const auto mode = FloatingPointMode::current();
    std::exception_ptr error;
#pragma omp parallel num_threads(size) shared(error, jobs, body, mode)
    {
        const int id = omp_get_thread_num(), members = std::min(threads, omp_get_num_threads()) - 1;
        if (id == 0) {
            jobs.open(members);
            error = body(jobs);
        } else if (id <= members) {
            serve(jobs, id - 1, mode);
        }
    }
    return error;
}

const int openmp_limit_at_start = omp_get_max_threads();

// A library that is unloaded takes its threads along.
struct EndsThreads {
    ~EndsThreads() { shutdown(); }
};
[[maybe_unused]] const EndsThreads at_unload;
#endif

// Not where the user has bound OpenMP's threads to places.
bool may_place() {
#if defined(CMLP_OPENMP)
    return omp_get_proc_bind() == omp_proc_bind_false;
#else
    return true;
#endif
}

bool in_foreign_region() {
#if defined(CMLP_OPENMP)
    return omp_in_parallel() != 0;
#else
    return false;
#endif
}

std::exception_ptr open_team(int threads, Jobs& jobs, const Body& body, [[maybe_unused]] TeamKind kind) {
#if defined(CMLP_OPENMP)
    if (kind == TeamKind::of_build && !in_child.load(std::memory_order_relaxed))
        return with_openmp(threads, jobs, body);
#endif
    return with_std_threads(threads, jobs, body);
}

}  // namespace

void run_with_team(int threads, void (*run)(void*), void* context, TeamKind kind) {
    if (led || runs_pieces) return run(context);
    if (threads <= 1) return run_alone(run, context);
    Jobs jobs(may_place());
    members.fetch_add(threads - 1, std::memory_order_relaxed);
    const std::exception_ptr error = open_team(threads, jobs, {run, context}, kind);
    members.fetch_sub(threads - 1, std::memory_order_relaxed);
    if (error) std::rethrow_exception(error);
}

void run_in_team(int threads, const std::function<void()>& body, TeamKind kind) {
    require(threads >= 1, "run_in_team: threads is ", threads, ", it must be at least 1");
    auto call = [&body] { body(); };
    run_with_team(threads, [](void* f) { (*static_cast<decltype(call)*>(f))(); }, &call, kind);
}

void run_alone(void (*run)(void*), void* context) {
    const Set alone(runs_pieces, true);
    run(context);
}

void run_pieces(Index pieces, int threads, void (*run)(void*, Index), void* context) {
    if (pieces <= 1 || threads <= 1 || runs_pieces || (!led && in_foreign_region())) {
        for (Index i = 0; i < pieces; ++i) run(context, i);
        return;
    }
    auto body = [&] {
        const Set inside(runs_pieces, true);
        led->run(pieces, threads, run, context);
    };
    if (led) return body();
    run_with_team(threads, [](void* f) { (*static_cast<decltype(body)*>(f))(); }, &body);
}

int team_threads() { return runs_pieces ? 1 : led ? led->members() + 1 : 0; }

int useful_threads() {
    const int processors = processors_lately(), limit = thread_limit(processors);
    if (limit == 1 || in_foreign_region()) return 1;
    return std::clamp(processors - members.load(std::memory_order_relaxed), 1, limit);
}

double least_work_of_team() {
#if defined(CMLP_OPENMP)
    if (!in_child.load(std::memory_order_relaxed)) return 1 << 18;
#endif
    return 1 << 24;
}

int openmp_limit() {
#if defined(CMLP_OPENMP)
    if (const int now = omp_get_max_threads(); now < openmp_limit_at_start) return now;
#endif
    return std::numeric_limits<int>::max();
}

unsigned fork_count() { return forks.load(std::memory_order_relaxed); }

std::string_view team_kind() {
#if defined(CMLP_OPENMP)
    return "OpenMP";
#else
    return "std::thread";
#endif
}

void shutdown() {
#if defined(CMLP_OPENMP)
    if (!omp_in_parallel() && !in_child.load(std::memory_order_relaxed))
        omp_pause_resource_all(omp_pause_hard);
#endif
}

}  // namespace cmlp::inline v0_1
