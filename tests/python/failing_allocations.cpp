// Preloaded by test_failing_allocations.py: makes an allocation fail, any of one thread or any operator new. Those of
// few bytes are left alone, since pybind11 ends the process when it cannot note an object.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

static thread_local bool counts_own = false;   // this thread's allocations
static std::atomic<bool> counts_news = false;  // by operator new, of all threads
static std::atomic<long> left = 0;

// From now on the n-th allocation fails: of this thread, or by operator new in any thread.
void failing_begin(long n, int news) { left = n, counts_news = news != 0, counts_own = news == 0; }

// Whether one has failed.
int failing_end() {
    counts_news = counts_own = false;
    return left <= 0;
}

static constexpr std::size_t least = 256;  // bytes

static bool fails(bool counted, std::size_t size) {
    if (!counted || size < least || --left != 0) return false;
    errno = ENOMEM;
    return true;
}

void* malloc(std::size_t size) noexcept { return fails(counts_own, size) ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t n, std::size_t size) noexcept {
    return fails(counts_own, n * size) ? nullptr : __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) noexcept {
    return fails(counts_own, size) ? nullptr : __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return fails(counts_own, size) ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = fails(counts_own, size) ? nullptr : __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
}

static void* newed(std::size_t size, std::size_t alignment) {
    void* memory = fails(counts_own || counts_news, size) ? nullptr : __libc_memalign(alignment, size);
    if (!memory) throw std::bad_alloc();
    return memory;
}

void* operator new(std::size_t size) { return newed(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return newed(size, std::size_t(alignment));
}
