// Lazy arithmetic and folds against plain loops, on padded, packed and block operands.
#include "matrix_helpers.hpp"

#include <cmlp/base/matrix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

using namespace cmlp;
using cmlp::test::message;
using cmlp::test::numbers;

namespace {

/// f(a, b, target) for each shape, with operands in a Matrix, packed, and inside a larger Matrix.
template <class T, class F>
void on_all_layouts(F f) {
    const Index shapes[][2] = {{0, 3}, {3, 0},  {1, 1},  {1, 40},  {40, 1},
                               {3, 5}, {4, 16}, {5, 17}, {3, 256}, {17, 33}};
    for (const auto& [rows, cols] : shapes) {
        CAPTURE(rows);
        CAPTURE(cols);
        Matrix<T> a = numbers<T>(rows, cols, 1), b = numbers<T>(rows, cols, 2), c(rows, cols);
        f(MatrixView<const T>(a), MatrixView<const T>(b), c.view());
        Buffer<T> packed(3 * rows * cols);
        T* p = packed.data();
        MatrixView<T> pa(p, rows, cols), pb(p + rows * cols, rows, cols), pc(p + 2 * rows * cols, rows, cols);
        pa.assign(a);
        pb.assign(b);
        f(MatrixView<const T>(pa), MatrixView<const T>(pb), pc);
        Matrix<T> large(2 * rows + 1, 2 * cols + 3);
        large.block(1, 2, rows, cols) = a;
        large.block(rows, cols + 3, rows, cols) = b;
        f(MatrixView<const T>(large).block(1, 2, rows, cols), MatrixView<const T>(b), c.view());
    }
}

/// Every element of e, of the target it is assigned to, and of a Matrix made from it is element(i, j).
template <class T, class E, class Element>
void check(MatrixView<T> target, const Expression<E>& e, Element element) {
    const Matrix<T> made = e;
    target = e;
    REQUIRE(made.rows() == e.self().rows());
    REQUIRE(made.cols() == e.self().cols());
    Index wrong = 0;
    for (Index i = 0; i < made.rows(); ++i)
        for (Index j = 0; j < made.cols(); ++j)
            wrong += made(i, j) != element(i, j) || target(i, j) != element(i, j);
    CHECK(wrong == 0);
}

/// The documented order, spelled out: element j to lane j % 16, then halves.
template <class T, class F>
T in_lanes(const std::vector<T>& x, T start, F f) {
    std::vector<T> lane(16, start);
    for (size_t j = 0; j < x.size(); ++j) lane[j % 16] = f(lane[j % 16], x[j]);
    for (size_t half : {8, 4, 2, 1})
        for (size_t i = 0; i < half; ++i) lane[i] = f(lane[i], lane[i + half]);
    return lane[0];
}

}  // namespace

