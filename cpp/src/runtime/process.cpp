// Numbers stamped with the process they hold in.
#include "runtime/process.hpp"

#include <chrono>
#include <thread>

namespace cmlp::inline v0_1::detail {
namespace {

constexpr int looks_before_sleep = 1000;
constexpr std::chrono::microseconds nap(100);

std::atomic<std::uint32_t> threads = 0;

}  // namespace

unsigned ProcessCount::add() {
    std::uint64_t found = bits_.load(std::memory_order_relaxed);
    while (!bits_.compare_exchange_weak(found, Stamped(Stamped::of_bits(found).number_here() + 1).bits())) {
    }
    return fork_count();
}

void ProcessCount::subtract(unsigned process) {
    if (process == fork_count()) bits_.fetch_sub(1, std::memory_order_release);
}

bool ProcessLock::lock() {
    for (int looks = 0;; ++looks) {
        std::uint64_t found = bits_.load(std::memory_order_relaxed);
        const bool held = Stamped::of_bits(found).number_here() != 0;
        if (!held && bits_.compare_exchange_weak(found, Stamped(1).bits())) return found == 0;
        wait_a_little(looks);
    }
}

const std::shared_ptr<const std::uint32_t>& this_thread() {
    thread_local const auto number = std::make_shared<const std::uint32_t>(++threads);
    return number;
}

void wait_a_little(int looks) {
    looks < looks_before_sleep ? std::this_thread::yield() : std::this_thread::sleep_for(nap);
}

}  // namespace cmlp::inline v0_1::detail
