// Bracket a point that fulfils the Wolfe conditions, then close in on it by cubic interpolation.
#include "optim/lbfgs_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cmlp::inline v0_1 {
namespace {

constexpr double c1 = 1e-4, c2 = 0.9, infinity = std::numeric_limits<double>::infinity();

// Minimum of the cubic through both points and slopes, kept within [low, high].
double interpolate(const LinePoint& a, const LinePoint& b, double low, double high) {
    const double d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t);
    const double square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0 && square < infinity)) return (low + high) / 2;  // an end may be infinite
    const double d2 = std::sqrt(square);
    const LinePoint &left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
    const double t =
        right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
    return std::min(std::max(t, low), high);
}

struct Bracket {
    LinePoint ends[2];
    int low = 0;
    bool done = false;

    double left() const { return std::min(ends[0].t, ends[1].t); }
    double right() const { return std::max(ends[0].t, ends[1].t); }
    void order() { low = ends[0].f <= ends[1].f ? 0 : 1; }
};

// Walks outwards until two points hold an acceptable one between them, or one is acceptable itself.
Bracket find_bracket(Line& line, const LinePoint& start, double t, std::int64_t max_steps,
                     std::int64_t& steps) {
    LinePoint before = start, now = line.at(t);
    for (; steps < max_steps; ++steps) {
        const bool rises = now.f > start.f + c1 * now.t * start.slope || (steps > 1 && now.f >= before.f);
        if (!rises && std::abs(now.slope) <= -c2 * start.slope) return {{now, now}, 0, true};
        if (rises || now.slope >= 0) return {{before, now}};
        const double next = interpolate(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
        before = std::move(now);
        now = line.at(next);
    }
    return {{start, now}};
}

// The next trial; one too close to an end twice running, or beyond it, is moved a tenth of the bracket inwards.
double trial(const Bracket& bracket, bool& stuck) {
    const double left = bracket.left(), right = bracket.right(), margin = 0.1 * (right - left);
    double t = interpolate(bracket.ends[0], bracket.ends[1], left, right);
    const bool close = std::min(right - t, t - left) < margin;
    if (close && (stuck || t >= right || t <= left)) {
        t = std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
        stuck = false;
    } else {
        stuck = close;
    }
    return t;
}

void narrow(Bracket& bracket, LinePoint now, const LinePoint& start) {
    LinePoint &low = bracket.ends[bracket.low], &high = bracket.ends[1 - bracket.low];
    if (now.f > start.f + c1 * now.t * start.slope || now.f >= low.f) {
        high = std::move(now);
        bracket.order();
        return;
    }
    if (std::abs(now.slope) <= -c2 * start.slope)
        bracket.done = true;
    else if (now.slope * (high.t - low.t) >= 0)
        high = low;
    low = std::move(now);
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

double largest(std::span<const double> a) {
    double most = 0;
    for (const double v : a)
        if (!(std::abs(v) <= most) && !std::isnan(most)) most = std::abs(v);  // NaN where there is one
    return most;
}

LinePoint Line::at(double t) {
    ++evaluations;
    std::vector<double> point(x.begin(), x.end());
    for (size_t i = 0; i < point.size(); ++i) point[i] += t * d[i];
    LinePoint result{t, 0, 0, std::vector<double>(x.size())};
    result.f = objective(point, result.gradient);
    result.slope = dot(result.gradient, d);
    if (!std::isfinite(result.f) || !std::isfinite(result.slope)) result.f = infinity;  // too far: turn back
    return result;
}

LinePoint strong_wolfe(Line& line, const LinePoint& start, double t, double tolerance_change,
                       std::int64_t max_steps) {
    const double longest = largest(line.d);
    std::int64_t steps = 0;
    Bracket bracket = find_bracket(line, start, t, max_steps, steps);
    bracket.order();
    for (bool stuck = false; !bracket.done && steps < max_steps; ++steps) {
        if ((bracket.right() - bracket.left()) * longest < tolerance_change) break;
        narrow(bracket, line.at(trial(bracket, stuck)), start);
    }
    return bracket.ends[bracket.low];
}

}  // namespace cmlp::inline v0_1
