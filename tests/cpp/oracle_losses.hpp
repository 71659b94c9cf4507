// The losses' definitions in plain double loops, each named as the row it belongs to.
#pragma once

#include "oracle.hpp"

namespace cmlp::test::losses {

/// One row: predictions y, targets t (a class as a one-hot row), w the class weights.
struct Case {
    Line y, t, w;
    std::vector<double> parameters;
};

// Value and slope of each element; a loss that has one value a row gives it in the first element.
using Points = std::vector<Point>;

inline double sigmoid(double z) { return z < 0 ? std::exp(z) / (1 + std::exp(z)) : 1 / (1 + std::exp(-z)); }
inline double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }
inline double sign(double d) { return d > 0 ? 1 : d < 0 ? -1 : 0; }

Points each(const Case& c, auto f) {
    Points points;
    for (std::size_t j = 0; j < c.y.size(); ++j) points.push_back(f(c.y[j], c.t[j]));
    return points;
}

inline Points mse(const Case& c) {
    return each(c, [](double y, double t) { return Point{(y - t) * (y - t), 2 * (y - t)}; });
}
inline Points l1(const Case& c) {
    return each(c, [](double y, double t) { return Point{std::abs(y - t), sign(y - t)}; });
}
inline Points huber(const Case& c) {
    return each(c, [p = c.parameters[0]](double y, double t) {
        const double d = y - t, far = p * (std::abs(d) - p / 2);
        return std::abs(d) <= p ? Point{d * d / 2, d} : Point{far, p * sign(d)};
    });
}
inline Points smooth_l1(const Case& c) {
    Points points = huber(c);
    for (Point& point : points) point = {point.value / c.parameters[0], point.slope / c.parameters[0]};
    return points;
}
inline Points log_cosh(const Case& c) {
    return each(c, [](double y, double t) { return Point{std::log(std::cosh(y - t)), std::tanh(y - t)}; });
}
inline Points bce(const Case& c) {
    return each(c, [](double y, double t) {
        const double log_y = std::max(std::log(y), -100.0), log_not_y = std::max(std::log1p(-y), -100.0);
        return Point{-(t * log_y + (1 - t) * log_not_y), (y - t) / std::max(y * (1 - y), 1e-12)};
    });
}
inline Points bce_with_logits(const Case& c) {
    return each(c, [](double y, double t) { return Point{softplus(y) - t * y, sigmoid(y) - t}; });
}
inline Points soft_margin(const Case& c) {
    return each(c, [](double y, double t) { return Point{softplus(-t * y), -t * sigmoid(-t * y)}; });
}
inline Points hinge(const Case& c) {
    return each(c, [](double y, double t) { return Point{std::max(0.0, 1 - t * y), t * y < 1 ? -t : 0}; });
}
inline Points squared_hinge(const Case& c) {
    return each(c, [](double y, double t) {
        const double z = std::max(0.0, 1 - t * y);
        return Point{z * z, -2 * t * z};
    });
}
inline Points binary_focal(const Case& c) {
    return each(c, [&](double y, double t) {
        const double gamma = c.parameters[0], alpha = c.parameters[1], s = sigmoid(y), n = sigmoid(-y);
        const double wrong = t * n + (1 - t) * s, entropy = softplus(y) - t * y;
        const double factor = (alpha * t + (1 - alpha) * (1 - t)) * std::pow(wrong, gamma);
        const double grown = (1 - 2 * t) * s * n / wrong;
        return Point{factor * entropy, factor * (s - t + gamma * entropy * grown)};
    });
}
inline Points kl_div(const Case& c) {
    return each(c, [](double y, double t) { return Point{(t == 0 ? 0 : t * std::log(t)) - t * y, -t}; });
}
inline Points poisson_nll(const Case& c) {
    return each(c, [](double y, double t) { return Point{std::exp(y) - t * y, std::exp(y) - t}; });
}
inline Points gamma_deviance(const Case& c) {
    return each(c, [](double y, double t) {
        const double d = std::log(t) - y;
        return Point{2 * (std::expm1(d) - d), -2 * std::expm1(d)};
    });
}
inline Points tweedie(const Case& c) {
    return each(c, [p = c.parameters[0]](double y, double t) {
        const double a = 1 - p, b = 2 - p, constant = std::pow(t, b) / (a * b);
        return Point{2 * (constant - t * std::exp(a * y) / a + std::exp(b * y) / b),
                     2 * (std::exp(b * y) - t * std::exp(a * y))};
    });
}
inline Points quantile(const Case& c) {  // the median
    return each(c, [](double y, double t) { return Point{std::abs(t - y) / 2, sign(y - t) / 2}; });
}
inline Points gaussian_nll(const Case& c) {
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < c.t.size(); ++j) {
        const double d = c.y[j] - c.t[j], v = std::max(c.y[j + c.t.size()], c.parameters[1]);
        points[j] = {(std::log(v) + d * d / v) / 2, d / v};
        points[j + c.t.size()].slope = (1 - d * d / v) / v / 2;
    }
    return points;
}
inline Points cross_entropy(const Case& c) {
    const Line p = softmax(c.y);
    const double smoothing = c.parameters[0], classes = double(c.y.size());
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < p.size(); ++j) {
        const double q = c.w[j] * ((1 - smoothing) * c.t[j] + smoothing / classes);
        points[0].value -= q * std::log(p[j]);
        for (std::size_t i = 0; i < p.size(); ++i) points[i].slope += q * (p[i] - (i == j));
    }
    return points;
}
inline Points nll(const Case& c) {
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < c.y.size(); ++j) {
        points[0].value -= c.w[j] * c.t[j] * c.y[j];
        points[j].slope = -c.w[j] * c.t[j];
    }
    return points;
}
inline Points focal(const Case& c) {
    const Line p = softmax(c.y);
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < p.size(); ++j) {
        const double q = c.w[j] * c.t[j] * std::pow(1 - p[j], c.parameters[0]), v = -std::log(p[j]);
        const double g = p[j] < 1 ? q * (1 + c.parameters[0] * p[j] * v / (1 - p[j])) : q;
        points[0].value += q * v;
        for (std::size_t i = 0; i < p.size(); ++i) points[i].slope += g * (p[i] - (i == j));
    }
    return points;
}
inline Points multi_margin(const Case& c) {
    const double power = c.parameters[0], classes = double(c.y.size());
    Points points(c.y.size(), Point{0, 0});
    for (std::size_t j = 0; j < c.y.size(); ++j)
        for (std::size_t i = 0; i < c.y.size(); ++i) {
            const double z = std::max(0.0, c.parameters[1] - c.y[j] + c.y[i]), q = c.w[j] * c.t[j] / classes;
            if (i == j || z == 0) continue;
            points[0].value += q * std::pow(z, power);
            points[i].slope += q * power * std::pow(z, power - 1);
            points[j].slope -= q * power * std::pow(z, power - 1);
        }
    return points;
}

inline Points row(LossKind kind, const Case& c) {
    constexpr Points (*all[])(const Case&) = {
#define CMLP_LOSS(name, ...) losses::name,
#include <cmlp/lists/losses.def>
    };
    return all[static_cast<int>(kind)](c);
}

}  // namespace cmlp::test::losses
