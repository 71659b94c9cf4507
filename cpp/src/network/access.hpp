// Who uses a network: one thread that changes it, or any number that read it.
#pragma once

#include "runtime/process.hpp"

namespace cmlp::inline v0_1::detail {

/// A forked child does not wait for the threads of its parent, which it has not got.
class Access {
public:
    /// For a thread that changes the network: waits until the calls that read it have ended. False when this
    /// thread already has the right to. Throws std::runtime_error while another thread has it.
    bool enter(const char* what);
    void leave() { owner_.store(0, std::memory_order_release); }
    /// For a thread that reads it; throws std::runtime_error while another thread changes it. Returns what
    /// leave_shared takes.
    unsigned enter_shared(const char* what);
    void leave_shared(unsigned process) { readers_.subtract(process); }

private:
    std::atomic<std::uint64_t> owner_ = 0;  // Stamped: the number of the thread, 0: nobody
    ProcessCount readers_;
};

}  // namespace cmlp::inline v0_1::detail