TEST_CASE_TEMPLATE("elementwise expressions", T, float, double) {
    on_all_layouts<T>([](auto a, auto b, auto c) {
        const T s = T(1.7);
        check(c, a + b, [&](Index i, Index j) { return a(i, j) + b(i, j); });
        check(c, a - b, [&](Index i, Index j) { return a(i, j) - b(i, j); });
        check(c, -a, [&](Index i, Index j) { return -a(i, j); });
        check(c, a * s, [&](Index i, Index j) { return a(i, j) * s; });
        check(c, s * a, [&](Index i, Index j) { return a(i, j) * s; });
        check(c, a / s, [&](Index i, Index j) { return a(i, j) / s; });
        check(c, a + 1, [&](Index i, Index j) { return a(i, j) + 1; });
        check(c, a.cwise_product(b), [&](Index i, Index j) { return a(i, j) * b(i, j); });
        check(c, a.cwise_quotient(b), [&](Index i, Index j) { return a(i, j) / b(i, j); });
        check(c, a.cwise_min(b), [&](Index i, Index j) { return std::min(a(i, j), b(i, j)); });
        check(c, a.cwise_max(b), [&](Index i, Index j) { return std::max(a(i, j), b(i, j)); });
        check(c, a.cwise_max(0), [&](Index i, Index j) { return std::max(a(i, j), T(0)); });
        check(c, a.cwise_abs().cwise_sqrt(), [&](Index i, Index j) { return std::sqrt(std::abs(a(i, j))); });
        check(c, a.square(), [&](Index i, Index j) { return a(i, j) * a(i, j); });
        check(c, a.unary_expr([](T x) { return std::exp(x); }),
              [&](Index i, Index j) { return std::exp(a(i, j)); });
        check(c, a.binary_expr(b, [](T x, T y) { return std::atan2(x, y); }),
              [&](Index i, Index j) { return std::atan2(a(i, j), b(i, j)); });
        check(c, a.template cast<int>().template cast<T>(),
              [&](Index i, Index j) { return T(int(a(i, j))); });
        check(c, (a + b * s).cwise_product(a - b) / 3,
              [&](Index i, Index j) { return (a(i, j) + b(i, j) * s) * (a(i, j) - b(i, j)) / 3; });
        const Matrix<T> bt = b.transpose();
        check(c, a + bt.transpose(), [&](Index i, Index j) { return a(i, j) + b(i, j); });
        check(bt.eval().view(), a.transpose(), [&](Index i, Index j) { return a(j, i); });
    });
}

TEST_CASE_TEMPLATE("rowwise and colwise with a vector", T, float, double) {
    on_all_layouts<T>([](auto a, auto b, auto c) {
        if (a.empty()) return;
        const auto row = b.row(b.rows() - 1), col = b.col(b.cols() - 1);
        check(c, a.rowwise() + row, [&](Index i, Index j) { return a(i, j) + row(0, j); });
        check(c, a.rowwise() - row, [&](Index i, Index j) { return a(i, j) - row(0, j); });
        check(c, a.rowwise() * row, [&](Index i, Index j) { return a(i, j) * row(0, j); });
        check(c, a.rowwise() / row, [&](Index i, Index j) { return a(i, j) / row(0, j); });
        check(c, a.colwise() + col, [&](Index i, Index j) { return a(i, j) + col(i, 0); });
        check(c, a.colwise() * col, [&](Index i, Index j) { return a(i, j) * col(i, 0); });
        check(c, (a + b).rowwise() * (row + row),
              [&](Index i, Index j) { return (a(i, j) + b(i, j)) * (row(0, j) + row(0, j)); });
    });
}

TEST_CASE_TEMPLATE("folds follow the documented order to the last bit", T, float, double) {
    on_all_layouts<T>([](auto a, auto b, auto) {
        std::vector<T> row_sums, row_squares;
        T largest = -std::numeric_limits<T>::infinity(), smallest = -largest;
        for (Index i = 0; i < a.rows(); ++i) {
            std::vector<T> row, squares;
            for (Index j = 0; j < a.cols(); ++j) {
                row.push_back(a(i, j));
                squares.push_back(a(i, j) * a(i, j));
                largest = std::max(largest, a(i, j));
                smallest = std::min(smallest, a(i, j));
            }
            row_sums.push_back(in_lanes(row, T(0), std::plus<>()));
            row_squares.push_back(in_lanes(squares, T(0), std::plus<>()));
        }
        const T sum = in_lanes(row_sums, T(0), std::plus<>()),
                squares = in_lanes(row_squares, T(0), std::plus<>());
        CHECK(a.sum() == sum);
        CHECK(a.squared_norm() == squares);
        CHECK(a.norm() == std::sqrt(squares));
        const Matrix<T> by_row = a.rowwise().sum(), by_col = a.colwise().sum();
        CHECK((by_row.rows() == a.rows() && by_row.cols() == 1 && by_col.rows() == 1 &&
               by_col.cols() == a.cols()));
        for (Index i = 0; i < a.rows(); ++i) CHECK(by_row(i, 0) == row_sums[size_t(i)]);
        for (Index j = 0; j < a.cols(); ++j) {
            T total = 0;
            for (Index i = 0; i < a.rows(); ++i) total += a(i, j);
            CHECK(by_col(0, j) == total);
        }
        if (a.empty()) return;
        CHECK(a.mean() == sum / T(a.size()));
        CHECK(a.max_coeff() == largest);
        CHECK(a.min_coeff() == smallest);
        CHECK(a.rowwise().mean()(0, 0) == row_sums[0] / T(a.cols()));
        CHECK(a.colwise().mean()(0, 0) == by_col(0, 0) / T(a.rows()));
        CHECK((a + b).rowwise().max_coeff().max_coeff() == (a + b).max_coeff());
        CHECK(a.colwise().max_coeff().max_coeff() == largest);
        CHECK(a.rowwise().min_coeff().min_coeff() == smallest);
        CHECK(a.colwise().min_coeff().min_coeff() == smallest);
        const std::vector<Index> best = a.rowwise().arg_max();
        for (Index i = 0; i < a.rows(); ++i) CHECK(a(i, best[size_t(i)]) == a.row(i).max_coeff());
    });
}

