// A team's members are kept off the processor of its caller. Linux likes to wake a thread on the processor of
// the one that wakes it, on a virtual machine even where another is idle: the woken thread would run when the
// caller has done all pieces.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace cmlp::inline v0_1 {

#if defined(__linux__)

class Placement {
public:
    /// A member's first call, on its thread.
    void enter(int member) {
        if (member >= most) return;
        Member& mine = members_[static_cast<size_t>(member)];
        mine.thread = pthread_self();
        mine.kept_off = &kept_off;
        entered_.fetch_add(1, std::memory_order_relaxed);
        mine.present.store(true, std::memory_order_release);
    }
    /// The caller's, for each job: where nobody moved and nobody came, nothing is done. Members stay off that processor
    /// between teams, so that they are woken elsewhere for the next one.
    void make_way() {
        const int here = sched_getcpu(), entered = entered_.load(std::memory_order_relaxed);
        if (here < 0 || (here == caller_ && entered == placed_)) return;
        caller_ = here, placed_ = entered;
        if (std::ranges::any_of(members_, [here](const Member& member) { return member.is_near(here); }))
            keep_off(here);
    }

private:
    static constexpr int most = 64;  // members beyond it are placed by the system alone

    struct Member {
        std::atomic<bool> present = false;
        pthread_t thread;
        int* kept_off;  // of that thread; written by the caller alone once the member is present

        bool is_near(int processor) const {
            return present.load(std::memory_order_acquire) && *kept_off != processor;
        }
    };

    void keep_off(int processor) {
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
        CPU_CLR(processor, &allowed);
        if (CPU_COUNT(&allowed) == 0) return;
        for (Member& member : members_)
            if (member.is_near(processor) &&
                pthread_setaffinity_np(member.thread, sizeof allowed, &allowed) == 0)
                *member.kept_off = processor;
    }

    static inline thread_local int kept_off = -1;

    std::array<Member, most> members_;
    std::atomic<int> entered_ = 0;
    int caller_ = -1, placed_ = 0;
};

#else

class Placement {
public:
    void enter(int) {}
    void make_way() {}
};

#endif

}  // namespace cmlp::inline v0_1
