// The two-loop recursion and the stopping rules.
#include <cmlp/base/error.hpp>
#include <cmlp/optim/lbfgs.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "optim/lbfgs_search.hpp"

namespace cmlp::inline v0_1 {
namespace {

void add(std::vector<double>& a, double factor, std::span<const double> b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

double sum_of_sizes(std::span<const double> a) {
    double sum = 0;
    for (const double v : a) sum += std::abs(v);
    return sum;
}

}  // namespace

// Keeps the last step and what it did to the gradient, if the curvature along it is positive.
void Lbfgs::remember(std::span<const double> gradient, std::int64_t history_size) {
    std::vector<double> change(gradient.begin(), gradient.end()), step = state.direction;
    add(change, -1, state.gradient);
    for (double& v : step) v *= state.t;
    const double curvature = dot(change, step);
    if (!(curvature > 1e-10)) return;
    if (std::ssize(state.changes) == history_size) {
        state.changes.erase(state.changes.begin());
        state.steps.erase(state.steps.begin());
        state.rho.erase(state.rho.begin());
    }
    for (auto* kept : {&state.changes, &state.steps}) kept->reserve(kept->size() + 1);
    state.rho.push_back(1 / curvature);  // from here on nothing throws, so that the three are of one size
    state.diagonal = curvature / dot(change, change);
    state.changes.push_back(std::move(change));
    state.steps.push_back(std::move(step));
}

// direction = -H gradient (Nocedal and Wright, algorithm 7.4).
void Lbfgs::choose_direction(std::span<const double> gradient) {
    std::vector<double> d(gradient.begin(), gradient.end());
    for (double& v : d) v = -v;
    const size_t kept = state.changes.size();
    std::vector<double> alpha(kept);
    for (size_t i = kept; i-- > 0;) {
        alpha[i] = dot(state.steps[i], d) * state.rho[i];
        add(d, -alpha[i], state.changes[i]);
    }
    for (double& v : d) v *= state.diagonal;
    for (size_t i = 0; i < kept; ++i)
        add(d, alpha[i] - dot(state.changes[i], d) * state.rho[i], state.steps[i]);
    state.direction = std::move(d);
}

void Lbfgs::Limits::check() const {
    require(lr >= 0, "LBFGS: lr is ", lr, ", it must be in [0,inf)");  // a NaN is not
    require(history_size >= 1, "LBFGS: history_size is ", history_size, ", it must be at least 1");
    require(max_iter >= 1, "LBFGS: max_iter is ", max_iter, ", it must be at least 1");
}

double Lbfgs::step(std::span<double> x, const Limits& limits, const Objective& objective,
                   const std::function<bool()>& go_on) {
    LinePoint now{0, 0, 0, std::vector<double>(x.size())};
    now.f = objective(x, now.gradient);
    const double first = now.f;
    std::int64_t evaluations = 1;
    ++state.evaluations;
    bool flat = largest(now.gradient) <= limits.tolerance_grad;
    for (std::int64_t i = 1; i <= limits.max_iter && !flat; ++i) {
        if (i > 1 && go_on && !go_on()) break;
        if (state.iterations > 0) remember(now.gradient, limits.history_size);
        choose_direction(now.gradient);
        state.gradient = now.gradient;
        ++state.iterations;
        state.t = limits.lr * (state.iterations == 1 ? std::min(1.0, 1 / sum_of_sizes(now.gradient)) : 1.0);
        now.t = 0;
        now.slope = dot(now.gradient, state.direction);
        if (now.slope > -limits.tolerance_change) break;
        const double before = now.f;
        Line line{x, state.direction, objective};
        if (limits.strong_wolfe)
            now = strong_wolfe(line, now, state.t, limits.tolerance_change, limits.max_eval - evaluations);
        else if (i != limits.max_iter)
            now = line.at(state.t);
        if (limits.strong_wolfe) state.t = now.t;
        for (size_t k = 0; k < x.size(); ++k) x[k] += state.t * state.direction[k];
        evaluations += line.evaluations;
        state.evaluations += line.evaluations;
        flat = largest(now.gradient) <= limits.tolerance_grad;
        if (evaluations >= limits.max_eval || std::abs(now.f - before) < limits.tolerance_change ||
            std::abs(state.t) * largest(state.direction) <= limits.tolerance_change)
            break;
    }
    return first;
}

}  // namespace cmlp::inline v0_1
