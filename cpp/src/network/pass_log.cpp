// The log of passes: one entry for each pass that backward could still go through.
#include "network/pass_log.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace cmlp::inline v0_1::detail {

template <class T>
void InputCopy<T>::assign(const Input<T>& x) {
    is_sparse_ = x.is_sparse();
    if (is_sparse_) return sparse_.assign(x.sparse());
    dense_.resize(x.rows(), x.cols());
    dense_.view().assign(x.numbers());
}

// What a thread of a parent was changing when the process forked is left where it is, never destroyed.
template <class T>
PassLog<T>::Locked::Locked(PassLog& log) : log_(log) {
    if (!log_.lock_.lock()) std::construct_at(&log_.state_);
}

// The copy is made without the lock, in the memory of a pass that this one replaces.
template <class T>
void PassLog<T>::add_input(const Input<T>& x, Index first, Index last) {
    Pass pass{first, last, {}};
    {
        Locked log(*this);
        const auto replaced = std::ranges::find(log->passes, first, &Pass::first);
        if (replaced != log->passes.end()) {
            pass.input = std::move(replaced->input);
            log->passes.erase(replaced);
        }
    }
    pass.input.assign(x);
    Locked log(*this);
    log.note_pass(first);
    log->passes.push_back(std::move(pass));
}

template <class T>
void PassLog<T>::add_pass(Index first) {
    Locked(*this).note_pass(first);
}

namespace {

bool is_this_thread(const std::weak_ptr<const std::uint32_t>& thread) {
    return !thread.owner_before(this_thread()) && !this_thread().owner_before(thread);
}

}  // namespace

// A pass from layer `first` on leaves none of those behind it to go back through. Passes of two threads do not mix.
// Threads that have ended are no longer listed: none of them goes back.
template <class T>
void PassLog<T>::Locked::note_pass(Index first) {
    auto& [passes, last, replaced] = log_.state_;
    std::erase_if(passes, [&](const Pass& other) { return other.first >= first; });
    if (is_this_thread(last)) return;
    std::erase_if(replaced, [](const Thread& thread) { return thread.expired() || is_this_thread(thread); });
    if (!last.expired()) replaced.push_back(last);
    last = this_thread();
    passes.clear();
}

template <class T>
std::vector<typename PassLog<T>::Pass> PassLog<T>::take(const char* what) {
    Locked log(*this);
    if (std::ranges::any_of(log->replaced, is_this_thread))
        throw std::runtime_error(std::string(what) +
                                 ": another thread has called this network since the last call of this one; "
                                 "threads that go back through a network need a copy each");
    return std::exchange(log->passes, {});
}

template <class T>
void PassLog<T>::clear() {
    Locked log(*this);
    log->passes.clear();
    log->replaced.clear();
    log->last.reset();
}

template class InputCopy<float>;
template class InputCopy<double>;
template class PassLog<float>;
template class PassLog<double>;

}  // namespace cmlp::inline v0_1::detail
