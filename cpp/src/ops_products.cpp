// Products: shapes checked, tiles split over threads, chains of the weight gradient folded chunk after chunk.
#include "kernels/kernels.hpp"
#include "ops.hpp"
#include "parallel.hpp"

namespace cmlp {
namespace {

constexpr Index row_grain = 12;     // rows of the tallest register tile
constexpr Index column_grain = 64;  // columns of the widest one

kernels::Shape shape_of(const auto& x) { return {x.rows(), x.cols()}; }

// Rows that a product and what follows it take at a time: a multiple of every tile's.
constexpr Index hot_rows = 96;

// c = or += start + a b over threads: split where there are more tiles, in rows or in columns.
template <class T>
void gemm(const kernels::Gemm<T>& whole, ops::AfterBlock after = {}) {
    const int threads = threads_for(double(whole.m) * double(whole.n) * double(whole.k));
    const auto run = [&](Index i, Index rows, Index j, Index cols) {
        kernels::Gemm<T> part = whole;
        part.m = rows, part.n = cols;
        part.a += i * whole.a_row;
        part.b += j;
        part.c += i * whole.c_row + j;
        if (part.bias) part.bias += j;
        kernels::of<T>().gemm(part);
        if (after) after(i, rows, j, cols);
    };
    const auto blocks = [&](Index i, Index end, Index j, Index cols) {
        for (const Index step = after ? hot_rows : whole.m; i < end; i += step)
            run(i, std::min(step, end - i), j, cols);
    };
    if (whole.n / column_grain > whole.m / row_grain)
        parallel_for(whole.n, column_grain, threads,
                     [&](Index j, Index end) { blocks(0, whole.m, j, end - j); });
    else
        parallel_for(whole.m, row_grain, threads, [&](Index i, Index end) { blocks(i, end, 0, whole.n); });
}

// f(first row, rows) for each chunk whose sums are folded in order.
template <class F>
void by_chunk(Index rows, F&& f) {
    for (Index r = 0; r < rows; r += kernels::chunk_rows) f(r, std::min(kernels::chunk_rows, rows - r));
}

}  // namespace

template <class T>
void multiply(MatrixView<const T> a, bool transpose_a, MatrixView<const T> b, bool transpose_b,
              MatrixView<T> c, bool accumulate) {
    const Index m = transpose_a ? a.cols() : a.rows(), k = transpose_a ? a.rows() : a.cols();
    const Index b_rows = transpose_b ? b.cols() : b.rows(), n = transpose_b ? b.rows() : b.cols();
    require(k == b_rows, "multiply: left is ", m, "x", k, ", right is ", b_rows, "x", n);
    require(c.rows() == m && c.cols() == n, "multiply: the product is ", m, "x", n, ", the target ", c.rows(),
            "x", c.cols());
    Matrix<T> turned;
    if (transpose_b) {
        turned.resize(b.cols(), b.rows());
        kernels::of<T>().transpose(shape_of(b), b.data(), b.row_stride(), turned.data(), turned.row_stride());
        b.rebind(turned.view());
    }
    gemm<T>({m, n, k, a.data(), transpose_a ? 1 : a.row_stride(), transpose_a ? a.row_stride() : 1, b.data(),
             b.row_stride(), c.data(), c.row_stride(), nullptr, accumulate});
}

namespace ops {

template <class T>
void linear_forward(MatrixView<const T> x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after) {
    gemm<T>({x.rows(), w.cols(), w.rows(), x.data(), x.row_stride(), 1, w.data(), w.row_stride(), y.data(),
             y.row_stride(), bias, false},
            after);
}

template <class T>
void linear_backward_weight(MatrixView<const T> x, MatrixView<const T> dy, MatrixView<T> dw,
                            bool accumulate) {
    by_chunk(x.rows(), [&](Index r, Index rows) {
        gemm<T>({x.cols(), dy.cols(), rows, x.data() + r * x.row_stride(), 1, x.row_stride(),
                 dy.data() + r * dy.row_stride(), dy.row_stride(), dw.data(), dw.row_stride(), nullptr,
                 accumulate || r > 0});
    });
}

template <class T>
void linear_backward_bias(MatrixView<const T> dy, T* db, bool accumulate) {
    by_chunk(dy.rows(), [&](Index r, Index rows) {
        kernels::of<T>().column_sums({rows, dy.cols()}, dy.data() + r * dy.row_stride(), dy.row_stride(), db,
                                     accumulate || r > 0);
    });
}

template <class T>
void linear_backward_input(MatrixView<const T> dy, MatrixView<const T> w, Matrix<T>& scratch,
                           MatrixView<T> dx, AfterBlock after) {
    scratch.resize(w.cols(), w.rows());
    kernels::of<T>().transpose(shape_of(w), w.data(), w.row_stride(), scratch.data(), scratch.row_stride());
    linear_forward<T>(dy, scratch.view(), nullptr, dx, after);
}

}  // namespace ops

#define CMLP_PRODUCTS(T)                                                                                    \
    template void multiply<T>(MatrixView<const T>, bool, MatrixView<const T>, bool, MatrixView<T>, bool);   \
    namespace ops {                                                                                         \
    template void linear_forward<T>(MatrixView<const T>, MatrixView<const T>, const T*, MatrixView<T>,      \
                                    AfterBlock);                                                            \
    template void linear_backward_weight<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, bool); \
    template void linear_backward_bias<T>(MatrixView<const T>, T*, bool);                                   \
    template void linear_backward_input<T>(MatrixView<const T>, MatrixView<const T>, Matrix<T>&,            \
                                           MatrixView<T>, AfterBlock);                                      \
    }
CMLP_PRODUCTS(float)
CMLP_PRODUCTS(double)
#undef CMLP_PRODUCTS

}  // namespace cmlp
