// How many threads a call may use. (The instruction set is chosen in kernels/dispatch.cpp.)
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace cmlp {
namespace {

int processors_allowed() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Processors that a container's quota pays for: cgroup v2 "max 100000" or "150000 100000", v1 in two files.
int quota_allowed() {
    const auto processors = [](double quota, double period) {
        return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : 1 << 20;
    };
    std::string first;
    double quota = 0, period = 0;
    if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> first >> period)
        return first == "max" ? 1 << 20 : processors(std::atof(first.c_str()), period);
    std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (v1_quota >> quota && v1_period >> period) return processors(quota, period);
    return 1 << 20;
}

int default_threads() {
    if (const char* text = std::getenv("OMP_NUM_THREADS"))
        if (const int count = std::atoi(text); count >= 1) return count;
    return std::min(processors_allowed(), quota_allowed());
}

std::atomic<int> threads = 0;  // 0: not asked for yet

}  // namespace

int num_threads() {
    int count = threads.load(std::memory_order_relaxed);
    if (count == 0) threads.store(count = default_threads(), std::memory_order_relaxed);
    return count;
}

void set_num_threads(int count) {
    require(count >= 1, "set_num_threads: count is ", count, ", it must be at least 1");
    threads.store(count, std::memory_order_relaxed);
}

}  // namespace cmlp
