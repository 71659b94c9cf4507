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

// The copy is made without the lock, in the memory of a pass that this one replaces.
template <class T>
void PassLog<T>::add_input(const Input<T>& x, Index first, Index last) {
    Pass pass{first, last, {}};
    {
        const std::lock_guard lock(mutex_);
        const auto replaced = std::ranges::find(passes_, first, &Pass::first);
        if (replaced != passes_.end()) {
            pass.input = std::move(replaced->input);
            passes_.erase(replaced);
        }
    }
    pass.input.assign(x);
    const std::lock_guard lock(mutex_);
    note_pass(first);
    passes_.push_back(std::move(pass));
}

template <class T>
void PassLog<T>::add_pass(Index first) {
    const std::lock_guard lock(mutex_);
    note_pass(first);
}

// A pass from layer `first` on leaves none of those behind it to go back through. Passes of two threads do not mix.
template <class T>
void PassLog<T>::note_pass(Index first) {
    std::erase_if(passes_, [&](const Pass& other) { return other.first >= first; });
    const auto me = std::this_thread::get_id();
    if (last_ == me) return;
    std::erase(replaced_, me);
    if (last_ != std::thread::id()) replaced_.push_back(last_);
    last_ = me;
    passes_.clear();
}

template <class T>
std::vector<typename PassLog<T>::Pass> PassLog<T>::take(const char* what) {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(replaced_, std::this_thread::get_id()) != replaced_.end())
        throw std::runtime_error(std::string(what) +
                                 ": another thread has called this network since the last call of this one; "
                                 "threads that go back through a network need a copy each");
    return std::exchange(passes_, {});
}

template <class T>
void PassLog<T>::clear() {
    const std::lock_guard lock(mutex_);
    passes_.clear();
    replaced_.clear();
    last_ = {};
}

template class InputCopy<float>;
template class InputCopy<double>;
template class PassLog<float>;
template class PassLog<double>;

}  // namespace cmlp::inline v0_1::detail
