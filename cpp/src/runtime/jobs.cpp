// Half of the threads claim from the front, half from the back, so that job after job a thread meets the rows
// and weights it has in its caches.
#include "runtime/jobs.hpp"

#include <thread>

#include "runtime/team.hpp"

namespace cmlp::inline v0_1 {
namespace {

// A waiting thread looks this often before it sleeps: some 50 us, longer than the gaps between the jobs of a step.
constexpr int looks_before_sleep = 2000;

// A ticket is the job's number (34 bits), its pieces, and those claimed from the front and from the back (10
// each): a claim that succeeds was of a piece that was still there, so what was read of the job before it was
// that job's.
constexpr int field = 10;

std::uint64_t job_of(std::uint64_t ticket) { return ticket >> 3 * field; }

Index part_of(std::uint64_t ticket, int place) {
    return static_cast<Index>(ticket >> place * field & most_pieces);
}

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

void Jobs::run(Index pieces, int threads, Run run, void* context) {
    if (placed_) placement_.make_way();
    publish(pieces, threads, run, context);
    claim_all(ticket_.load(std::memory_order_relaxed), false);
    for (int looks = 0; done_.load(std::memory_order_acquire) < pieces; ++looks)
        looks < looks_before_sleep ? pause() : std::this_thread::yield();
}

// The job before is done and has no piece left to claim, so nobody reads these while they are written.
void Jobs::publish(Index pieces, int threads, Run run, void* context) {
    run_.store(run, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    helpers_.store(threads - 1, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    const std::uint64_t job = job_of(ticket_.load(std::memory_order_relaxed)) + 1;
    ticket_.store(job << 3 * field | static_cast<std::uint64_t>(pieces) << 2 * field,
                  std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) ticket_.notify_all();
}

// A caller that spins keeps the processor from a member that was put on the same one.
void Jobs::close() {
    closed_.store(true, std::memory_order_relaxed);
    publish(0, 1, nullptr, nullptr);
    int left = left_.load(std::memory_order_acquire);
    for (int looks = 0; left < members_; left = left_.load(std::memory_order_acquire))
        if (++looks < looks_before_sleep)
            pause();
        else
            left_.wait(left, std::memory_order_acquire);
}

// Claims pieces of the ticket's job until none is left, from the front or from the back.
void Jobs::claim_all(std::uint64_t ticket, bool from_back) {
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

void Jobs::serve(int member) {
    if (placed_) placement_.enter(member);
    for (std::uint64_t last = 0;;) {
        const std::uint64_t ticket = next_job(last);
        if (closed_.load(std::memory_order_relaxed)) break;
        last = job_of(ticket);
        if (member < helpers_.load(std::memory_order_relaxed)) claim_all(ticket, member % 2 == 0);
    }
    left_.fetch_add(1, std::memory_order_release);
    left_.notify_one();
}

// Waits for a job other than the last: looks for a while, then sleeps.
std::uint64_t Jobs::next_job(std::uint64_t last) {
    for (int looks = 0; looks < looks_before_sleep; ++looks, pause())
        if (const auto ticket = ticket_.load(std::memory_order_acquire); job_of(ticket) != last)
            return ticket;
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    std::uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
    for (; job_of(ticket) == last; ticket = ticket_.load(std::memory_order_acquire)) ticket_.wait(ticket);
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
    return ticket;
}

}  // namespace cmlp::inline v0_1
