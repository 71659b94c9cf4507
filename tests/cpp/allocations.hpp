// The heap as the tests see it: every operator new of the program is counted, and any of them can fail.
#pragma once

namespace cmlp::test {

/// Calls of operator new so far.
long allocations();
/// Blocks of operator new that are in use.
long blocks_in_use();

/// While it exists, the n-th operator new of any thread throws std::bad_alloc.
class FailingAllocation {
public:
    explicit FailingAllocation(long n);
    ~FailingAllocation();
    FailingAllocation(const FailingAllocation&) = delete;
    /// Whether the n-th has come.
    bool has_failed() const;
};

}  // namespace cmlp::test
