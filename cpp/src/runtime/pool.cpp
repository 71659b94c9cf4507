// The pool: one job at a time, its pieces claimed from a ticket that carries the job's number. Half of the threads claim
// from the front, half from the back, so that job after job a thread meets the rows and weights it has in its caches.
#include "runtime/pool.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace cmlp {
namespace {

// A waiting thread looks this often before it sleeps: some 50 us, longer than the gaps between the regions of a step.
constexpr int looks_before_sleep = 2000;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

thread_local bool in_region = false;

// Marks this thread as one that runs pieces.
struct Region {
    Region() { in_region = true; }
    ~Region() { in_region = false; }
    Region(const Region&) = delete;
};

// The workers, kept off the processor of the caller. Linux likes to wake a thread on the processor of the one that wakes
// it, on a virtual machine even where another is idle: the woken thread would run when the caller has done all pieces.
class Workers {
public:
    Index size() const { return std::ssize(threads_); }
    void add(std::thread thread) {
        threads_.push_back(thread.native_handle());
        thread.detach();
        caller_ = -1;
    }
    // For each job: where the caller still is where it was, nothing is done.
    void make_way() {
#if defined(__linux__)
        const int here = sched_getcpu();
        if (here == caller_) return;
        caller_ = here;
        cpu_set_t allowed;
        if (here < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
        CPU_CLR(here, &allowed);
        if (CPU_COUNT(&allowed) == 0) return;
        for (const auto thread : threads_) pthread_setaffinity_np(thread, sizeof allowed, &allowed);
#endif
    }

private:
    std::vector<std::thread::native_handle_type> threads_;
    int caller_ = -1;
};

class Pool {
public:
    void run(Index pieces, int threads, void (*run)(void*, Index), void* context) {
        std::unique_lock<std::mutex> only(mutex_, std::defer_lock);
        if (!in_region) (void)only.try_lock();
        if (!only.owns_lock()) {
            for (Index i = 0; i < pieces; ++i) run(context, i);
            return;
        }
        while (workers_.size() < threads - 1 && start_worker()) {
        }
        workers_.make_way();
        publish(pieces, threads, run, context);
        claim_all(ticket_.load(std::memory_order_relaxed), false);
        for (int looks = 0; done_.load(std::memory_order_acquire) < pieces; ++looks)
            looks < looks_before_sleep ? pause() : std::this_thread::yield();
    }

private:
    // A ticket is the job's number (34 bits), its pieces, and those claimed from the front and from the back (10 each): a
    // claim that succeeds was of a piece that was still there, so what was read of the job before it was that job's.
    static constexpr int field = 10;
    static std::uint64_t job_of(std::uint64_t ticket) { return ticket >> 3 * field; }
    static Index part_of(std::uint64_t ticket, int place) {
        return static_cast<Index>(ticket >> place * field & most_pieces);
    }

    // False where the system gives no more threads: the work is then done by those there are.
    bool start_worker() {
        try {
            workers_.add(std::thread([this, id = workers_.size()] { work(id); }));
            return true;
        } catch (const std::system_error&) {
            return false;
        }
    }

    // The job before is done and has no piece left to claim, so nobody reads these while they are written.
    void publish(Index pieces, int threads, void (*run)(void*, Index), void* context) {
        run_.store(run, std::memory_order_relaxed);
        context_.store(context, std::memory_order_relaxed);
        helpers_.store(threads - 1, std::memory_order_relaxed);
        done_.store(0, std::memory_order_relaxed);
        const std::uint64_t job = job_of(ticket_.load(std::memory_order_relaxed)) + 1;
        ticket_.store(job << 3 * field | static_cast<std::uint64_t>(pieces) << 2 * field,
                      std::memory_order_seq_cst);
        if (sleeping_.load(std::memory_order_seq_cst) > 0) ticket_.notify_all();
    }

    // Claims pieces of the ticket's job until none is left, from the front or from the back.
    void claim_all(std::uint64_t ticket, bool from_back) {
        const Region region;
        for (const std::uint64_t job = job_of(ticket); job_of(ticket) == job;) {
            const auto run = run_.load(std::memory_order_relaxed);
            const auto context = context_.load(std::memory_order_relaxed);
            const Index pieces = part_of(ticket, 2), front = part_of(ticket, 1), back = part_of(ticket, 0);
            if (front + back >= pieces) return;
            const std::uint64_t claim = std::uint64_t(1) << (from_back ? 0 : field);
            if (!ticket_.compare_exchange_weak(ticket, ticket + claim, std::memory_order_acq_rel)) continue;
            run(context, from_back ? pieces - 1 - back : front);
            done_.fetch_add(1, std::memory_order_release);
            ticket = ticket_.load(std::memory_order_acquire);
        }
    }

    void work(Index id) {
        std::uint64_t seen = 0;
        while (true) {
            const std::uint64_t ticket = next_job(seen);
            seen = job_of(ticket);
            if (id < helpers_.load(std::memory_order_relaxed)) claim_all(ticket, id % 2 == 0);
        }
    }

    // Waits for a job other than `seen`: looks for a while, then sleeps.
    std::uint64_t next_job(std::uint64_t seen) {
        for (int looks = 0; looks < looks_before_sleep; ++looks, pause())
            if (const auto ticket = ticket_.load(std::memory_order_acquire); job_of(ticket) != seen)
                return ticket;
        sleeping_.fetch_add(1, std::memory_order_seq_cst);
        std::uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
        for (; job_of(ticket) == seen; ticket = ticket_.load(std::memory_order_acquire)) ticket_.wait(ticket);
        sleeping_.fetch_sub(1, std::memory_order_relaxed);
        return ticket;
    }

    std::mutex mutex_;  // held by the caller whose job it is
    Workers workers_;
    alignas(64) std::atomic<std::uint64_t> ticket_ = 0;
    std::atomic<void (*)(void*, Index)> run_ = nullptr;
    std::atomic<void*> context_ = nullptr;
    std::atomic<int> helpers_ = 0;
    alignas(64) std::atomic<Index> done_ = 0;
    std::atomic<int> sleeping_ = 0;
};

std::atomic<bool> in_child = false;

// Never destroyed: its threads may outlive main. A forked child has none of them and starts with a new one.
std::atomic<Pool*> pool = nullptr;

Pool& current_pool() {
    Pool* current = pool.load(std::memory_order_acquire);
    if (!current) {
        auto* fresh = new Pool;
        if (pool.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) return *fresh;
        delete fresh;
    }
    return *current;
}

[[maybe_unused]] const bool watching_forks = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] {
        in_child.store(true, std::memory_order_relaxed);
        pool.store(nullptr, std::memory_order_relaxed);
    });
#endif
    return true;
}();

}  // namespace

bool in_parallel_region() { return in_region; }

bool forked() { return in_child.load(std::memory_order_relaxed); }

void run_on_pool(Index pieces, int threads, void (*run)(void*, Index), void* context) {
    current_pool().run(pieces, threads, run, context);
}

}  // namespace cmlp
