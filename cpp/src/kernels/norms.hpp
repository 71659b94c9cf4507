// Normalisation of rows and of columns, log-softmax, and the column sums that their parameters' gradients are.
#pragma once

#include "softmax.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

template <class T>
CMLP_INLINE T row_sum(const T* x, ptrdiff_t n) {
    Lanes<T> lanes(T(0));
    lanes.fold(n,
               [&](Vec<T> lane, ptrdiff_t j, ptrdiff_t left) { return lane + Vec<T>::load_n(x + j, left); });
    return lanes.sum();
}

template <class T>
CMLP_INLINE T row_dot(const T* a, const T* b, ptrdiff_t n) {
    using V = Vec<T>;
    Lanes<T> lanes(T(0));
    lanes.fold(n, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        return fma(V::load_n(a + j, left), V::load_n(b + j, left), lane);
    });
    return lanes.sum();
}

// y = (x - max) - log(sum exp(x - max))
template <class T>
void log_softmax(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T* in = x + r * x_row;
        T* out = y + r * y_row;
        const T largest = row_max(in, shape.cols);
        const V log_sum = math::log(V(exponentials(in, shape.cols, largest, static_cast<T*>(nullptr))));
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            ((V::load_n(in + j, left) - V(largest)) - log_sum).store_n(out + j, left);
        });
    }
}

// dx = dy - exp(y) * sum_j dy_j
template <class T>
void log_softmax_backward(Shape shape, const T* y, ptrdiff_t y_row, const T* dy, ptrdiff_t dy_row, T* dx,
                          ptrdiff_t dx_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *out = y + r * y_row, *d = dy + r * dy_row;
        const V total(row_sum(d, shape.cols));
        T* in = dx + r * dx_row;
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            fnma(math::exp(V::load_n(out + j, left)), total, V::load_n(d + j, left)).store_n(in + j, left);
        });
    }
}

// u = (x - m) * rstd with rstd = 1 / sqrt(mean((x - m)^2) + eps), m the row's mean or 0
template <class T>
void normalize_rows(Shape shape, const T* x, ptrdiff_t x_row, T eps, bool center, T* u, ptrdiff_t u_row,
                    T* rstd) {
    using V = Vec<T>;
    const T n = T(shape.cols);
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T* in = x + r * x_row;
        T* out = u + r * u_row;
        const V mean(center ? row_sum(in, shape.cols) / n : T(0));
        Lanes<T> squares(T(0));
        squares.fold(shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            const V d = V::load_n(in + j, left) - mean;
            return fma(d, d, lane);
        });
        const V factor = V(T(1)) / sqrt(V(squares.sum() / n + eps));
        rstd[r] = first(factor);
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            ((V::load_n(in + j, left) - mean) * factor).store_n(out + j, left);
        });
    }
}

// dx = rstd * (du - mean(du) - u * mean(u * du)), without mean(du) where no mean was taken off; dx may be du
template <class T>
void normalize_rows_backward(Shape shape, const T* u, ptrdiff_t u_row, const T* du, ptrdiff_t du_row,
                             const T* rstd, bool center, T* dx, ptrdiff_t dx_row) {
    using V = Vec<T>;
    const T n = T(shape.cols);
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *kept = u + r * u_row, *d = du + r * du_row;
        const V mean(center ? row_sum(d, shape.cols) / n : T(0)), along(row_dot(kept, d, shape.cols) / n);
        T* in = dx + r * dx_row;
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            const V rest = fnma(V::load_n(kept + j, left), along, V::load_n(d + j, left) - mean);
            (rest * V(rstd[r])).store_n(in + j, left);
        });
    }
}

// y = x * scale + shift, one factor and one summand a column; either may be null
template <class T>
void affine(Shape shape, const T* x, ptrdiff_t x_row, const T* scale, const T* shift, T* y, ptrdiff_t y_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r)
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            V v = V::load_n(x + r * x_row + j, left);
            if (scale && shift)
                v = fma(v, V::load_n(scale + j, left), V::load_n(shift + j, left));
            else if (scale)
                v = v * V::load_n(scale + j, left);
            else if (shift)
                v = v + V::load_n(shift + j, left);
            v.store_n(y + r * y_row + j, left);
        });
}

// Column sums of term(row, j, left): chains down chunks of rows, the chunks' sums added in order.
template <class T, class Term>
CMLP_INLINE Vec<T> down_the_rows(ptrdiff_t rows, Term term) {
    using V = Vec<T>;
    V total(T(0));
    for (ptrdiff_t begin = 0; begin < rows; begin += chunk_rows) {
        const ptrdiff_t end = rows - begin < chunk_rows ? rows : begin + chunk_rows;
        V chunk(T(0));
        for (ptrdiff_t r = begin; r < end; ++r) chunk = term(r, chunk);
        total += chunk;
    }
    return total;
}

// out_j = or += sum_r a(r, j) * b(r, j)
template <class T>
void column_products(Shape shape, const T* a, ptrdiff_t a_row, const T* b, ptrdiff_t b_row, T* out,
                     bool add) {
    using V = Vec<T>;
    sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
        V total = down_the_rows<T>(shape.rows, [&](ptrdiff_t r, V sum) {
            return fma(V::load_n(a + r * a_row + j, left), V::load_n(b + r * b_row + j, left), sum);
        });
        if (add) total = V::load_n(out + j, left) + total;
        total.store_n(out + j, left);
    });
}

// The mean of each column, and the mean of the squares of what is left
template <class T>
void column_moments(Shape shape, const T* x, ptrdiff_t x_row, T* mean, T* variance) {
    using V = Vec<T>;
    const V n(T(shape.rows));
    sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
        const V m =
            down_the_rows<T>(shape.rows,
                             [&](ptrdiff_t r, V sum) { return sum + V::load_n(x + r * x_row + j, left); }) /
            n;
        const V squares = down_the_rows<T>(shape.rows, [&](ptrdiff_t r, V sum) {
            const V d = V::load_n(x + r * x_row + j, left) - m;
            return fma(d, d, sum);
        });
        m.store_n(mean + j, left);
        (squares / n).store_n(variance + j, left);
    });
}

// u = (x - mean) * rstd by columns
template <class T>
void normalize_columns(Shape shape, const T* x, ptrdiff_t x_row, const T* mean, const T* rstd, T* u,
                       ptrdiff_t u_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r)
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            ((V::load_n(x + r * x_row + j, left) - V::load_n(mean + j, left)) * V::load_n(rstd + j, left))
                .store_n(u + r * u_row + j, left);
        });
}

// dx = factor * (dy - mean - u * along) by columns
template <class T>
void normalize_columns_backward(Shape shape, const T* u, ptrdiff_t u_row, const T* dy, ptrdiff_t dy_row,
                                const T* factor, const T* mean, const T* along, T* dx, ptrdiff_t dx_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r)
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            const V rest = fnma(V::load_n(u + r * u_row + j, left), V::load_n(along + j, left),
                                V::load_n(dy + r * dy_row + j, left) - V::load_n(mean + j, left));
            (rest * V::load_n(factor + j, left)).store_n(dx + r * dx_row + j, left);
        });
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
