// How many threads a call may use. (The instruction set is chosen in dispatch.cpp.)
#include "runtime/threads.hpp"

#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "runtime/team.hpp"

#if defined(__linux__)
#include <sched.h>
#include <time.h>
#endif

namespace cmlp::inline v0_1 {
namespace {

constexpr int no_quota = 1 << 20;

int processors_by_affinity() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Processors that a container's quota pays for: cgroup v2 "max 100000" or "150000 100000", v1 in two files.
int read_quota() {
    const auto processors = [](double quota, double period) {
        return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : no_quota;
    };
    std::string first;
    double quota = 0, period = 0;
    if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> first >> period)
        return first == "max" ? no_quota : processors(std::atof(first.c_str()), period);
    std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (v1_quota >> quota && v1_period >> period) return processors(quota, period);
    return no_quota;
}

int named_by_environment() {
    const char* text = std::getenv("OMP_NUM_THREADS");
    return text ? std::max(0, std::atoi(text)) : 0;
}

std::atomic<int> limit = 0;       // of all threads; 0: the default
thread_local int call_limit = 0;  // of this thread's calls; 0: none

}  // namespace

int processors_allowed() {
    static const int quota = read_quota();
    return std::min(processors_by_affinity(), quota);
}

int processors_lately() {
#if defined(__linux__)
    thread_local timespec last = {};
    thread_local int processors = 0;
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (processors == 0 || now.tv_nsec != last.tv_nsec || now.tv_sec != last.tv_sec) {
        processors = processors_allowed();
        last = now;
    }
    return processors;
#else
    return processors_allowed();
#endif
}

int thread_limit(int processors) {
    static const int named = named_by_environment();
    int count = call_limit > 0 ? call_limit : limit.load(std::memory_order_relaxed);
    if (count == 0) count = named > 0 ? named : processors;
    return std::min(count, openmp_limit());
}

int num_threads() { return thread_limit(processors_allowed()); }

void set_num_threads(std::optional<int> count) {
    require(!count || *count >= 1, "set_num_threads: count is ", count.value_or(0),
            ", it must be at least 1");
    limit.store(count.value_or(0), std::memory_order_relaxed);
}

int detail::limit_call(int threads) {
    require(threads >= 0, "Execution: threads is ", threads, ", it must be at least 1, or 0 for the default");
    return std::exchange(call_limit, threads);
}

}  // namespace cmlp::inline v0_1
