// The periodic embedding of a column against its formula in double, on every instruction set: odd numbers of rows,
// frequencies and outputs, and cosines of large numbers of turns.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"
#include "oracle.hpp"

using namespace cmlp;
using namespace cmlp::test;

namespace {

constexpr double tau = 2 * std::numbers::pi;

/// One column with k frequencies and its outputs, by columns.
template <class T>
struct Column {
    Column(Index rows, Index k, Index outputs)
        : x(numbers<T>(1, rows, 1)),
          w(numbers<T>(1, k, 2)),
          phase(numbers<T>(1, k, 3)),
          weight(numbers<T>(k, outputs, 4)),
          bias(numbers<T>(1, outputs, 5)),
          dy(numbers<T>(outputs + 1, rows, 6)) {}

    kernels::PeriodicCall<T> call() const {
        return {x.cols(),     w.cols(),      weight.cols(),       x.data(),   w.data(),
                phase.data(), weight.data(), weight.row_stride(), bias.data()};
    }
    double z(Index r, Index j) const { return tau * double(x(0, r)) * double(w(0, j)) + double(phase(0, j)); }

    Matrix<T> x, w, phase, weight, bias, dy;
};

/// Gradients of everything, 1 before.
template <class T>
struct Gradients {
    explicit Gradients(const Column<T>& c)
        : w(1, c.w.cols()),
          phase(1, c.w.cols()),
          weight(c.w.cols(), c.weight.cols()),
          bias(1, c.weight.cols()),
          x(1, c.x.cols()) {
        for (Matrix<T>* all : {&w, &phase, &weight, &bias, &x}) all->view().set_constant(1);
    }
    kernels::PeriodicGradients<T> of(const Column<T>& c, bool add) {
        return {c.dy.data(), c.dy.row_stride(),   w.data(), phase.data(), weight.data(),
                bias.data(), weight.row_stride(), x.data(), add};
    }

    Matrix<T> w, phase, weight, bias, x;
};

template <class T>
void check_forward(const Column<T>& c, MatrixView<const T> y) {
    for (Index r = 0; r < c.x.cols(); ++r) {
        for (Index d = 0; d < c.weight.cols(); ++d) {
            double sum = double(c.bias(0, d));
            for (Index j = 0; j < c.w.cols(); ++j) sum += std::cos(c.z(r, j)) * double(c.weight(j, d));
            CHECK(std::abs(double(y(d, r)) - sum) < 10 * tolerance<T>);
        }
        CHECK(y(c.weight.cols(), r) == c.x(0, r));
    }
}

template <class T>
void check_backward(const Column<T>& c, Gradients<T>& g, bool add) {
    const Index rows = c.x.cols(), k = c.w.cols(), outputs = c.weight.cols();
    const double before = add ? 1 : 0, close = 10 * tolerance<T> * double(rows);
    std::vector<double> dx(static_cast<std::size_t>(rows));
    for (Index j = 0; j < k; ++j) {
        double dw = before, dphase = before;
        std::vector<double> dweight(static_cast<std::size_t>(outputs), before);
        for (Index r = 0; r < rows; ++r) {
            double dcos = 0;
            for (Index d = 0; d < outputs; ++d) {
                dcos += double(c.dy(d, r)) * double(c.weight(j, d));
                dweight[std::size_t(d)] += double(c.dy(d, r)) * std::cos(c.z(r, j));
            }
            const double dz = -std::sin(c.z(r, j)) * dcos;
            dw += tau * dz * double(c.x(0, r)), dphase += dz,
                dx[std::size_t(r)] += tau * dz * double(c.w(0, j));
        }
        CHECK(std::abs(double(g.w(0, j)) - dw) < tau * close);
        CHECK(std::abs(double(g.phase(0, j)) - dphase) < close);
        for (Index d = 0; d < outputs; ++d)
            CHECK(std::abs(double(g.weight(j, d)) - dweight[std::size_t(d)]) < close);
    }
    for (Index r = 0; r < rows; ++r)
        CHECK(std::abs(double(g.x(0, r)) - double(c.dy(outputs, r)) - dx[std::size_t(r)]) <
              100 * tolerance<T> * double(k));
}

template <class T>
bool same_numbers(const Matrix<T>& a, const Matrix<T>& b) {
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.cols(); ++j)
            if (!same(a(i, j), b(i, j))) return false;
    return true;
}

}  // namespace

TEST_CASE_TEMPLATE("periodic: a column has its formula, and the same bits on every set", T, float, double) {
    for (const Index rows : {1, 7, 16, 17, 250, 256})
        for (const auto& [k, outputs] : {std::pair<Index, Index>{1, 1}, {5, 2}, {16, 3}, {33, 4}, {70, 11}}) {
            CAPTURE(rows);
            CAPTURE(k);
            const Column<T> c(rows, k, outputs);
            const auto all = all_kernels<T>();
            Matrix<T> y(outputs + 1, rows), other(outputs + 1, rows);
            all[0].embeddings.periodic_forward(c.call(), y.data(), y.row_stride());
            check_forward<T>(c, y);
            for (const bool add : {false, true}) {
                Gradients<T> g(c);
                all[0].embeddings.periodic_backward(c.call(), g.of(c, add));
                check_backward(c, g, add);
                for (const auto& table : all) {
                    CAPTURE(table.isa);
                    table.embeddings.periodic_forward(c.call(), other.data(), other.row_stride());
                    CHECK(same_numbers(other, y));
                    Gradients<T> h(c);
                    table.embeddings.periodic_backward(c.call(), h.of(c, add));
                    CHECK((same_numbers(h.w, g.w) && same_numbers(h.phase, g.phase)));
                    CHECK((same_numbers(h.weight, g.weight) && same_numbers(h.bias, g.bias)));
                    CHECK(same_numbers(h.x, g.x));
                }
            }
        }
}

TEST_CASE_TEMPLATE("periodic: cosines of any number of turns have an error of at most 1.5 epsilon", T, float,
                   double) {
    const T one = 1, zero = 0, infinity = std::numeric_limits<T>::infinity();
    std::vector<T> x, y(2 * 256);
    for (int i = 0; i < 240; ++i) x.push_back(T(std::ldexp(1.0 + double(i % 16) / 16.37, i / 8 - 20)));
    x.insert(x.end(), {T(0), T(0.25), T(0.5), T(-0.75), T(1e30), infinity, -infinity,
                       std::numeric_limits<T>::quiet_NaN()});
    for (const auto& table : all_kernels<T>()) {
        table.embeddings.periodic_forward({std::ssize(x), 1, 1, x.data(), &one, &zero, &one, 1, &zero},
                                          y.data(), 256);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double turns = double(x[i]) - std::nearbyint(double(x[i]));
            if (std::isfinite(double(x[i])))
                CHECK(std::abs(double(y[i]) - std::cos(tau * turns)) <=
                      1.5 * double(std::numeric_limits<T>::epsilon()));
            else
                CHECK(std::isnan(y[i]));
        }
    }
}
