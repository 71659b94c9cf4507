// Products, column sums and transposes of every instruction set: one chain of fma an element, bit for bit.
#include <doctest/doctest.h>

#include <cmath>

#include "kernel_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

constexpr std::size_t capacity = 400 * 1100;

// One product: sizes, what goes into it, and how far apart its rows lie.
struct Case {
    Index m, n, k;
    bool bias, add, transposed;
    Index gap;

    Index a_size() const { return transposed ? (k - 1) * (m + gap) + m : (m - 1) * (k + gap) + k; }
    Index a_row() const { return transposed ? 1 : k + gap; }
    Index a_col() const { return transposed ? m + gap : 1; }
    Index b_row() const { return n + 2 * gap; }
    Index c_row() const { return n + gap; }
};

template <class T>
class Products {
public:
    // "" when every instruction set gives the chain.
    std::string check(const Case& c) {
        const T* a = filled(a_, c.k > 0 ? c.a_size() : 0, 1);
        const T* b = filled(b_, c.k > 0 ? (c.k - 1) * c.b_row() + c.n : 0, 2);
        const T* bias = c.bias ? filled(bias_, c.n, 3) : nullptr;
        const T* before = filled(before_, c.m * c.n, 4);
        const std::string error = everywhere_(c.m, c.n, c.c_row(), [&](const auto& kernels, T* out) {
            for (Index i = 0; i < c.m && c.add; ++i) std::copy_n(before + i * c.n, c.n, out + i * c.c_row());
            kernels.products.gemm(
                {c.m, c.n, c.k, a, c.a_row(), c.a_col(), b, c.b_row(), out, c.c_row(), bias, c.add});
        });
        if (!error.empty()) return error;
        for (Index i = 0; i < c.m; ++i)
            for (Index j = 0; j < c.n; ++j) {
                T chain = bias ? bias[j] : T(0);
                for (Index p = 0; p < c.k; ++p)
                    chain = std::fma(a[i * c.a_row() + p * c.a_col()], b[p * c.b_row() + j], chain);
                if (c.add) chain = before[i * c.n + j] + chain;
                if (!same(everywhere_.expected[std::size_t(i * c.c_row() + j)], chain))
                    return "is not the chain at " + std::to_string(i) + ", " + std::to_string(j);
            }
        return "";
    }

private:
    // The numbers are drawn once; each call looks at a stretch of them, moved to the end of its own memory.
    const T* filled(Guarded<T>& memory, Index n, Index shift) {
        if (pool_.empty()) {
            pool_.resize(capacity + 8);
            fill(pool_.data(), std::ssize(pool_), 5);
        }
        T* out = memory.last(n);
        std::copy_n(pool_.begin() + shift, n, out);
        return out;
    }

    std::vector<T> pool_;
    Guarded<T> a_{capacity}, b_{capacity}, bias_{4096}, before_{capacity};
    Everywhere<T> everywhere_{capacity};
};

}  // namespace

TEST_CASE_TEMPLATE("gemm: every element is one chain of fma in k order, whatever the tile", T, float,
                   double) {
    Products<T> products;
    int mode = 0;
    for (Index m = 1; m <= 13; ++m)
        for (Index n = 1; n <= 70; ++n)
            for (Index k = 0; k <= 20; ++k) {
                ++mode;
                const std::string error = products.check(
                    {m, n, k, (mode & 1) != 0, (mode & 2) != 0, (mode & 4) != 0, mode / 8 % 3});
                if (!error.empty())
                    FAIL_CHECK(m << "x" << n << "x" << k << " mode " << mode % 8 << " " << error);
            }
}

TEST_CASE_TEMPLATE("gemm: larger shapes, each with and without bias, addition and a transposed left side", T,
                   float, double) {
    Products<T> products;
    const Index shapes[][3] = {
        {64, 128, 50}, {33, 257, 129}, {7, 1000, 13},  {150, 65, 40},
        {1, 300, 256}, {48, 64, 257},  {20, 130, 301}, {62, 200, 300}};  // the next strip is fetched ahead
    for (const auto& [m, n, k] : shapes)
        for (int mode = 0; mode < 8; ++mode) {
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(mode);
            CHECK(products.check({m, n, k, (mode & 1) != 0, (mode & 2) != 0, (mode & 4) != 0, mode % 3}) ==
                  "");
        }
}

TEST_CASE_TEMPLATE("gemm: infinities and NaN go where the chain takes them", T, float, double) {
    Guarded<T> a_memory(100), b_memory(1000);
    Everywhere<T> everywhere(1000);
    T *a = a_memory.last(9 * 5), *b = b_memory.last(5 * 21);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        fill(a, 45, seed, true);
        fill(b, 105, seed + 100, true);
        CHECK(everywhere(9, 21, 21, [&](const auto& kernels, T* out) {
                  kernels.products.gemm({9, 21, 5, a, 5, 1, b, 21, out, 21, nullptr, false});
              }) == "");
    }
}

TEST_CASE_TEMPLATE("column_sums: rows in order, set or added", T, float, double) {
    Guarded<T> memory(20 * 50);
    Everywhere<T> everywhere(64);
    for (Index rows = 0; rows <= 9; ++rows)
        for (Index cols = 0; cols <= 40; ++cols)
            for (const bool add : {false, true}) {
                const Index stride = cols + rows % 3;
                T* x = memory.last(rows > 0 ? (rows - 1) * stride + cols : 0);
                if (rows > 0) fill(x, (rows - 1) * stride + cols, std::uint64_t(rows));
                const std::string error = everywhere(1, cols, cols, [&](const auto& kernels, T* out) {
                    for (Index j = 0; j < cols && add; ++j) out[j] = T(j) / 3;
                    kernels.products.column_sums({rows, cols}, x, stride, out, add);
                });
                CHECK(error == "");
                for (Index j = 0; j < cols; ++j) {
                    T sum = 0;
                    for (Index i = 0; i < rows; ++i) sum += x[i * stride + j];
                    CHECK(same(everywhere.expected[std::size_t(j)], add ? T(j) / 3 + sum : sum));
                }
            }
}

TEST_CASE_TEMPLATE("transpose: every element moves, nothing else", T, float, double) {
    Guarded<T> memory(5000);
    Everywhere<T> everywhere(5000);
    for (const Index rows : {0, 1, 2, 7, 15, 16, 17, 33, 50})
        for (Index cols = 0; cols <= 40; ++cols)
            for (const Index gap : {0, 3}) {
                const Index size = rows > 0 ? (rows - 1) * (cols + gap) + cols : 0;
                T* x = memory.last(size);
                for (Index i = 0; i < size; ++i) x[i] = T(i);
                const std::string error =
                    everywhere(cols, rows, rows + gap, [&](const auto& kernels, T* out) {
                        kernels.products.transpose({rows, cols}, x, cols + gap, out, rows + gap);
                    });
                CHECK(error == "");
                bool right = true;
                for (Index i = 0; i < rows; ++i)
                    for (Index j = 0; j < cols; ++j)
                        right &=
                            everywhere.expected[std::size_t(j * (rows + gap) + i)] == x[i * (cols + gap) + j];
                CHECK(right);
            }
}
