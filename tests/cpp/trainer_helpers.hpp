// What the tests of training share: a small problem of three classes, a network for it, weights compared.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <numeric>
#include <vector>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace cmlp::test {

/// Three classes: which of three sums of the five columns is the largest.
template <class T>
struct Problem {
    Matrix<T> x;                      // (rows, 5)
    std::vector<std::int64_t> label;  // (rows)
    std::vector<T> weight;            // (rows) or empty

    explicit Problem(Index n, std::uint64_t seed = 1) : x(n, 5), label(std::size_t(n)) {
        Rng rng(seed, Stream::user);
        for (Index i = 0; i < n; ++i) {
            for (Index j = 0; j < 5; ++j) x(i, j) = T(rng.normal());
            const T score[] = {x(i, 0) + x(i, 1), x(i, 2) - x(i, 3), x(i, 4)};
            label[std::size_t(i)] = std::max_element(score, score + 3) - score;
        }
    }
    void weigh() {
        for (Index i = 0; i < x.rows(); ++i) weight.push_back(T(0.5) + T(i % 3));
    }
    Data<T> data() const { return {x, {{}, label}, weight}; }
    /// Rows order[first] ... order[first + n - 1].
    Problem rows(const std::vector<Index>& order, Index first, Index n) const {
        Problem part(n);
        for (Index i = 0; i < n; ++i) {
            const Index from = order[std::size_t(first + i)];
            part.x.row(i) = x.row(from);
            part.label[std::size_t(i)] = label[std::size_t(from)];
        }
        return part;
    }
};

template <class T>
Network<T> network(double dropout = 0) {
    return Network<T>({Linear{5, 24}, activation("relu"), Dropout{dropout}, Linear{24, 3}}, 3);
}

template <class T>
bool same_values(const Network<T>& a, const Network<T>& b) {
    return a.values().size() == b.values().size() &&
           first_difference(a.values().data(), b.values().data(), std::ssize(a.values())) == -1;
}

}  // namespace cmlp::test
