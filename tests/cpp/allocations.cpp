// Operator new of the test program.
#include "allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<long> count = 0, in_use = 0;
std::atomic<long> until_failure = 0;  // 0: none fails

bool fails() {
    ++count;
    return until_failure.load(std::memory_order_relaxed) > 0 && --until_failure == 0;
}

void* counted(std::size_t size, std::size_t alignment) {
    const std::size_t rounded = (size + alignment) / alignment * alignment;
    void* memory = fails() ? nullptr : std::aligned_alloc(alignment, rounded);
    if (!memory) throw std::bad_alloc();
    ++in_use;
    return memory;
}

// Not inlined: the compiler would see a `new` that it did not inline beside a `free`, and warn.
[[gnu::noinline]] void release(void* memory) noexcept {
    if (memory) --in_use;
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, std::size_t(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    void* memory = fails() ? nullptr : std::malloc(size);
    if (memory) ++in_use;
    return memory;
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace cmlp::test {

long allocations() { return count; }
long blocks_in_use() { return in_use; }

FailingAllocation::FailingAllocation(long n) { until_failure = n; }
FailingAllocation::~FailingAllocation() { until_failure = 0; }
bool FailingAllocation::has_failed() const { return until_failure <= 0; }

}  // namespace cmlp::test
