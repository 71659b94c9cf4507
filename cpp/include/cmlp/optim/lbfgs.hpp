// L-BFGS with a strong Wolfe line search, over a flat vector in double.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace cmlp::inline v0_1 {

/// Limited-memory BFGS (Liu and Nocedal, 1989), the steps and stopping rules those of PyTorch's LBFGS.
class Lbfgs {
public:
    /// What a step may do and when it ends.
    struct Limits {
        double lr = 1;
        std::int64_t max_iter = 20, max_eval = 25;
        double tolerance_grad = 1e-7, tolerance_change = 1e-9;
        std::int64_t history_size = 100;
        bool strong_wolfe = false;

        /// Throws std::invalid_argument on a negative lr, or a size less than 1.
        void check() const;
    };
    /// What is kept from one step to the next.
    struct State {
        std::int64_t iterations = 0, evaluations = 0;
        double t = 0, diagonal = 1;                       // last step size, scale of the first Hessian
        std::vector<double> direction, gradient;          // the last ones
        std::vector<double> rho;                          // 1 / (change . step)
        std::vector<std::vector<double>> changes, steps;  // of the gradient, of x; oldest first
    };
    /// The value at x; writes the gradient, of x's size.
    using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

    /// At most max_iter iterations from x, which becomes the new point; the value where it began. Calls between two
    /// iterations to decide whether to continue. If the objective throws, x is the point of the last complete
    /// iteration.
    double step(std::span<double> x, const Limits& limits, const Objective& objective,
                const std::function<bool()>& go_on = {});

    State state;

private:
    void remember(std::span<const double> gradient, std::int64_t history_size);
    void choose_direction(std::span<const double> gradient);
};

}  // namespace cmlp::inline v0_1
