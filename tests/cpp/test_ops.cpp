// The dense operations against plain loops: shapes, strides, chunks of rows, set against add, all bit for bit where the
// order of the sum is promised.
#include <doctest/doctest.h>

#include <cmath>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"
#include "ops/ops.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// A matrix inside a larger one, whose other elements must not change.
template <class T>
struct Inside {
    Matrix<T> outer;

    Inside(Index rows, Index cols, int seed) : outer(rows + 2, cols + 5) {
        outer.fill(T(99));
        view().assign(numbers<T>(rows, cols, seed));
    }
    MatrixView<T> view() { return outer.block(1, 2, outer.rows() - 2, outer.cols() - 5); }
    MatrixView<const T> read() { return view(); }
    bool frame_kept() {
        for (Index i = 0; i < outer.rows(); ++i)
            for (Index j = 0; j < outer.cols(); ++j) {
                const bool inside = i >= 1 && i <= outer.rows() - 2 && j >= 2 && j < outer.cols() - 3;
                if (!inside && outer(i, j) != T(99)) return false;
            }
        return true;
    }
};

// Index pairs of (m, n) where the two differ.
template <class T, class F>
Index mismatches(MatrixView<T> got, F expected) {
    Index count = 0;
    for (Index i = 0; i < got.rows(); ++i)
        for (Index j = 0; j < got.cols(); ++j) count += !same<T>(got(i, j), expected(i, j));
    return count;
}

// sum over rows of a(r) * b(r) as one chain a chunk of 256 rows, chunks added in order to `start`
template <class T, class A, class B>
T chunked(Index rows, bool accumulate, T start, A a, B b) {
    for (Index r = 0; r < rows; r += 256) {
        T chain = 0;
        for (Index i = r; i < std::min(rows, r + 256); ++i) chain = std::fma(a(i), b(i), chain);
        start = accumulate || r > 0 ? start + chain : chain;
    }
    return start;
}

}  // namespace

TEST_CASE_TEMPLATE("ops: linear_forward is a chain of fma from the bias", T, float, double) {
    const Index shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 33, 9}, {70, 20, 65}, {200, 64, 130}};
    for (const auto& [batch, in, out] : shapes)
        for (const bool bias : {false, true}) {
            Inside<T> x(batch, in, 1), w(in, out, 2), b(1, out, 3), y(batch, out, 4);
            ops::linear_forward<T>(x.view(), w.view(), bias ? b.view().data() : nullptr, y.view());
            CHECK(y.frame_kept());
            CHECK(mismatches(y.view(), [&](Index i, Index j) {
                      T chain = bias ? b.view()(0, j) : T(0);
                      for (Index p = 0; p < in; ++p) chain = std::fma(x.view()(i, p), w.view()(p, j), chain);
                      return chain;
                  }) == 0);
        }
}

TEST_CASE_TEMPLATE("ops: weight and bias gradients are chains over chunks of 256 rows, set or added", T,
                   float, double) {
    for (const Index batch : {1, 7, 255, 256, 257, 600})
        for (const bool accumulate : {false, true}) {
            CAPTURE(batch);
            Inside<T> x(batch, 13, 1), dy(batch, 35, 2), dw(13, 35, 3), db(1, 35, 4);
            const Matrix<T> dw_before = dw.view(), db_before = db.view();
            ops::linear_backward_weight<T>(x.view(), dy.view(), dw.view(), accumulate);
            ops::linear_backward_bias<T>(dy.view(), db.view().data(), accumulate);
            CHECK(dw.frame_kept());
            CHECK(db.frame_kept());
            CHECK(mismatches(dw.view(), [&](Index i, Index j) {
                      return chunked<T>(
                          batch, accumulate, dw_before(i, j), [&](Index r) { return x.view()(r, i); },
                          [&](Index r) { return dy.view()(r, j); });
                  }) == 0);
            CHECK(mismatches(db.view(), [&](Index, Index j) {
                      return chunked<T>(
                          batch, accumulate, db_before(0, j), [](Index) { return T(1); },
                          [&](Index r) { return dy.view()(r, j); });
                  }) == 0);
        }
}

