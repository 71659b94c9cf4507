// Memory, matrices, views, blocks, products and what is refused.
#include "matrix_helpers.hpp"

#include <cmlp/base/matrix.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

using namespace cmlp;
using cmlp::test::message;
using cmlp::test::numbers;

TEST_CASE("padded_stride packs short rows and never gives a multiple of 1024 bytes") {
    CHECK(padded_stride<float>(0) == 0);
    CHECK(padded_stride<float>(16) == 16);
    CHECK(padded_stride<float>(17) == 32);
    CHECK(padded_stride<float>(256) == 272);
    CHECK(padded_stride<float>(250) == 272);
    CHECK(padded_stride<double>(8) == 8);
    CHECK(padded_stride<double>(9) == 16);
    CHECK(padded_stride<double>(128) == 136);
    CHECK(padded_stride<float>(2048) == 2064);
}

TEST_CASE("Buffer: aligned, zeroed, keeps its memory") {
    Buffer<float> a(5);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
    for (float& x : a) x = 1;
    const float* memory = a.data();
    a.resize(2);
    a.resize(5);
    CHECK(a.data() == memory);
    CHECK(a.capacity() == 5);
    CHECK((a[1] == 1 && a[2] == 0 && a[4] == 0));
    a.resize(100);
    CHECK((a[0] == 1 && a[99] == 0 && a.span().size() == 100));
    Buffer<float> copy = a, moved = std::move(a);
    CHECK((copy.size() == 100 && copy.data() != moved.data() && a.empty() && a.data() == nullptr));
    copy = moved;
    CHECK(copy[1] == 1);
    CHECK_THROWS_AS(copy.resize(-1), std::invalid_argument);
    CHECK_THROWS_AS(copy.resize(std::numeric_limits<Index>::max()), std::invalid_argument);
}

TEST_CASE_TEMPLATE("Matrix: zero at first, padding too; lists, copies, moves", T, float, double) {
    const Matrix<T> zero(3, 257);
    for (Index k = 0; k < 3 * zero.row_stride(); ++k) REQUIRE(zero.data()[k] == 0);
    CHECK(
        (zero.row_stride() == padded_stride<T>(257) && !zero.is_contiguous() && zero.row(1).is_contiguous()));
    Matrix<T> a{{1, 2}, {3, 4}, {5, 6}};
    CHECK((a.rows() == 3 && a.cols() == 2 && a.size() == 6 && a(2, 1) == 6 && a.is_contiguous()));
    Matrix<T> b = a, c = std::move(a);
    CHECK((b(1, 0) == 3 && c(1, 0) == 3 && a.empty() && a.rows() == 0));
    b = zero;
    CHECK((b.rows() == 3 && b.cols() == 257));
    CHECK(message([] { Matrix<T>{{1, 2}, {3}}; }) == "Matrix: one row has 2 values, another 1");
    CHECK(message([] { Matrix<T>(-1, 2); }) == "Matrix: there is no shape -1x2");
    CHECK_THROWS_AS(Matrix<T>(Index(1) << 40, Index(1) << 40), std::invalid_argument);
}

TEST_CASE("Matrix.resize and assignment stay in the memory there is") {
    Matrix<float> a(20, 300);
    const float* memory = a.data();
    for (auto [rows, cols] : {std::pair<Index, Index>{190, 20}, {1, 1}, {0, 7}, {20, 300}}) {
        a.resize(rows, cols);
        CHECK((a.rows() == rows && a.cols() == cols && a.data() == memory));
    }
    const Matrix<float> b = numbers<float>(20, 300, 1);
    a = b + b;
    a.noalias() = b.cwise_product(b);
    CHECK(a.data() == memory);
    a = b.top_rows(2);
    CHECK((a.rows() == 2 && a(1, 299) == b(1, 299)));
}

TEST_CASE("reading the target at other positions goes through a temporary") {
    const Matrix<float> start = numbers<float>(6, 6, 3);
    Matrix<float> a = start;
    a = a.transpose();
    CHECK((a - start.transpose()).norm() == 0);
    a = a.transpose().rowwise() - a.col(2).transpose();
    CHECK((a - (start.rowwise() - start.row(2))).norm() == 0);
    a = start;
    a.block(1, 1, 4, 4) = a.block(0, 0, 4, 4) + a.block(2, 2, 4, 4);
    CHECK((a.block(1, 1, 4, 4) - (start.block(0, 0, 4, 4) + start.block(2, 2, 4, 4))).norm() == 0);
    a = start;
    a = a.top_rows(2);
    CHECK((a - start.top_rows(2)).norm() == 0);
}

TEST_CASE("`=` on a view writes or does not compile; rebind looks elsewhere") {
    using View = MatrixView<float>;
    static_assert(!std::is_assignable_v<View&, View&> && !std::is_assignable_v<View&, View>);
    static_assert(std::is_assignable_v<View, View>);
    static_assert(!std::is_assignable_v<MatrixView<const float>&, View>);
    static_assert(std::is_convertible_v<View, MatrixView<const float>>);
    static_assert(!std::is_constructible_v<View, MatrixView<const float>>);
    static_assert(!Writable<MatrixView<const float>> && !Writable<const Matrix<float>> &&
                  Writable<const View>);
    Matrix<float> a = numbers<float>(4, 20, 1), b = numbers<float>(4, 20, 2);
    const Matrix<float> old = b;
    a.row(0) = b.row(1);
    CHECK(a(0, 19) == b(1, 19));
    View v = a, w = b;
    v.assign(w);
    CHECK((a - b).norm() == 0);
    v.rebind(b);
    CHECK((v.data() == b.data() && (b - old).norm() == 0));
    v = a + a;
    CHECK((b - a * 2).norm() == 0);
    MatrixView<const float> reader;
    CHECK((reader.empty() && reader.sum() == 0));
    reader.rebind(a);
    CHECK(reader.data() == a.data());
}