TEST_CASE("folds: ties, NaN, no elements") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Matrix<float> a{{1, 3, 3}, {2, nan, 9}, {-1, -2, -1}};
    CHECK(a.rowwise().arg_max() == std::vector<Index>{1, 1, 0});
    CHECK((std::isnan(a.sum()) && std::isnan(a.max_coeff()) && std::isnan(a.min_coeff())));
    CHECK((std::isnan(a.colwise().max_coeff()(0, 1)) && a.colwise().max_coeff()(0, 2) == 9));
    CHECK((std::isnan(a.cwise_max(0)(1, 1)) && std::isnan(a.cwise_min(a.colwise() - a.col(1))(1, 2))));
    const Matrix<float> none(0, 3);
    CHECK((none.sum() == 0 && none.colwise().sum()(0, 2) == 0));
    CHECK(message([&] { none.mean(); }) == "mean: 0x3 has no elements");
    CHECK(message([&] { none.max_coeff(); }) == "max_coeff: 0x3 has no elements");
    CHECK(message([&] { none.colwise().mean(); }) == "mean: 0x3 has no elements");
    CHECK(message([&] { none.rowwise().arg_max(); }) == "arg_max: 0x3 has no elements");
}

TEST_CASE("an expression runs as one loop that reads each element once") {
    int calls = 0;
    const auto count = [&calls](float x) { return ++calls, x; };
    const Matrix<float> a = numbers<float>(5, 20, 1);
    Matrix<float> c(5, 20);
    auto lazy = (a.unary_expr(count) + a * 2).cwise_max(0);
    CHECK(calls == 0);
    c = lazy;
    CHECK(calls == 100);
    c += a.unary_expr(count);
    CHECK(calls == 200);
    CHECK(std::isfinite(a.unary_expr(count).sum()));
    CHECK(calls == 300);
}

TEST_CASE_TEMPLATE("compound assignment, on matrices and on views", T, float, double) {
    on_all_layouts<T>([](auto a, auto b, auto c) {
        c.set_constant(2);
        c += a;
        c -= b;
        c *= T(3);
        c *= b;
        c /= T(7);
        Index wrong = 0;
        for (Index i = 0; i < a.rows(); ++i)
            for (Index j = 0; j < a.cols(); ++j)
                wrong += c(i, j) != (T(2) + a(i, j) - b(i, j)) * T(3) * b(i, j) / T(7);
        CHECK(wrong == 0);
    });
    Matrix<T> m(3, 20);
    m.fill(1);
    m.row(1) += m.row(0);
    m.col(2) *= T(5);
    CHECK((m(1, 0) == 2 && m(0, 2) == 5 && m(1, 2) == 10 && m.sum() == 20 * 4 + 4 + 8 + 4));
}
