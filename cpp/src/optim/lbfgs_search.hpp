// The line search of L-BFGS.
#pragma once

#include <cmlp/optim/lbfgs.hpp>

namespace cmlp::inline v0_1 {

/// One point of a line: step size, value, slope along the line, gradient.
struct LinePoint {
    double t = 0, f = 0, slope = 0;
    std::vector<double> gradient;
};

/// x + t d for one x and d.
struct Line {
    std::span<const double> x, d;
    const Lbfgs::Objective& objective;
    std::int64_t evaluations = 0;

    LinePoint at(double t);
};

/// A point with f <= f0 + 1e-4 t slope0 and |slope| <= -0.9 slope0, or the lowest after max_steps (Nocedal and Wright,
/// algorithms 3.5 and 3.6).
LinePoint strong_wolfe(Line& line, const LinePoint& start, double t, double tolerance_change,
                       std::int64_t max_steps);

double dot(std::span<const double> a, std::span<const double> b);
double largest(std::span<const double> a);

}  // namespace cmlp::inline v0_1
