// Sparse products: rows of the output split over threads.
#include "ops/sparse.hpp"

#include "kernels/kernels.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::ops {
namespace {

// Rows that a product and what follows it take at a time.
constexpr Index hot_rows = 32;

// c = or += bias + factor a b.
template <class T>
void multiply(const SparseView<T>& a, MatrixView<const T> b, const T* bias, MatrixView<T> c, bool add,
              AfterBlock after, T factor) {
    const auto run = [&](Index i, Index rows) {
        const SparseView<T> part = a.middle_rows(i, rows);
        kernels::sparse<T>().gemm({rows, c.cols(), part.starts(), part.columns(), part.values(), b.data(),
                                   b.row_stride(), c.data() + i * c.row_stride(), c.row_stride(),
                                   factor == T(1) ? bias : nullptr, add, factor, bias});
        if (after) after(i, rows, 0, c.cols());
    };
    const double work = double(a.entries()) * double(c.cols()) + double(c.size()) / 4;  // and writes them
    parallel_for(a.rows(), 1, threads_for(work), [&](Index i, Index end) {
        for (const Index step = after ? hot_rows : end - i; i < end; i += step)
            run(i, std::min(step, end - i));
    });
}

}  // namespace

template <class T>
void sparse_forward(const SparseView<T>& x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after, T factor) {
    multiply<T>(x, w, bias, y, false, after, factor);
}

template <class T>
void sparse_backward_weight(const SparseView<T>& x, MatrixView<const T> dy, SparseMatrix<T>& scratch,
                            MatrixView<T> dw, bool accumulate, T factor) {
    for (Index r = 0; r < x.rows(); r += kernels::chunk_rows) {
        const Index rows = std::min(kernels::chunk_rows, x.rows() - r);
        scratch.assign_transpose(x.middle_rows(r, rows));
        multiply<T>(scratch.view(), dy.middle_rows(r, rows), nullptr, dw, accumulate || r > 0, {}, factor);
    }
}

#define CMLP_OPS_SPARSE(T)                                                                               \
    template void sparse_forward<T>(const SparseView<T>&, MatrixView<const T>, const T*, MatrixView<T>,  \
                                    AfterBlock, T);                                                      \
    template void sparse_backward_weight<T>(const SparseView<T>&, MatrixView<const T>, SparseMatrix<T>&, \
                                            MatrixView<T>, bool, T);
CMLP_OPS_SPARSE(float)
CMLP_OPS_SPARSE(double)
#undef CMLP_OPS_SPARSE

}  // namespace cmlp::inline v0_1::ops
