// The rules of who may use a network at the same time.
#include "network/access.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

#include "runtime/team.hpp"

namespace cmlp::inline v0_1::detail {
namespace {

constexpr int looks_before_sleep = 1000;
constexpr std::chrono::microseconds nap(100);

}  // namespace

// A reader counts itself before it looks for an owner, an owner enters before it looks for readers: one of
// them sees the other.
bool Access::enter(const char* what) {
    std::thread::id nobody;
    const auto me = std::this_thread::get_id();
    forget_the_parents_threads();
    if (owner_.load(std::memory_order_relaxed) == me) return false;
    if (!owner_.compare_exchange_strong(nobody, me)) refuse(what);
    for (int looks = 0; readers_.load() > 0; ++looks)
        looks < looks_before_sleep ? std::this_thread::yield() : std::this_thread::sleep_for(nap);
    return true;
}

// A forked process has none of its parent's threads but the one that forked: it must not wait for the others.
void Access::forget_the_parents_threads() {
    const unsigned now = fork_count();
    if (forks_.load(std::memory_order_relaxed) == now) return;
    forks_.store(now, std::memory_order_relaxed);
    readers_.store(0);
    if (owner_.load() != std::this_thread::get_id()) owner_.store(std::thread::id());
}

void Access::leave() { owner_.store(std::thread::id(), std::memory_order_release); }

void Access::enter_shared(const char* what) {
    forget_the_parents_threads();
    readers_.fetch_add(1);
    const auto owner = owner_.load();
    if (owner == std::thread::id() || owner == std::this_thread::get_id()) return;
    leave_shared();
    refuse(what);
}

void Access::leave_shared() { readers_.fetch_sub(1, std::memory_order_release); }

void Access::refuse(const char* what) {
    throw std::runtime_error(std::string(what) + ": another thread is training this network");
}

}  // namespace cmlp::inline v0_1::detail
