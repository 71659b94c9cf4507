// Products: shapes checked, tiles split over threads, chains of the weight gradient folded chunk after chunk.
#include "ops/gemm.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index transpose_grain = 16;     // rows of a square that is transposed in registers
constexpr Index large_weights = 1 << 19;  // bytes of weights that are transposed panel by panel
constexpr Index block_columns = 512;      // of a block of a weight gradient, at most
constexpr Index block_bytes = 1 << 18;    // of one that is added to several times

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
        kernels::products<T>().transpose(shape_of(b), b.data(), b.row_stride(), turned.data(),
                                         turned.row_stride());
        b.rebind(turned.view());
    }
    ops::gemm<T>(kernels::products<T>().gemm,
                 {m, n, k, a.data(), transpose_a ? 1 : a.row_stride(), transpose_a ? a.row_stride() : 1,
                  b.data(), b.row_stride(), c.data(), c.row_stride(), nullptr, accumulate});
}

namespace ops {

template <class T>
void linear_forward(MatrixView<const T> x, MatrixView<const T> w, const T* bias, MatrixView<T> y,
                    AfterBlock after, T factor) {
    gemm<T>(kernels::products<T>().gemm,
            {x.rows(), w.cols(), w.rows(), x.data(), x.row_stride(), 1, w.data(), w.row_stride(), y.data(),
             y.row_stride(), factor == T(1) ? bias : nullptr, false, factor, bias},
            after);
}

template <class T>
void linear_backward_bias(MatrixView<const T> dy, T* db, bool accumulate) {
    by_chunk(dy.rows(), [&](Index r, Index rows) {
        kernels::products<T>().column_sums({rows, dy.cols()}, dy.data() + r * dy.row_stride(),
                                           dy.row_stride(), db, accumulate || r > 0);
    });
}

namespace {

// The blocks that the gradient of a linear map is made in, one by one.
struct Blocks {
    Index rows, cols;  // of a block, at most
    Index down, across;
};

// What the next chunk of rows adds to stays in the second cache; each thread gets several blocks.
template <class T>
Blocks blocks_of(const WeightGradient<T>& g, double work, int threads) {
    const bool again = g.dy.rows() > kernels::chunk_rows;
    double size = again ? double(block_bytes) / double(sizeof(T)) : double(g.dw.size());
    if (threads > 1) size = std::min(size, work / double(4 * threads * g.dy.rows()));
    if (double(g.dw.size()) <= size) return {g.dw.rows(), g.dw.cols(), 1, 1};
    const auto fitting = [](double most, Index grain, Index all) {
        return std::clamp(Index(most) / grain * grain, std::min(grain, all), all);
    };
    const Index cols = fitting(size / double(row_grain), column_grain, std::min(g.dw.cols(), block_columns));
    const Index rows = fitting(size / double(cols), row_grain, g.dw.rows());
    return {rows, cols, (g.dw.rows() - 1) / rows + 1, (g.dw.cols() - 1) / cols + 1};
}

// One of the blocks, column by column of them, and with the first of them db.
template <class T>
void gradient_block(const WeightGradient<T>& g, const Blocks& blocks, Index number) {
    const Index across = number < blocks.down ? 0 : number / blocks.down,
                down = number - across * blocks.down;
    const Index i = down * blocks.rows, j = across * blocks.cols;
    const Index m = std::min(blocks.rows, g.dw.rows() - i), n = std::min(blocks.cols, g.dw.cols() - j);
    by_chunk(g.x.rows(), [&](Index r, Index rows) {
        kernels::products<T>().gemm({m, n, rows, g.x.data() + r * g.x.row_stride() + i, 1, g.x.row_stride(),
                                     g.dy.data() + r * g.dy.row_stride() + j, g.dy.row_stride(),
                                     g.dw.data() + i * g.dw.row_stride() + j, g.dw.row_stride(), nullptr,
                                     g.accumulate || r > 0, g.factor});
    });
    if (number == 0 && g.db) linear_backward_bias<T>(g.dy, g.db, g.accumulate);
}

}  // namespace

template <class T>
void weight_gradients(std::span<const WeightGradient<T>> all) {
    double work = 0;
    for (const auto& g : all) work += g.work();
    const int threads = threads_for(work);
    Index count = 0;
    for (const auto& g : all) {
        const Blocks blocks = blocks_of(g, work, threads);
        count += blocks.down * blocks.across;
    }
    parallel_each(count, threads, [&](Index number) {
        for (const auto& g : all) {
            const Blocks blocks = blocks_of(g, work, threads);
            if (number < blocks.down * blocks.across) return gradient_block(g, blocks, number);
            number -= blocks.down * blocks.across;
        }
    });
}

namespace {

// Transposes rows i ... of w into columns of `to`.
template <class T>
void transpose_rows(MatrixView<const T> w, Index i, Index rows, T* to, Index to_row) {
    kernels::products<T>().transpose({rows, w.cols()}, w.data() + i * w.row_stride(), w.row_stride(), to,
                                     to_row);
}

// Columns j ... of dx, by the rows of w for them transposed into `panel`.
template <class T>
void input_gradient_panel(MatrixView<const T> dy, MatrixView<const T> w, T* panel, MatrixView<T> dx,
                          AfterBlock after, T factor, Index j) {
    const Index cols = std::min(column_grain, w.rows() - j);
    transpose_rows<T>(w, j, cols, panel, column_grain);
    const MatrixView<const T> turned(panel, w.cols(), cols, column_grain);
    auto after_panel = [&](Index i, Index rows, Index first, Index n) { after(i, rows, j + first, n); };
    linear_forward<T>(dy, turned, nullptr, dx.middle_cols(j, cols),
                      after ? AfterBlock(after_panel) : AfterBlock(), factor);
}

// dx panel by panel, each piece of them through memory of its own that stays in the second cache.
template <class T>
void input_gradient_by_panels(MatrixView<const T> dy, MatrixView<const T> w, Matrix<T>& scratch,
                              MatrixView<T> dx, AfterBlock after, T factor) {
    const int threads = threads_for(gemm_work(dx.rows(), dx.cols(), dy.cols()));
    const Index panels = (w.rows() + column_grain - 1) / column_grain;
    const Index pieces = threads == 1 ? 1 : std::min(panels, threads * pieces_a_thread);
    scratch.resize(pieces * w.cols(), column_grain);
    parallel_each(pieces, threads, [&](Index piece) {
        T* const panel = scratch.data() + piece * w.cols() * column_grain;
        for (Index p = panels * piece / pieces; p < panels * (piece + 1) / pieces; ++p)
            input_gradient_panel<T>(dy, w, panel, dx, after, factor, p * column_grain);
    });
}

}  // namespace

template <class T>
void linear_backward_input(MatrixView<const T> dy, MatrixView<const T> w, Matrix<T>& scratch,
                           MatrixView<T> dx, AfterBlock after, T factor) {
    if (w.rows() * w.row_stride() * Index(sizeof(T)) >= large_weights)
        return input_gradient_by_panels<T>(dy, w, scratch, dx, after, factor);
    scratch.resize(w.cols(), w.rows());
    parallel_for(w.rows(), transpose_grain, threads_for(8.0 * double(w.size())), [&](Index i, Index end) {
        transpose_rows<T>(w, i, end - i, scratch.data() + i, scratch.row_stride());
    });
    linear_forward<T>(dy, scratch.view(), nullptr, dx, after, factor);
}

}  // namespace ops

#define CMLP_PRODUCTS(T)                                                                                  \
    template void multiply<T>(MatrixView<const T>, bool, MatrixView<const T>, bool, MatrixView<T>, bool); \
    namespace ops {                                                                                       \
    template void linear_forward<T>(MatrixView<const T>, MatrixView<const T>, const T*, MatrixView<T>,    \
                                    AfterBlock, T);                                                       \
    template void linear_backward_bias<T>(MatrixView<const T>, T*, bool);                                 \
    template void weight_gradients<T>(std::span<const WeightGradient<T>>);                                \
    template void linear_backward_input<T>(MatrixView<const T>, MatrixView<const T>, Matrix<T>&,          \
                                           MatrixView<T>, AfterBlock, T);                                 \
    }
CMLP_PRODUCTS(float)
CMLP_PRODUCTS(double)
#undef CMLP_PRODUCTS

}  // namespace cmlp::inline v0_1
