// Notices fork: a child must not use the parent's OpenMP threads, which do not exist there.
#include "parallel.hpp"

#include <atomic>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace cmlp {
namespace {

std::atomic<bool> in_child = false;

[[maybe_unused]] const bool watching = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] { in_child.store(true, std::memory_order_relaxed); });
#endif
    return true;
}();

}  // namespace

bool forked() { return in_child.load(std::memory_order_relaxed); }

}  // namespace cmlp
