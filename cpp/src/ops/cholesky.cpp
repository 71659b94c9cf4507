// Factor by blocks of rows, then substitute forwards and back.
#include "ops/cholesky.hpp"

#include <algorithm>
#include <cmath>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index block_rows = 64;

// y[i] -= factor * x[i], begin <= i < end
void subtract(double* y, const double* x, double factor, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y[i] -= factor * x[i];
}

// Rows first ... last - 1 of R, all their columns.
bool factor_rows(MatrixView<double> a, Index first, Index last) {
    const Index n = a.cols();
    for (Index i = first; i < last; ++i) {
        double* const row = &a(i, 0);
        for (Index j = first; j < i; ++j) subtract(row, &a(j, 0), a(j, i), i, n);
        if (!(row[i] > 0) || !std::isfinite(row[i])) return false;
        const double root = std::sqrt(row[i]);
        for (Index k = i; k < n; ++k) row[k] /= root;
    }
    return true;
}

}  // namespace

bool cholesky(MatrixView<double> a) {
    Matrix<double> negative;
    for (Index first = 0; first < a.rows(); first += block_rows) {
        const Index last = std::min(first + block_rows, a.rows()), rest = a.rows() - last;
        if (!factor_rows(a, first, last)) return false;
        if (rest == 0) break;
        const MatrixView<double> right = a.block(first, last, last - first, rest);
        negative.resize(right.rows(), rest);
        negative.view() = right * -1.0;
        ops::linear_backward_weight<double>(right, negative, a.block(last, last, rest, rest), true);
    }
    return true;
}

void cholesky_solve(MatrixView<const double> r, std::span<double> b) {
    const Index n = r.rows();
    for (Index i = 0; i < n; ++i) {
        b[size_t(i)] /= r(i, i);
        subtract(b.data(), &r(i, 0), b[size_t(i)], i + 1, n);
    }
    for (Index i = n; i-- > 0;) {
        double sum = b[size_t(i)];
        for (Index k = i + 1; k < n; ++k) sum -= r(i, k) * b[size_t(k)];
        b[size_t(i)] = sum / r(i, i);
    }
}

}  // namespace cmlp::inline v0_1