TEST_CASE_TEMPLATE(
    "ops: weight gradients of several maps are made in blocks and over threads, and stay what they are", T,
    float, double) {
    const RuntimeScope scope;
    const Index batch = 300;
    for (const int threads : {1, 2, 3})
        for (const bool accumulate : {false, true}) {
            CAPTURE(threads);
            set_num_threads(threads);
            Inside<T> x(batch, 700, 1), middle(batch, 530, 2), dy(batch, 3, 3), few(batch, 5, 4);
            Inside<T> dw1(700, 530, 5), dw2(530, 3, 6), dw3(5, 530, 7), db(1, 530, 8);
            const Matrix<T> before[] = {dw1.view(), dw2.view(), dw3.view(), db.view()};
            const std::vector<WeightGradient<T>> maps = {
                {x.view(), middle.view(), dw1.view(), db.view().data(), accumulate},
                {middle.view(), dy.view(), dw2.view(), nullptr, accumulate},
                {few.view(), middle.view(), dw3.view(), nullptr, accumulate}};
            ops::weight_gradients<T>(maps);
            CHECK((dw1.frame_kept() && dw2.frame_kept() && dw3.frame_kept() && db.frame_kept()));
            Index wrong = 0;
            for (size_t m = 0; m < maps.size(); ++m)
                for (Index i = 0; i < maps[m].dw.rows(); ++i)
                    for (Index j = i % 17; j < maps[m].dw.cols(); j += 17)
                        wrong += !same<T>(maps[m].dw(i, j), chunked<T>(
                                                                batch, accumulate, before[m](i, j),
                                                                [&](Index r) { return maps[m].x(r, i); },
                                                                [&](Index r) { return maps[m].dy(r, j); }));
            CHECK(wrong == 0);
            CHECK(mismatches(db.view(), [&](Index, Index j) {
                      return chunked<T>(
                          batch, accumulate, before[3](0, j), [](Index) { return T(1); },
                          [&](Index r) { return middle.view()(r, j); });
                  }) == 0);
        }
}

