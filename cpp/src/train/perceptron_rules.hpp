// How a perceptron learns from one row: one struct for each row of perceptron_rules.def.
#pragma once

#include <cmlp/train/perceptron.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

// Rows to learn from, and their order in an epoch.
struct Lesson {
    MatrixView<const double> x;       // (rows, features)
    std::span<const double> targets;  // (rows) -1 or +1
    const PerceptronOptions& options;
    double learning_rate;
    std::vector<Index> order;

    const double* row(Index i) const { return x.data() + i * x.row_stride(); }
    double target(Index i) const { return targets[static_cast<size_t>(i)]; }
};

// As predict has it: z = 0 is the class -1.
inline bool is_mistake(double target, double z) { return (z > 0) != (target > 0); }

// Rows the neuron gets wrong, counted no further than `enough`.
inline Index count_mistakes(const Neuron& neuron, const Lesson& lesson, Index enough) {
    Index mistakes = 0;
    for (Index i = 0; i < lesson.x.rows() && mistakes < enough; ++i)
        mistakes += is_mistake(lesson.target(i), neuron.output(lesson.row(i)));
    return mistakes;
}

namespace rules {

// A rule says how far a row moves the line (in units of the learning rate), when learning has come to its end
// or what is missing, and which weights are chosen; the other functions are called during training.
struct rosenblatt {
    double step(double target, double z) const { return is_mistake(target, z) ? target : 0; }
    void before_move(const Neuron&) {}
    void after_move(const Neuron&, const Lesson&) {}
    void after_row() {}
    bool at_end(const PerceptronLog& log, double) const { return log.mistakes.back() == 0; }
    static std::string unfinished(const PerceptronLog& log) {
        return "the last one made " + std::to_string(log.mistakes.back()) +
               " mistakes, perhaps because no line separates the classes";
    }
    Neuron chosen(const Neuron& neuron) const { return neuron; }
};

struct pocket : rosenblatt {
    Neuron best;
    Index fewest = std::numeric_limits<Index>::max();

    void after_move(const Neuron& neuron, const Lesson& lesson) {
        const Index mistakes = count_mistakes(neuron, lesson, fewest);
        if (mistakes >= fewest) return;
        fewest = mistakes;
        best = neuron;
    }
    Neuron chosen(const Neuron& neuron) const { return best.weights.empty() ? neuron : best; }
};

struct averaged : rosenblatt {
    Neuron sum;           // of the weights after every row, but for those since the last move
    double rows = 0;      // in the sum
    double survived = 0;  // rows since the last move

    void before_move(const Neuron& neuron) {
        sum.weights.resize(neuron.weights.size());
        for (size_t j = 0; j < sum.weights.size(); ++j) sum.weights[j] += survived * neuron.weights[j];
        sum.bias += survived * neuron.bias;
        rows += survived;
        survived = 0;
    }
    void after_row() { ++survived; }
    Neuron chosen(const Neuron& neuron) {
        before_move(neuron);
        if (rows == 0) return neuron;
        for (double& weight : sum.weights) weight /= rows;
        sum.bias /= rows;
        return sum;
    }
};

struct adaline : rosenblatt {
    double step(double target, double z) const { return target - z; }
    bool at_end(const PerceptronLog& log, double tolerance) const {
        const auto& error = log.squared_error;
        return error.size() > 1 && std::abs(error.back() - error[error.size() - 2]) < tolerance;
    }
    static std::string unfinished(const PerceptronLog&) { return "the squared error was still changing"; }
};

}  // namespace rules

}  // namespace cmlp::inline v0_1
