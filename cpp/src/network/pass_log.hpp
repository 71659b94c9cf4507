// Which thread made the last pass of a network, and the inputs of passes in evaluation mode, of which nothing
// else is kept.
#pragma once

#include <cmlp/base/sparse.hpp>

#include <memory>
#include <vector>

#include "runtime/process.hpp"

namespace cmlp::inline v0_1::detail {

/// A copy of an input.
template <class T>
class InputCopy {
public:
    void assign(const Input<T>& x);
    Input<T> view() const { return is_sparse_ ? Input<T>(sparse_.view()) : Input<T>(dense_); }

private:
    Matrix<T> dense_;
    SparseMatrix<T> sparse_;  // instead of dense_
    bool is_sparse_ = false;
};

/// Safe from many threads.
template <class T>
class PassLog {
public:
    /// A pass over layers first ... last - 1 in evaluation mode.
    struct Pass {
        Index first, last;
        InputCopy<T> input;
    };

    /// This thread makes a pass of which only a copy of the input is kept.
    void add_input(const Input<T>& x, Index first, Index last);
    /// This thread makes a pass from that layer on that keeps its outputs itself.
    void add_pass(Index first);
    /// The passes with copies of their inputs, in the order made, which are no longer in the log then. Throws
    /// std::runtime_error when another thread has made a pass since the last one of this thread.
    std::vector<Pass> take(const char* what);
    void clear();

private:
    using Thread = std::weak_ptr<const std::uint32_t>;

    struct State {
        std::vector<Pass> passes;
        Thread last;                   // that made the last pass
        std::vector<Thread> replaced;  // threads whose last pass was followed by one of another thread
    };

    /// The state, with the lock held while it lives.
    class Locked {
    public:
        explicit Locked(PassLog& log);
        ~Locked() { log_.lock_.unlock(); }
        Locked(const Locked&) = delete;
        State* operator->() { return &log_.state_; }
        void note_pass(Index first);

    private:
        PassLog& log_;
    };

    ProcessLock lock_;
    State state_;
};

}  // namespace cmlp::inline v0_1::detail
