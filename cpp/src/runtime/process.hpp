// What threads agree on, and a forked child does not inherit: it has none of its parent's threads but the one that
// forked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/team.hpp"

namespace cmlp::inline v0_1::detail {

/// A number with the process that it was stored in: fork_count() in the upper half.
class Stamped {
public:
    explicit Stamped(std::uint32_t number) : bits_(std::uint64_t(fork_count()) << 32 | number) {}
    static Stamped of_bits(std::uint64_t bits) {
        Stamped stored(0);
        stored.bits_ = bits;
        return stored;
    }
    std::uint64_t bits() const { return bits_; }
    /// The number, whichever process stored it.
    std::uint32_t number() const { return static_cast<std::uint32_t>(bits_); }
    bool is_of_this_process() const { return bits_ >> 32 == fork_count(); }
    /// The number if this process stored it, else 0.
    std::uint32_t number_here() const { return is_of_this_process() ? number() : 0; }

private:
    std::uint64_t bits_;
};

/// A count that begins at 0 in a forked child.
class ProcessCount {
public:
    std::uint32_t get() const { return Stamped::of_bits(bits_.load()).number_here(); }
    /// Returns the process that counts it, for subtract().
    unsigned add();
    /// One less, unless it was added in a parent.
    void subtract(unsigned process);

private:
    std::atomic<std::uint64_t> bits_ = 0;
};

/// A lock for short sections that is free in a forked child.
class ProcessLock {
public:
    /// Waits for the lock. False: a thread of a parent held it at the fork, and what it guards may be half changed.
    [[nodiscard]] bool lock();
    void unlock() { bits_.store(0, std::memory_order_release); }

private:
    std::atomic<std::uint64_t> bits_ = 0;
};

/// This thread's number, from 1, which no other thread of the process gets; it expires with the thread.
const std::shared_ptr<const std::uint32_t>& this_thread();

/// What a thread does that waits, the more patient the more often it has looked.
void wait_a_little(int looks);

}  // namespace cmlp::inline v0_1::detail
