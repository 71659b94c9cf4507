// Blocks and threads around kernels/norms.hpp: rows are split where rows are independent, columns where they
// are summed.
#include "ops/norms.hpp"

#include "kernels/kernels.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::ops {
namespace {

constexpr Index column_grain = 64;

// f(first row, rows) over blocks of rows; `cost` is the work of one element.
template <class F>
void by_rows(Index rows, Index cols, double cost, F&& f) {
    const int threads = threads_for(double(rows) * double(cols) * cost);
    parallel_for(rows, 1, threads, [&](Index begin, Index end) { f(begin, end - begin); });
}

// f(first column, columns) likewise.
template <class F>
void by_columns(Index rows, Index cols, double cost, F&& f) {
    const int threads = threads_for(double(rows) * double(cols) * cost);
    parallel_for(cols, column_grain, threads, [&](Index begin, Index end) { f(begin, end - begin); });
}

template <class T>
const auto& table() {
    return kernels::rows<T>();
}

template <class T>
T* at(MatrixView<T> x, Index row) {
    return x.data() + row * x.row_stride();
}

}  // namespace

template <class T>
void log_softmax_forward(MatrixView<const T> x, MatrixView<T> y) {
    by_rows(x.rows(), x.cols(), 16, [&](Index r, Index rows) {
        table<T>().log_softmax({rows, x.cols()}, at(x, r), x.row_stride(), at(y, r), y.row_stride());
    });
}

template <class T>
void log_softmax_backward(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx) {
    by_rows(y.rows(), y.cols(), 16, [&](Index r, Index rows) {
        table<T>().log_softmax_backward({rows, y.cols()}, at(y, r), y.row_stride(), at(dy, r),
                                        dy.row_stride(), at(dx, r), dx.row_stride());
    });
}

template <class T>
void normalize_rows(MatrixView<const T> x, T eps, bool center, MatrixView<T> u, T* rstd) {
    by_rows(x.rows(), x.cols(), 4, [&](Index r, Index rows) {
        table<T>().normalize_rows({rows, x.cols()}, at(x, r), x.row_stride(), eps, center, at(u, r),
                                  u.row_stride(), rstd + r);
    });
}

template <class T>
void normalize_rows_backward(MatrixView<const T> u, MatrixView<const T> du, const T* rstd, bool center,
                             MatrixView<T> dx) {
    by_rows(u.rows(), u.cols(), 4, [&](Index r, Index rows) {
        table<T>().normalize_rows_backward({rows, u.cols()}, at(u, r), u.row_stride(), at(du, r),
                                           du.row_stride(), rstd + r, center, at(dx, r), dx.row_stride());
    });
}

template <class T>
void affine(MatrixView<const T> x, const T* scale, const T* shift, MatrixView<T> y) {
    by_rows(x.rows(), x.cols(), 1, [&](Index r, Index rows) {
        table<T>().affine({rows, x.cols()}, at(x, r), x.row_stride(), scale, shift, at(y, r), y.row_stride());
    });
}

template <class T>
void column_products(MatrixView<const T> a, MatrixView<const T> b, T* out, bool add) {
    by_columns(a.rows(), a.cols(), 1, [&](Index j, Index cols) {
        table<T>().column_products({a.rows(), cols}, a.data() + j, a.row_stride(), b.data() + j,
                                   b.row_stride(), out + j, add);
    });
}

template <class T>
void column_moments(MatrixView<const T> x, T* mean, T* variance) {
    by_columns(x.rows(), x.cols(), 2, [&](Index j, Index cols) {
        table<T>().column_moments({x.rows(), cols}, x.data() + j, x.row_stride(), mean + j, variance + j);
    });
}

template <class T>
void normalize_columns(MatrixView<const T> x, const T* mean, const T* rstd, MatrixView<T> u) {
    by_rows(x.rows(), x.cols(), 1, [&](Index r, Index rows) {
        table<T>().normalize_columns({rows, x.cols()}, at(x, r), x.row_stride(), mean, rstd, at(u, r),
                                     u.row_stride());
    });
}

template <class T>
void normalize_columns_backward(MatrixView<const T> u, MatrixView<const T> dy, const T* factor, const T* mean,
                                const T* along, MatrixView<T> dx) {
    by_rows(u.rows(), u.cols(), 2, [&](Index r, Index rows) {
        table<T>().normalize_columns_backward({rows, u.cols()}, at(u, r), u.row_stride(), at(dy, r),
                                              dy.row_stride(), factor, mean, along, at(dx, r),
                                              dx.row_stride());
    });
}

void random_words(std::uint64_t key, std::uint64_t step, std::uint64_t first, std::span<std::uint32_t> out) {
    kernels::random<double>().words(key, step, first, std::ssize(out), out.data());
}

#define CMLP_NORMS(T)                                                                                  \
    template void log_softmax_forward<T>(MatrixView<const T>, MatrixView<T>);                          \
    template void log_softmax_backward<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>);    \
    template void normalize_rows<T>(MatrixView<const T>, T, bool, MatrixView<T>, T*);                  \
    template void normalize_rows_backward<T>(MatrixView<const T>, MatrixView<const T>, const T*, bool, \
                                             MatrixView<T>);                                           \
    template void affine<T>(MatrixView<const T>, const T*, const T*, MatrixView<T>);                   \
    template void column_products<T>(MatrixView<const T>, MatrixView<const T>, T*, bool);              \
    template void column_moments<T>(MatrixView<const T>, T*, T*);                                      \
    template void normalize_columns<T>(MatrixView<const T>, const T*, const T*, MatrixView<T>);        \
    template void normalize_columns_backward<T>(MatrixView<const T>, MatrixView<const T>, const T*,    \
                                                const T*, const T*, MatrixView<T>);
CMLP_NORMS(float)
CMLP_NORMS(double)
#undef CMLP_NORMS

}  // namespace cmlp::inline v0_1::ops
