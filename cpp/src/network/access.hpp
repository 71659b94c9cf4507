// Who uses a network: one thread that changes it, or any number that read it.
#pragma once

#include <atomic>
#include <thread>

namespace cmlp::inline v0_1::detail {

class Access {
public:
    /// For a thread that changes the network: waits until the calls that read it have ended. False when this
    /// thread already has the right to. Throws std::runtime_error while another thread has it.
    bool enter(const char* what);
    void leave();
    /// For a thread that reads it; throws std::runtime_error while another thread changes it.
    void enter_shared(const char* what);
    void leave_shared();

private:
    [[noreturn]] static void refuse(const char* what);
    void forget_the_parents_threads();

    std::atomic<std::thread::id> owner_{};
    std::atomic<int> readers_ = 0;
    std::atomic<unsigned> forks_ = 0;
};

}  // namespace cmlp::inline v0_1::detail