TEST_CASE_TEMPLATE("ops: the input gradient of large weights is the same by panels, whatever follows a block",
                   T, float, double) {
    const RuntimeScope scope;
    Matrix<T> scratch;
    Inside<T> dy(100, 500, 1), w(290, 500, 2), dx(100, 290, 3);
    for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        set_num_threads(threads);
        auto twice = [&](Index i, Index rows, Index j, Index cols) {
            dx.view().block(i, j, rows, cols) *= T(2);
        };
        ops::linear_backward_input<T>(dy.view(), w.view(), scratch, dx.view(), ops::AfterBlock(twice));
        CHECK(dx.frame_kept());
        Index wrong = 0;
        for (Index i = 0; i < 100; ++i)
            for (Index j = i % 7; j < 290; j += 7) {
                T chain = 0;
                for (Index p = 0; p < 500; ++p) chain = std::fma(dy.view()(i, p), w.view()(j, p), chain);
                wrong += !same<T>(dx.view()(i, j), 2 * chain);
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("ops: input gradient is dy times the transposed weights", T, float, double) {
    Matrix<T> scratch;
    for (const Index batch : {1, 6, 50})
        for (const Index in : {1, 16, 37}) {
            Inside<T> dy(batch, 21, 1), w(in, 21, 2), dx(batch, in, 3);
            ops::linear_backward_input<T>(dy.view(), w.view(), scratch, dx.view());
            CHECK(dx.frame_kept());
            CHECK(mismatches(dx.view(), [&](Index i, Index j) {
                      T chain = 0;
                      for (Index p = 0; p < 21; ++p) chain = std::fma(dy.view()(i, p), w.view()(j, p), chain);
                      return chain;
                  }) == 0);
        }
}

TEST_CASE_TEMPLATE("ops: activations on views with strides", T, float, double) {
    for (std::size_t a = 0; a < rows<Activation>().size(); ++a) {
        const auto kind = static_cast<Activation>(a);
        const std::vector<double> settings = resolve(kind);
        const std::vector<T> p(settings.begin(), settings.end());
        Inside<T> z(19, 23, 1), y(19, 23, 2), dy(19, 23, 3), dz(19, 23, 4);
        ops::activation_forward<T>(kind, p, z.view(), y.view());
        ops::activation_backward<T>(kind, p, z.view(), y.view(), dy.view(), dz.view());
        const Grid in = grid_of(z.view()), slope = grid_of(dy.view());
        const std::vector<double> rounded(p.begin(), p.end());
        CAPTURE(std::string(name(kind)));
        CHECK(difference(y.view(), made(19, 23, [&](auto i, auto j) {
                             return activate(kind, in[i][j], rounded).value;
                         })) < tolerance<T>);
        CHECK(difference(dz.view(), made(19, 23, [&](auto i, auto j) {
                             return slope[i][j] * activate(kind, in[i][j], rounded).slope;
                         })) < tolerance<T>);
        CHECK(y.frame_kept());
        CHECK(dz.frame_kept());
        ops::activation_forward<T>(kind, p, z.view(), z.view());  // in place
        CHECK(mismatches(z.view(), [&](Index i, Index j) { return y.view()(i, j); }) == 0);
    }
}

TEST_CASE_TEMPLATE("ops: softmax and its backward", T, float, double) {
    Inside<T> x(11, 29, 1), y(11, 29, 2), dy(11, 29, 3), dx(11, 29, 4);
    ops::softmax_forward<T>(x.view(), y.view());
    ops::softmax_backward<T>(y.view(), dy.view(), dx.view());
    Grid p = grid_of(x.view());
    for (Line& row : p) row = softmax(row);
    const Grid d = grid_of(dy.view());
    CHECK(difference(y.view(), p) < tolerance<T>);
    CHECK(difference(dx.view(), made(11, 29, [&](auto i, auto j) {
                         double dot = 0;
                         for (std::size_t k = 0; k < 29; ++k) dot += p[i][k] * d[i][k];
                         return p[i][j] * (d[i][j] - dot);
                     })) < tolerance<T>);
    CHECK(y.frame_kept());
    CHECK(dx.frame_kept());
}

TEST_CASE_TEMPLATE("ops: dropout's mask depends on key, step and position alone", T, float, double) {
    Inside<T> x(40, 31, 1), y(40, 31, 2), dy(40, 31, 3), dx(40, 31, 4);
    std::vector<unsigned char> bits(std::size_t(40 * ops::kept_bytes(31)));
    const ops::KeptBits rows_of_bits{bits.data(), ops::kept_bytes(31)};
    ops::dropout<T>(x.view(), {0.3, 5, 8, {}, 31}, rows_of_bits, 0, 0, y.view());
    ops::dropout_backward<T>(dy.view(), 0.3, rows_of_bits, 0, 0, dx.view());
    const auto kept = [](Index i, Index j) {
        return random_word(5, 8, std::uint64_t(i * 31 + j)) >= std::uint32_t(0.3 * 4294967296.0);
    };
    CHECK(mismatches(y.view(),
                     [&](Index i, Index j) { return kept(i, j) ? x.view()(i, j) * T(1 / 0.7) : T(0); }) == 0);
    CHECK(mismatches(dx.view(), [&](Index i, Index j) {
              return kept(i, j) ? dy.view()(i, j) * T(1 / 0.7) : T(0);
          }) == 0);
    CHECK(y.frame_kept());
    std::vector<std::uint64_t> names(40);  // rows by name: 3, 0, 1, 2, 0, 1, 2 ...
    for (std::size_t r = 0; r < 40; ++r) names[r] = r == 0 ? 3 : (r - 1) % 3;
    ops::dropout<T>(x.view(), {0.3, 5, 8, names, 31}, rows_of_bits, 0, 0, y.view());
    CHECK(mismatches(y.view(), [&](Index i, Index j) {
              return kept(Index(names[std::size_t(i)]), j) ? x.view()(i, j) * T(1 / 0.7) : T(0);
          }) == 0);
}

TEST_CASE_TEMPLATE("ops: gathering, sums, scaling and the search for what is not finite", T, float, double) {
    Inside<T> x(9, 14, 1), out(5, 14, 2);
    const std::vector<Index> order = {8, 0, 3, 3, 7};
    ops::gather_rows<T>(x.view(), order, out.view());
    CHECK(mismatches(out.view(), [&](Index i, Index j) { return x.view()(order[std::size_t(i)], j); }) == 0);
    CHECK(out.frame_kept());

    std::vector<T> a(1000), w(1000, T(2));
    fill(a.data(), 1000, 3);
    double sum = 0, squares = 0;
    for (const T v : a) sum += double(v), squares += double(v) * double(v);
    CHECK(ops::weighted_sum<T>(a, nullptr) == doctest::Approx(sum).epsilon(1e-12));
    CHECK(ops::weighted_sum<T>(a, w.data()) == doctest::Approx(2 * sum).epsilon(1e-12));
    CHECK(ops::squared_norm<T>(a) == doctest::Approx(squares).epsilon(1e-12));
    std::vector<T> scaled = a;
    ops::scale<T>(scaled, T(3));
    for (std::size_t i = 0; i < 1000; ++i) CHECK(scaled[i] == T(3) * a[i]);

    const T nan = std::numeric_limits<T>::quiet_NaN();
    x.outer.fill(nan);  // elements between the rows are not read
    x.view().fill(T(1));
    CHECK(ops::first_nonfinite<T>(x.view()) == -1);
    for (Index at = 0; at < 9 * 14; ++at) {
        x.view()(at / 14, at % 14) = nan;
        CHECK(ops::first_nonfinite<T>(x.view()) == at);
        x.view()(at / 14, at % 14) = T(1);
    }
    CHECK(ops::first_nonfinite<T>(MatrixView<const T>()) == -1);
    CHECK(ops::first_nonfinite<T>(x.view().left_cols(0)) == -1);
}
