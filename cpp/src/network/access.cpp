// The rules of who may use a network at the same time.
#include "network/access.hpp"

#include <stdexcept>
#include <string>

namespace cmlp::inline v0_1::detail {
namespace {

// The thread that forked keeps in the child what it owned.
bool is_owned_by(std::uint64_t owner, std::uint32_t thread) {
    return Stamped::of_bits(owner).number() == thread;
}

bool is_free(std::uint64_t owner) { return Stamped::of_bits(owner).number_here() == 0; }

[[noreturn]] void refuse(const char* what) {
    throw std::runtime_error(std::string(what) + ": another thread is training this network");
}

}  // namespace

// A reader counts itself before it looks for an owner, an owner enters before it looks for readers: one of
// them sees the other.
bool Access::enter(const char* what) {
    const std::uint32_t me = *this_thread();
    std::uint64_t owner = owner_.load();
    if (is_owned_by(owner, me)) return false;
    do {
        if (!is_free(owner)) refuse(what);
    } while (!owner_.compare_exchange_weak(owner, Stamped(me).bits()));
    for (int looks = 0; readers_.get() > 0; ++looks) wait_a_little(looks);
    return true;
}

unsigned Access::enter_shared(const char* what) {
    const unsigned process = readers_.add();
    const std::uint64_t owner = owner_.load();
    if (is_free(owner) || is_owned_by(owner, *this_thread())) return process;
    leave_shared(process);
    refuse(what);
}

}  // namespace cmlp::inline v0_1::detail
