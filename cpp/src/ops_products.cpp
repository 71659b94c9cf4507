// Products: shapes checked, tiles split over threads, chains of the weight gradient folded chunk after chunk.
#include "ops_gemm.hpp"

namespace cmlp {
namespace {

kernels::Shape shape_of(const auto& x) { return {x.rows(), x.cols()}; }

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
    ops::gemm<T>(kernels::of<T>().gemm,
                 {m, n, k, a.data(), transpose_a ? 1 : a.row_stride(), transpose_a ? a.row_stride() : 1,
                  b.data(), b.row_stride(), c.data(), c.row_stride(), nullptr, accumulate});
}

namespace ops {

template <class T>
void linear_forward(MatrixView<const T> x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after) {
    gemm<T>(kernels::of<T>().gemm,
            {x.rows(), w.cols(), w.rows(), x.data(), x.row_stride(), 1, w.data(), w.row_stride(), y.data(),
             y.row_stride(), bias, false},
            after);
}

template <class T>
void linear_backward_weight(MatrixView<const T> x, MatrixView<const T> dy, MatrixView<T> dw,
                            bool accumulate) {
    by_chunk(x.rows(), [&](Index r, Index rows) {
        gemm<T>(kernels::of<T>().gemm, {x.cols(), dy.cols(), rows, x.data() + r * x.row_stride(), 1,
                                        x.row_stride(), dy.data() + r * dy.row_stride(), dy.row_stride(),
                                        dw.data(), dw.row_stride(), nullptr, accumulate || r > 0});
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
