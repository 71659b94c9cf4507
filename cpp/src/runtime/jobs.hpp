// The jobs that a team's caller publishes, one at a time: their pieces are claimed from a ticket that carries
// the job's number.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <atomic>
#include <cstdint>

#include "runtime/placement.hpp"

namespace cmlp::inline v0_1 {

class Jobs {
public:
    using Run = void (*)(void*, Index);

    /// placed: whether members are kept off the caller's processor.
    explicit Jobs(bool placed) : placed_(placed) {}

    /// The caller's first call: how many members there are beside it.
    void open(int members) { members_ = members; }
    int members() const { return members_; }

    /// The caller's side of a job, on its own thread and at most threads - 1 members: returns when all pieces are done.
    void run(Index pieces, int threads, Run run, void* context);
    /// The caller's last call: returns when no member is in serve any more, without spinning for long.
    void close();
    /// A member's side: claims pieces, job after job, until close.
    void serve(int member);

private:
    void publish(Index pieces, int threads, Run run, void* context);
    void claim_all(std::uint64_t ticket, bool from_back);
    std::uint64_t next_job(std::uint64_t last);

    Placement placement_;
    int members_ = 0;
    const bool placed_;
    alignas(64) std::atomic<std::uint64_t> ticket_ = 0;
    std::atomic<Run> run_ = nullptr;
    std::atomic<void*> context_ = nullptr;
    std::atomic<int> helpers_ = 0;
    std::atomic<bool> closed_ = false;
    alignas(64) std::atomic<Index> done_ = 0;
    std::atomic<int> sleeping_ = 0;
    std::atomic<int> left_ = 0;
};

}  // namespace cmlp::inline v0_1