TEST_CASE("blocks look at the same elements") {
    Matrix<float> a = numbers<float>(6, 20, 1);
    CHECK(&a.block(2, 3, 2, 4)(1, 2) == &a(3, 5));
    CHECK((&a.row(4)(0, 7) == &a(4, 7) && &a.col(7)(4, 0) == &a(4, 7)));
    CHECK((a.top_rows(2).rows() == 2 && &a.bottom_rows(2)(0, 0) == &a(4, 0) &&
           &a.middle_rows(3, 2)(1, 1) == &a(4, 1)));
    CHECK((&a.left_cols(3)(5, 2) == &a(5, 2) && &a.right_cols(3)(5, 0) == &a(5, 17) &&
           &a.middle_cols(4, 2)(1, 1) == &a(1, 5)));
    a.block(1, 1, 2, 2).set_zero();
    CHECK((a(1, 1) == 0 && a(2, 2) == 0 && a(3, 3) != 0));
    CHECK(message([&] { a.row(6); }) == "block: 1x20 at (6, 0) is not inside 6x20");
    CHECK(message([&] { a.right_cols(21); }) == "block: 6x21 at (0, -1) is not inside 6x20");
    CHECK(message([&] { a.block(0, 0, -1, 2); }) == "block: -1x2 at (0, 0) is not inside 6x20");
}

TEST_CASE_TEMPLATE("products of matrices, blocks and transposes", T, float, double) {
    const Index m = 5, k = 18, n = 7;
    const Matrix<T> a = numbers<T>(m, k, 1), b = numbers<T>(k, n, 2), at = a.transpose(), bt = b.transpose();
    Matrix<T> expected(m, n), large = numbers<T>(k + 2, n + 3, 5);
    for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j)
            for (Index l = 0; l < k; ++l) expected(i, j) += a(i, l) * b(l, j);
    const T tolerance = 100 * std::numeric_limits<T>::epsilon();
    const auto near = [&](const Matrix<T>& c, T times) {
        return (c - expected * times).norm() < tolerance * times;
    };
    Matrix<T> c = a * b;
    CHECK(near(c, 1));
    c.noalias() += at.transpose() * bt.transpose();
    CHECK(near(c, 2));
    c.noalias() = at.transpose() * b;
    c += a * bt.transpose();
    CHECK(near(c, 2));
    c -= a * b;
    CHECK(near(c, 1));
    large.block(1, 2, k, n) = b;
    CHECK(near(a * large.block(1, 2, k, n), 1));
    large.block(2, 3, m, n) = a * b;
    CHECK(near(large.block(2, 3, m, n), 1));
    CHECK(near((bt * at).transpose(), 1));
    CHECK(near(a * b + c, 2));
    CHECK(near((a * b).rowwise() * Matrix<T>(1, n).unary_expr([](T) { return T(3); }), 3));
    Matrix<T> square{{1, 1}, {0, 1}};
    square = square * square;
    CHECK((square(0, 1) == 2 && square(1, 0) == 0));
    CHECK(std::abs((a * b).sum() - expected.sum()) < tolerance * 10);
}

TEST_CASE("shape errors name the operation and both shapes") {
    const Matrix<float> a(2, 3), b(2, 4);
    Matrix<float> c(2, 2);
    CHECK(message([&] { a + b; }) == "operator+: left is 2x3, right is 2x4");
    CHECK(message([&] { a - a.transpose(); }) == "operator-: left is 2x3, right is 3x2");
    CHECK(message([&] { a.cwise_product(b); }) == "cwise_product: left is 2x3, right is 2x4");
    CHECK(message([&] { a.binary_expr(b, std::plus<>()); }) == "binary_expr: left is 2x3, right is 2x4");
    CHECK(message([&] { c += a; }) == "operator+: left is 2x2, right is 2x3");
    CHECK(message([&] { c.view() = a; }) == "operator=: left is 2x2, right is 2x3");
    CHECK(message([&] { a* b; }) == "operator*: left is 2x3, right is 2x4");
    CHECK(message([&] { c.noalias() = a * b.transpose(); }) == "operator*: left is 2x3, right is 4x2");
    CHECK(message([&] { c.noalias() = a.transpose() * b; }) == "operator=: left is 2x2, right is 3x4");
    CHECK(message([&] { c.noalias() += a.transpose() * b; }) == "operator+=: left is 2x2, right is 3x4");
    CHECK(message([&] { a.rowwise() + b.row(0); }) == "rowwise: the matrix is 2x3, the row is 1x4");
    CHECK(message([&] { a.colwise() * b; }) == "colwise: the matrix is 2x3, the column is 2x4");
}
