// One struct a metric: what it adds up for one row, and the result from the sums.
#pragma once

#include <cmlp/losses/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cmlp::inline v0_1::metric {

/// What the numbers of a row must be: values, decisions above 0 (or the largest), the same with a class a column, or
/// log-odds (of one of many classes: log-probabilities).
enum class Needs { values, decisions, classes, odds };

struct Row {
    std::span<const double> y, t;  ///< (outputs); t is one-hot where the row has one class
    Index label;                   ///< -1: no single class
    double weight;
};
using Sums = MetricSums;

inline double share(double part, double total) { return total > 0 ? part / total : 0; }
inline double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }
inline Index largest(std::span<const double> x) { return std::max_element(x.begin(), x.end()) - x.begin(); }
inline double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

// ---- values: a term an element, averaged over the outputs

template <double (*term)(double, double)>
struct Elementwise {
    static constexpr Needs needs = Needs::values;
    static void add(Sums& s, const Row& row) {
        if (s.term.empty()) s.origin.assign(row.t.begin(), row.t.end());
        for (auto* sums : {&s.term, &s.target, &s.squared}) sums->resize(row.y.size());
        for (size_t j = 0; j < row.y.size(); ++j) {
            const double shifted = row.t[j] - s.origin[j];
            s.term[j] += row.weight * term(row.y[j], row.t[j]);
            s.target[j] += row.weight * shifted;
            s.squared[j] += row.weight * shifted * shifted;
        }
    }
    static double result(const Sums& s) { return total(s.term) / s.weight / double(s.term.size()); }
};
inline double square(double y, double t) { return (y - t) * (y - t); }
inline double distance(double y, double t) { return std::abs(y - t); }

struct mse : Elementwise<square> {};
struct mae : Elementwise<distance> {};
struct rmse : mse {
    static double result(const Sums& s) { return std::sqrt(mse::result(s)); }
};
struct r2 : mse {
    static double result(const Sums& s) {
        double sum = 0;
        for (size_t j = 0; j < s.term.size(); ++j) {
            const double spread = s.squared[j] - s.target[j] * s.target[j] / s.weight;
            sum += spread > 0 ? 1 - s.term[j] / spread : s.term[j] > 0 ? 0 : 1;
        }
        return sum / double(s.term.size());
    }
};

// ---- decisions: weights of the rows of each class, predicted, and both; a binary output has two

struct Counted {
    static constexpr Needs needs = Needs::decisions;
    static void count(Sums& s, size_t truth, size_t guess, double weight) {
        s.actual[truth] += weight;
        s.predicted[guess] += weight;
        if (truth == guess) s.hit[truth] += weight;
    }
    static void add(Sums& s, const Row& row) {
        s.one_class = row.label >= 0;
        for (auto* sums : {&s.hit, &s.predicted, &s.actual})
            sums->resize(row.y.size() * (s.one_class ? 1 : 2));
        if (s.one_class) return count(s, size_t(row.label), size_t(largest(row.y)), row.weight);
        for (size_t j = 0; j < row.y.size(); ++j)
            count(s, 2 * j + (row.t[j] > 0.5), 2 * j + (row.y[j] > 0), row.weight);
    }
};
struct accuracy : Counted {
    static double result(const Sums& s) { return total(s.hit) / total(s.actual); }
};
struct balanced_accuracy : Counted {
    static double result(const Sums& s) {
        const size_t classes = s.one_class ? s.hit.size() : 2;
        double sum = 0;
        for (size_t first = 0; first < s.hit.size(); first += classes) {
            double recalls = 0, there = 0;
            for (size_t c = first; c < first + classes; ++c) {
                recalls += share(s.hit[c], s.actual[c]);
                there += s.actual[c] > 0;
            }
            sum += recalls / there;
        }
        return sum * double(classes) / double(s.hit.size());
    }
};
struct f1 : Counted {
    static double result(const Sums& s) {
        double sum = 0, there = 0;
        for (size_t c = s.one_class ? 0 : 1; c < s.hit.size(); c += s.one_class ? 1 : 2) {
            const double both = s.predicted[c] + s.actual[c];
            sum += share(2 * s.hit[c], both);
            there += both > 0 || !s.one_class;
        }
        return sum / there;
    }
};

template <Index k>
struct Top {
    static constexpr Needs needs = Needs::classes;
    static void add(Sums& s, const Row& row) {
        Index above = 0;
        const double own = row.y[size_t(row.label)];
        for (Index c = 0; c < std::ssize(row.y); ++c)
            above += row.y[size_t(c)] > own || (row.y[size_t(c)] == own && c < row.label);
        s.term.resize(1);
        s.term[0] += above < k ? row.weight : 0;
    }
    static double result(const Sums& s) { return s.term.empty() ? std::nan("") : s.term[0] / s.weight; }
};
struct top_3 : Top<3> {};
struct top_5 : Top<5> {};

// ---- probabilities

template <double (*binary)(double, double), double (*of_class)(double, double)>
struct Probabilistic {
    static constexpr Needs needs = Needs::odds;
    static void add(Sums& s, const Row& row) {
        s.term.resize(1);
        double sum = 0;
        for (size_t j = 0; j < row.y.size(); ++j)
            sum += row.label >= 0 ? of_class(row.y[j], row.t[j]) : binary(row.y[j], std::max(row.t[j], 0.0));
        s.term[0] += row.weight * (row.label >= 0 ? sum : sum / double(row.y.size()));
    }
    static double result(const Sums& s) { return s.term.empty() ? std::nan("") : s.term[0] / s.weight; }
};
inline double binary_log_loss(double z, double t) {
    return t * std::min(softplus(-z), 100.0) + (1 - t) * std::min(softplus(z), 100.0);
}
inline double class_log_loss(double log_p, double t) { return -t * std::max(log_p, -100.0); }
inline double binary_brier(double z, double t) { return square(std::exp(-softplus(-z)), t); }
inline double class_brier(double log_p, double t) { return square(std::exp(log_p), t); }

struct log_loss : Probabilistic<binary_log_loss, class_log_loss> {};
struct brier : Probabilistic<binary_brier, class_brier> {};

// Mann and Whitney's U over the product of the weights: ties count half.
inline double area(const std::vector<double>& score, const std::vector<double>& truth,
                   const std::vector<double>& weight) {
    std::vector<size_t> order(score.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] < score[b]; });
    double below = 0, positive = 0, wins = 0;
    for (size_t i = 0; i < order.size();) {
        double up = 0, down = 0;
        const double tie = score[order[i]];
        for (; i < order.size() && !(score[order[i]] > tie); ++i)
            (truth[order[i]] > 0.5 ? up : down) += weight[order[i]];
        wins += up * (below + down / 2);
        below += down;
        positive += up;
    }
    return wins / (positive * below);
}
struct auc {
    static constexpr Needs needs = Needs::odds;
    static void add(Sums& s, const Row& row) {
        s.scores.resize(row.y.size()), s.truth.resize(row.y.size());
        for (size_t j = 0; j < row.y.size(); ++j) {
            s.scores[j].push_back(row.y[j]);
            s.truth[j].push_back(row.t[j]);
        }
        s.row_weight.push_back(row.weight);
    }
    static double result(const Sums& s) {
        double sum = 0, there = 0;
        for (size_t j = 0; j < s.scores.size(); ++j) {
            const double one = area(s.scores[j], s.truth[j], s.row_weight);
            if (!std::isnan(one)) sum += one, ++there;
        }
        return sum / there;
    }
};

}  // namespace cmlp::inline v0_1::metric
