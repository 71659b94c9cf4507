// A step that is undone where a weight overflows. A copy of all numbers at every step would cost a tenth of its time:
// one is made only where an overflow is possible.
#include <cmlp/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {
namespace {

// From weights, state and gradients below these, ordinary settings lead to no overflow in `safe_steps` steps: a step
// adds at most lr / eps times state or gradient, and else at most quadruples the largest weight or momentum.
constexpr double small_weight = 1e8, small_state = 1e16;
constexpr int safe_steps = 16;
constexpr double largest_lr = 100, largest_setting = 100, largest_share = 1 - 1e-6, least_eps = 1e-15;

bool is_share(OptimizerKind kind, std::string_view name) {
    return name.starts_with("beta") || name == "momentum" || name == "rho" ||
           (kind == OptimizerKind::rmsprop && name == "alpha");
}

bool is_ordinary(OptimizerKind kind, const std::vector<double>& settings) {
    if (kind == OptimizerKind::muon) return false;  // its iteration may diverge
    double lr = 0, decay = 0;
    const auto& known = parameters(kind);
    for (size_t i = 0; i < known.size(); ++i) {
        const std::string_view name = known[i].name;
        const double value = std::abs(settings[i]);
        if (name == "lr") lr = value;
        if (name == "weight_decay" || name == "lambd") decay = value;
        if (is_share(kind, name) && value > largest_share) return false;
        if (name == "eps" && value < least_eps) return false;
        if (name == "centered" && value != 0) return false;  // v - a^2 may be 0
        if (name != "t0" && value > largest_setting) return false;
    }
    return lr <= largest_lr && lr * decay <= 1;
}

template <class T>
bool are_within(const std::vector<ParameterGroup<T>>& groups, double limit) {
    for (const auto& group : groups)
        for (const auto& segment : group.segments)
            if (!ops::is_within<T>(segment.value, static_cast<T>(limit))) return false;
    return true;
}

}  // namespace

template <class T>
bool Optimizer<T>::has_ordinary_settings() {
    const auto same = [](const ParameterGroup<T>& group, const std::vector<double>& settings) {
        return group.settings == settings;
    };
    if (std::equal(groups_.begin(), groups_.end(), ordinary_.begin(), ordinary_.end(), same)) return true;
    for (const auto& group : groups_)
        if (!is_ordinary(kind_, group.settings)) return ordinary_.clear(), false;
    ordinary_.resize(groups_.size());
    for (size_t i = 0; i < groups_.size(); ++i) ordinary_[i] = groups_[i].settings;  // in the memory there is
    return true;
}

// Calls f with each run of numbers that a step changes.
template <class T>
void each_run(const std::vector<ParameterGroup<T>>& groups, std::vector<Buffer<T>>& state, auto f) {
    for (const auto& group : groups)
        for (const auto& segment : group.segments) f(segment.value);
    for (auto& slot : state) f(slot.span());
}

template <class T>
void Optimizer<T>::take_snapshot() {
    Index size = 0;
    each_run(groups_, state_, [&](std::span<T> run) { size += std::ssize(run); });
    before_.numbers.resize(size);
    T* to = before_.numbers.data();
    each_run(groups_, state_, [&](std::span<T> run) { to = std::ranges::copy(run, to).out; });
    before_.memory.clear();
    for (const auto& group : groups_) before_.memory.push_back(group.memory);
}

template <class T>
void Optimizer<T>::restore_snapshot() {
    const T* from = before_.numbers.data();
    each_run(groups_, state_, [&](std::span<T> run) {
        std::copy_n(from, run.size(), run.begin());
        from += run.size();
    });
    for (size_t i = 0; i < groups_.size(); ++i) groups_[i].memory = before_.memory[i];
}

template <class T>
bool Optimizer<T>::cannot_overflow(bool small) {
    if (!small || !has_ordinary_settings()) {
        steps_in_range_ = 0;
        return false;
    }
    if (steps_in_range_ == 0 || !weights_known_) {
        if (!are_within<T>(groups_, small_weight)) {
            steps_in_range_ = 0;
            return false;
        }
        weights_known_ = true;
    }
    if (steps_in_range_ == 0) {
        for (auto& slot : state_)
            if (!ops::is_within<T>(slot.span(), static_cast<T>(small_state))) return false;
        steps_in_range_ = safe_steps;
    }
    --steps_in_range_;
    return true;
}

template <class T>
bool Optimizer<T>::try_step(bool small) {
    if (cannot_overflow(small)) {
        update();
        return true;
    }
    take_snapshot();
    update();
    if (are_within<T>(groups_, std::numeric_limits<T>::max())) return true;
    restore_snapshot();
    --steps_;
    return false;
}

#define CMLP_TRY_STEP(T)                               \
    template bool Optimizer<T>::try_step(bool);        \
    template bool Optimizer<T>::cannot_overflow(bool); \
    template void Optimizer<T>::take_snapshot();       \
    template void Optimizer<T>::restore_snapshot();    \
    template bool Optimizer<T>::has_ordinary_settings();
CMLP_TRY_STEP(float)
CMLP_TRY_STEP(double)
#undef CMLP_TRY_STEP

}  // namespace cmlp::inline v0_1
