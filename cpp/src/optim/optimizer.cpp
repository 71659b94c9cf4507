// Flat state and one kernel call a segment.
#include <cmlp/optim/optimizer.hpp>

#include <array>
#include <utility>

#include "ops/ops.hpp"
#include "optim/muon.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1 {

template <class T>
Optimizer<T>::Optimizer(OptimizerKind kind, std::vector<ParameterGroup<T>> groups)
    : kind_(kind), groups_(std::move(groups)) {
    require(!groups_.empty(), name(kind), ": there are no parameters");
    for (const auto& group : groups_) check(group);
    allocate();
}

template <class T>
void Optimizer<T>::check(const ParameterGroup<T>& group) const {
    const auto& known = parameters(kind_);
    require(group.settings.size() == known.size(), name(kind_), ": a group has ", group.settings.size(),
            " settings, the rule takes ", known.size());
    for (size_t i = 0; i < known.size(); ++i) require_allowed(kind_, known[i], group.settings[i]);
}

// The state lies in the order of the groups, so that what there is stays.
template <class T>
void Optimizer<T>::add_group(ParameterGroup<T> group) {
    check(group);
    group.joined = steps_;
    groups_.push_back(std::move(group));
    steps_in_range_ = 0;
    try {
        allocate();
    } catch (...) {
        groups_.pop_back();
        allocate();  // less than there is
        throw;
    }
}

template <class T>
void Optimizer<T>::allocate() {
    Index size = 0;
    for (const auto& group : groups_)
        for (const auto& segment : group.segments) size += std::ssize(segment.value);
    int slots = 0;
    for (const auto& group : groups_) slots = std::max(slots, ops::update_slots(kind_, group.settings));
    state_.resize(static_cast<size_t>(slots));
    for (auto& slot : state_) slot.resize(size);
}

template <class T>
void Optimizer<T>::step() {
    steps_in_range_ = 0;
    if (sees_matrices(kind_)) take_snapshot();
    update();
}

template <class T>
void Optimizer<T>::update() {
    ++steps_;
    double size = 0;
    for (const auto& group : groups_)
        for (const auto& segment : group.segments) size += double(segment.value.size());
    try {
        with_team(ops::work_of_update * size, 1, [&] {
            Index offset = 0;
            for (auto& group : groups_) step_group(group, offset);
        });
    } catch (...) {  // out of memory, which only the rules that see matrices take on the way
        if (sees_matrices(kind_)) restore_snapshot();
        --steps_;
        throw;
    }
}

// offset: of the group's first number in the state; the next group's on return.
template <class T>
void Optimizer<T>::step_group(ParameterGroup<T>& group, Index& offset) {
    std::array<T, ops::max_coefficients> coefficients{};
    static_assert(sizeof(group.memory) == ops::max_memory * sizeof(double));
    ops::update_prepare<T>(kind_, group.settings, steps_ - group.joined, group.memory, coefficients);
    for (const auto& segment : group.segments) {
        std::array<T*, 4> state{};
        for (size_t s = 0; s < state_.size(); ++s) state[s] = state_[s].data() + offset;
        if (!segment.matrix.empty())
            step_matrix(group, segment, state[0]);
        else
            ops::update<T>(kind_, segment.value, segment.grad.data(), {state.data(), state_.size()},
                           coefficients);
        offset += std::ssize(segment.value);
    }
}

template <class T>
void Optimizer<T>::step_matrix(const ParameterGroup<T>& group, const Segment& segment, T* state) {
    const auto& w = segment.matrix;
    muon_step<T>(group.settings, segment.transposed, w,
                 {segment.grad.data(), w.rows(), w.cols(), w.row_stride()},
                 {state, w.rows(), w.cols(), w.row_stride()});
}

template <class T>
size_t Optimizer<T>::index_of(std::string_view name) const {
    const auto& known = parameters(kind_);
    for (size_t i = 0; i < known.size(); ++i)
        if (known[i].name == name) return i;
    resolve(kind_, {{std::string(name), 0}});  // throws, listing the names there are
    return 0;
}

template <class T>
bool Optimizer<T>::is_over(std::span<const T> values) const {
    for (const auto& group : groups_)
        for (const auto& segment : group.segments)
            if (segment.value.data() < values.data() ||
                segment.value.data() + segment.value.size() > values.data() + values.size())
                return false;
    return true;
}

template <class T>
double Optimizer<T>::setting(std::string_view name, Index group) const {
    return groups_.at(static_cast<size_t>(group)).settings[index_of(name)];
}

template <class T>
void Optimizer<T>::set_setting(std::string_view name, double value, Index group) {
    const size_t i = index_of(name);
    require_allowed(kind_, parameters(kind_)[i], value);
    double& setting = groups_.at(static_cast<size_t>(group)).settings[i];
    const double before = std::exchange(setting, value);
    try {
        allocate();
    } catch (...) {
        setting = before;
        allocate();  // less than there is
        throw;
    }
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace cmlp::inline v0_1
