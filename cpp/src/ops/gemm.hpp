// One product split over threads and blocks of rows, and the chunks of a weight gradient: what all products share.
#pragma once

#include "kernels/kernels.hpp"
#include "ops/ops.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::ops {

constexpr Index row_grain = 12;     // rows of the tallest register tile
constexpr Index column_grain = 64;  // columns of the widest one, which has half of the rows

// Multiplications of a product as its time has them: vectors of sixteen, and what a chain costs beside its links.
inline double gemm_work(Index m, Index n, Index k) {
    return double(m) * double((n + 15) / 16 * 16) * double(k + 8);
}

// Rows that a product and what follows it take at a time: a multiple of every tile's.
constexpr Index hot_rows = 96;

// c = or += start + a b over threads: split where there are more tiles, in rows or in columns.
template <class T>
void gemm(void (*kernel)(const kernels::Gemm<T>&), const kernels::Gemm<T>& all, AfterBlock after = {}) {
    const int threads = threads_for(gemm_work(all.m, all.n, all.k));
    if (threads == 1 && all.m <= hot_rows) {  // nothing to split, and often nothing to lose on the way
        kernel(all);
        return after ? after(0, all.m, 0, all.n) : void();
    }
    const auto run = [&](Index i, Index rows, Index j, Index cols) {
        kernels::Gemm<T> part = all;
        part.m = rows, part.n = cols;
        part.a += i * all.a_row;
        part.b += j;
        part.c += i * all.c_row + j;
        if (part.bias) part.bias += j;
        if (part.shift) part.shift += j;
        kernel(part);
        if (after) after(i, rows, j, cols);
    };
    const auto blocks = [&](Index i, Index end, Index j, Index cols) {
        for (const Index step = after ? hot_rows : all.m; i < end; i += step)
            run(i, std::min(step, end - i), j, cols);
    };
    if (all.n / column_grain > all.m / row_grain)
        parallel_for(all.n, column_grain, threads, [&](Index j, Index end) { blocks(0, all.m, j, end - j); });
    else
        parallel_for(all.m, all.n < column_grain ? row_grain : row_grain / 2, threads,
                     [&](Index i, Index end) { blocks(i, end, 0, all.n); });
}

// f(first row, rows) for each chunk whose sums are folded in order.
template <class F>
void by_chunk(Index rows, F&& f) {
    for (Index r = 0; r < rows; r += kernels::chunk_rows) f(r, std::min(kernels::chunk_rows, rows - r));
}

}  // namespace cmlp::inline v0_1::ops
