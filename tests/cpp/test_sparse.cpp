// Sparse input: products with the bits of the dense ones on every instruction set, invalid CSR rejected, fits
// with the same bits.
#include <doctest/doctest.h>

#include "ops/sparse.hpp"
#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// Numbers of which about one in `gap` is there; row 2 and column 1 have none.
template <class T>
Matrix<T> thinned(Index rows, Index cols, Index gap) {
    Matrix<T> x = numbers<T>(rows, cols, 1);
    Rng rng(1, Stream::user);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < cols; ++j)
            if (rng.below(gap) > 0 || i == 2 || j == 1) x(i, j) = 0;
    return x;
}

template <class T>
bool same_bits(const Matrix<T>& a, const Matrix<T>& b) {
    for (Index i = 0; i < a.rows(); ++i)
        if (first_difference(a.row(i).data(), b.row(i).data(), a.cols()) >= 0) return false;
    return true;
}

std::string refusal(Index rows, Index cols, std::vector<std::int64_t> starts,
                    std::vector<std::int32_t> columns, size_t values) {
    const std::vector<float> numbers(values, 1.0f);
    return message([&] { SparseView<float>(rows, cols, starts, columns, numbers, "f: x"); });
}

}  // namespace

TEST_CASE_TEMPLATE("sparse: products have the bits of the dense ones on every instruction set", T, float,
                   double) {
    const Index shapes[][2] = {{1, 1}, {3, 5}, {40, 17}, {257, 33}, {600, 130}};
    for (const std::string& isa : isas())
        for (const int threads : {1, 2})
            for (const auto& [batch, in] : shapes)
                for (const Index out : {1, 7, 16, 64, 100, 128, 257, 300}) {
                    const RuntimeScope scope(isa);
                    set_num_threads(threads);
                    CAPTURE(isa);
                    CAPTURE(batch);
                    CAPTURE(out);
                    const Matrix<T> x = thinned<T>(batch, in, 4), w = numbers<T>(in, out, 2),
                                    dy = numbers<T>(batch, out, 3), bias = numbers<T>(1, out, 4);
                    SparseMatrix<T> sparse, scratch;
                    sparse.assign(x);
                    CHECK(sparse.view().is_canonical());
                    Matrix<T> y(batch, out), expected(batch, out);
                    ops::linear_forward<T>(x, w, bias.data(), expected);
                    ops::sparse_forward<T>(sparse.view(), w, bias.data(), y);
                    CHECK(same_bits(y, expected));
                    Matrix<T> dw = numbers<T>(in, out, 5), expected_dw = dw;
                    for (const bool accumulate : {true, false}) {
                        ops::linear_backward_weight<T>(x, dy, expected_dw, accumulate);
                        ops::sparse_backward_weight<T>(sparse.view(), dy, scratch, dw, accumulate);
                        CHECK(same_bits(dw, expected_dw));
                    }
                }
}

TEST_CASE("sparse: a bad CSR is refused before it is read") {
    CHECK(refusal(2, 3, {0, 1, 2}, {0, 2}, 2) == "nothing thrown");
    CHECK(refusal(2, 3, {0, 2}, {0, 2}, 2) ==
          "f: x: sparse, with 2 row starts for 2 rows, it must have one more than rows");
    CHECK(refusal(2, 3, {0, 1, 5}, {0, 2}, 2) ==
          "f: x: sparse, its row starts go from 0 to 5, they must go from 0 to the 2 entries");
    CHECK(refusal(2, 3, {1, 1, 2}, {0, 2}, 2) ==
          "f: x: sparse, its row starts go from 1 to 2, they must go from 0 to the 2 entries");
    CHECK(refusal(2, 3, {0, 9, 2}, {0, 2}, 2) == "f: x: sparse, row 1 starts at 9 and ends at 2");
    CHECK(refusal(2, 3, {0, 1, 2}, {0, 3}, 2) ==
          "f: x: sparse, row 1 has an entry in column 3, there are 3 columns");
    CHECK(refusal(2, 3, {0, 1, 2}, {-1, 2}, 2) ==
          "f: x: sparse, row 0 has an entry in column -1, there are 3 columns");
    CHECK(refusal(2, 3, {0, 1, 2}, {0, 2}, 3) == "f: x: sparse, with 2 column indices and 3 values");
    CHECK(refusal(-1, 3, {}, {}, 0).starts_with("f: x: sparse, there is no shape -1x3"));
}

TEST_CASE_TEMPLATE("sparse: a fit, its validation and predictions have the bits of the dense ones", T, float,
                   double) {
    Problem<T> problem(300);
    for (Index i = 0; i < 300; ++i) problem.x(i, i % 5) = 0;
    SparseMatrix<T> sparse;
    sparse.assign(problem.x);
    const Data<T> thin{sparse.view(), problem.data().target, {}};
    FitOptions options;
    options.epochs = 3;
    Network<T> nets[] = {network<T>(0.2), network<T>(0.2)};
    FitReport reports[2];
    const Data<T> data[] = {problem.data(), thin};
    Matrix<T> y[2] = {Matrix<T>(300, 3), Matrix<T>(300, 3)};
    for (int i = 0; i < 2; ++i) {
        Optimizer<T> adam(OptimizerKind::adam, nets[i]);
        fit<T>(nets[i], data[i], Loss(LossKind::cross_entropy), adam, options, reports[i], &data[i]);
        nets[i].predict_into(data[i].x, y[i]);
    }
    CHECK(same_values(nets[0], nets[1]));
    CHECK(reports[0].epochs.back().val_loss == reports[1].epochs.back().val_loss);
    CHECK(same_bits(y[0], y[1]));
}
