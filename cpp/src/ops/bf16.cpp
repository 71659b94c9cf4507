// Products in bfloat16: factors packed in pairs, then the tiles and threads of every product.
//
// A chain over k takes the terms p and p + h in one step, h = (k + 1) / 2: both halves are contiguous where they
// are packed.
#include "ops/bf16.hpp"

#include "ops/gemm.hpp"

namespace cmlp::inline v0_1::ops {
namespace {

constexpr double work_an_element = 2;

template <class F>
void each_row(Index rows, Index cols, F&& f) {
    parallel_for(rows, 4, threads_for(work_an_element * double(rows) * double(cols)),
                 [&](Index i, Index end) {
                     for (; i < end; ++i) f(i);
                 });
}

// (rows, h): columns j and j + h of x in one.
void pair_columns(MatrixView<const float> x, Matrix<float>& pairs) {
    const Index half = (x.cols() + 1) / 2;
    pairs.resize(x.rows(), half);
    each_row(x.rows(), half, [&](Index i) {
        kernels::bf16().pack_pairs(half, &x(i, 0), &x(i, 0) + half, x.cols() - half, &pairs(i, 0));
    });
}

// (h, cols): rows i and i + h of x in one.
void pair_rows(MatrixView<const float> x, Matrix<float>& pairs) {
    const Index half = (x.rows() + 1) / 2, cols = x.cols();
    pairs.resize(half, cols);
    each_row(half, cols, [&](Index i) {
        const bool both = i + half < x.rows();
        kernels::bf16().pack_pairs(cols, &x(i, 0), both ? &x(i + half, 0) : nullptr, both ? cols : 0,
                                   &pairs(i, 0));
    });
}

void transpose(MatrixView<const float> x, Matrix<float>& turned) {
    turned.resize(x.cols(), x.rows());
    const int threads = threads_for(work_an_element * double(x.rows()) * double(x.cols()));
    parallel_for(x.rows(), column_grain, threads, [&](Index i, Index end) {
        kernels::products<float>().transpose({end - i, x.cols()}, &x(i, 0), x.row_stride(), &turned(0, i),
                                             turned.row_stride());
    });
}

}  // namespace

void bf16_forward(MatrixView<const float> x, MatrixView<const float> w, const float* bias,
                  MatrixView<float> y, Bf16Pairs& pairs, AfterBlock after, float factor) {
    pair_columns(x, pairs.left);
    pair_rows(w, pairs.right);
    const auto a = pairs.left.view(), b = pairs.right.view();
    gemm<float>(kernels::bf16().gemm,
                {a.rows(), b.cols(), a.cols(), a.data(), a.row_stride(), 1, b.data(), b.row_stride(),
                 y.data(), y.row_stride(), factor == 1 ? bias : nullptr, false, factor, bias},
                after);
}

void bf16_backward_weight(MatrixView<const float> x, MatrixView<const float> dy, MatrixView<float> dw,
                          bool accumulate, Bf16Pairs& pairs, float factor) {
    by_chunk(x.rows(), [&](Index r, Index rows) {
        pair_rows(x.middle_rows(r, rows), pairs.left);
        pair_rows(dy.middle_rows(r, rows), pairs.right);
        const auto a = pairs.left.view(), b = pairs.right.view();
        gemm<float>(kernels::bf16().gemm,
                    {a.cols(), b.cols(), a.rows(), a.data(), 1, a.row_stride(), b.data(), b.row_stride(),
                     dw.data(), dw.row_stride(), nullptr, accumulate || r > 0, factor});
    });
}

void bf16_backward_input(MatrixView<const float> dy, MatrixView<const float> w, MatrixView<float> dx,
                         Bf16Pairs& pairs, AfterBlock after, float factor) {
    pair_columns(dy, pairs.left);
    pair_columns(w, pairs.turned);
    transpose(pairs.turned.view(), pairs.right);
    const auto a = pairs.left.view(), b = pairs.right.view();
    gemm<float>(kernels::bf16().gemm,
                {a.rows(), b.cols(), a.cols(), a.data(), a.row_stride(), 1, b.data(), b.row_stride(),
                 dx.data(), dx.row_stride(), nullptr, false, factor},
                after);
}

}  // namespace cmlp::inline v0_1::ops
