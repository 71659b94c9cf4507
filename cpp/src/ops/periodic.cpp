// Transposed copies of a chunk around the kernels: these take columns.
#include "ops/periodic.hpp"

#include "kernels/kernels.hpp"

namespace cmlp::inline v0_1::ops {
namespace {

static_assert(periodic_rows == kernels::chunk_rows);

template <class T>
void transpose(MatrixView<const T> x, MatrixView<T> y) {
    kernels::products<T>().transpose({x.rows(), x.cols()}, x.data(), x.row_stride(), y.data(),
                                     y.row_stride());
}

template <class T>
kernels::PeriodicCall<T> call_of(const PeriodicNumbers<T>& all, Index column, Index rows, const T* x) {
    const PeriodicNumbers<T> own = all.from(column);
    return {rows,    own.frequencies, own.dim - 1,       x,
            own.w,   own.phase,       own.weight.data(), own.weight.row_stride(),
            own.bias};
}

}  // namespace

template <class T>
void periodic_forward(const PeriodicNumbers<T>& numbers, MatrixView<const T> x, MatrixView<T> scratch,
                      MatrixView<T> y) {
    const Index rows = x.rows(), columns = x.cols(), dim = numbers.dim;
    const MatrixView<T> turned_x = scratch.block(0, 0, columns, rows);
    const MatrixView<T> turned_y = scratch.block(columns, 0, columns * dim, rows);
    transpose<T>(x, turned_x);
    for (Index c = 0; c < columns; ++c)
        kernels::embeddings<T>().periodic_forward(call_of(numbers, c, rows, &turned_x(c, 0)),
                                                  &turned_y(c * dim, 0), turned_y.row_stride());
    transpose<T>(turned_y, y);
}

template <class T>
void periodic_backward(const PeriodicNumbers<T>& numbers, MatrixView<const T> x, MatrixView<const T> dy,
                       MatrixView<T> scratch, const PeriodicSums<T>& sums, MatrixView<T> dx) {
    const Index rows = x.rows(), columns = x.cols(), dim = numbers.dim, k = numbers.frequencies;
    const MatrixView<T> turned_x = scratch.block(0, 0, columns, rows);  // then the gradient of x
    const MatrixView<T> turned_dy = scratch.block(columns, 0, columns * dim, rows);
    transpose<T>(x, turned_x);
    transpose<T>(dy, turned_dy);
    for (Index c = 0; c < columns; ++c)
        kernels::embeddings<T>().periodic_backward(
            call_of<T>(numbers, c, rows, &turned_x(c, 0)),
            {&turned_dy(c * dim, 0), turned_dy.row_stride(), sums.w + c * k, sums.phase + c * k,
             &sums.weight(c * k, 0), sums.bias + c * (dim - 1), sums.weight.row_stride(),
             dx.empty() ? nullptr : &turned_x(c, 0), sums.add});
    if (!dx.empty()) transpose<T>(turned_x, dx);
}

#define CMLP_PERIODIC(T)                                                                                    \
    template void periodic_forward<T>(const PeriodicNumbers<T>&, MatrixView<const T>, MatrixView<T>,        \
                                      MatrixView<T>);                                                       \
    template void periodic_backward<T>(const PeriodicNumbers<T>&, MatrixView<const T>, MatrixView<const T>, \
                                       MatrixView<T>, const PeriodicSums<T>&, MatrixView<T>);
CMLP_PERIODIC(float)
CMLP_PERIODIC(double)
#undef CMLP_PERIODIC

}  // namespace cmlp::inline v0_1::ops
