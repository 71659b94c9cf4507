// Matrix products on register tiles. Every output element is one chain of fma in k order, so no tile shape,
// split over threads or instruction set changes a bit.
#pragma once

#include "map.hpp"
#include "transpose.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {

// Accumulators that fit beside one row of b and one broadcast of a, and the vectors of the widest tile.
constexpr bool many_registers =
    sizeof(Ops<float>::Register) != 32 && Vec<float>::size > 1;  // 32: AVX-512, NEON
constexpr int accumulators = many_registers ? 24 : 12;
constexpr int tile_vectors = many_registers ? 4 : 2;

// How far ahead of the chains rows of b are fetched into the first cache.
constexpr ptrdiff_t rows_ahead = 4;

// Elements of b from which on it does not stay in the second cache: the next strip is fetched while this one is used.
template <class T>
constexpr ptrdiff_t streamed = (ptrdiff_t(1) << 17) / ptrdiff_t(sizeof(T));

// Tiles of a strip that share out the fetching of the next.
constexpr ptrdiff_t fetching_tiles = 2 * tile_vectors;

// Rows of a tile of C vectors: narrow tiles are taller, so that chains enough run beside each other.
constexpr int tile_rows(int vectors) { return accumulators / vectors < 12 ? accumulators / vectors : 12; }

// One link of a chain: where it starts, and the fma that continues it; one object a tile. bf16.hpp has others.
template <class T>
struct FmaLink {
    static constexpr int vectors = tile_vectors;  // of the widest tile
    static constexpr bool streams = true;         // fetches the next strip where b is large
    static constexpr bool checks = false;         // may detect at the end that a tile must be computed again
    static constexpr int rows(int c) { return tile_rows(c); }

    static CMLP_INLINE Vec<T> start(Vec<T> bias) { return bias; }
    CMLP_INLINE void begin(Vec<T>*, int) {}  // around the links of a tile's chains
    CMLP_INLINE void end(Vec<T>*, int) {}
    CMLP_INLINE Vec<T> go_on(Vec<T> factor, Vec<T> row, Vec<T> sum) { return fma(factor, row, sum); }
};

// c = or += shift + factor chain for a block of rows and columns from (i, j): once for all tiles.
template <class G, class T>
__attribute__((noinline)) void store_scaled(const G& g, ptrdiff_t i, ptrdiff_t j, Shape shape,
                                            const T* chains, ptrdiff_t row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r)
        sweep<T>(shape.cols, [&](ptrdiff_t c, ptrdiff_t left) {
            T* out = g.c + (i + r) * g.c_row + j + c;
            const V shift = g.shift ? V::load_n(g.shift + j + c, left) : V(T(0));
            const V value = fma(V(g.factor), V::load_n(chains + r * row + c, left), shift);
            (g.add ? V::load_n(out, left) + value : value).store_n(out, left);
        });
}

// Rows i .. i + R and C vectors of columns from j; the last vector has `last` columns unless it is full.
template <class Link, int R, int C, bool full, bool stream, class T>
CMLP_INLINE void tile(const Gemm<T>& g, ptrdiff_t i, ptrdiff_t j, ptrdiff_t last) {
    using V = Vec<T>;
    const auto load = [=](const T* p, int c) {
        return full || c + 1 < C ? V::load(p + c * V::size) : V::load_part(p + c * V::size, last);
    };
    Link chain;
    V sum[R][C];
    for (int c = 0; c < C; ++c) {
        const V start = Link::start(g.bias ? load(g.bias + j, c) : V(T(0)));
        for (int r = 0; r < R; ++r) sum[r][c] = start;
    }
    // Three rows a pointer: their addresses are then a pointer and one or two strides.
    constexpr int groups = (R + 2) / 3;
    const T* a[groups];
    for (int q = 0; q < groups; ++q) a[q] = g.a + (i + 3 * q) * g.a_row;
    const T* b = g.b + j;
    const auto link = [&]() __attribute__((always_inline)) {
        V row[C];
#pragma GCC unroll 16
        for (int c = 0; c < C; ++c) {
            row[c] = load(b, c);
            if (C == Link::vectors) __builtin_prefetch(b + rows_ahead * g.b_row + c * V::size);
        }
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
            const V factor(a[r / 3][r % 3 * g.a_row]);
#pragma GCC unroll 16
            for (int c = 0; c < C; ++c) sum[r][c] = chain.go_on(factor, row[c], sum[r][c]);
        }
#pragma GCC unroll 4
        for (int q = 0; q < groups; ++q) a[q] += g.a_col;
        b += g.b_row;
    };
    // Of the next strip each tile fetches one vector's column of every other row.
    chain.begin(sum[0], R * C);
    const ptrdiff_t share = i / R % fetching_tiles;
    const T* next = b + (C + share / 2) * V::size + share % 2 * (g.k / 2) * g.b_row;
    constexpr int links = R > 2 ? 2 : 1;  // a turn; the widest tiles have no register for a second
    for (ptrdiff_t p = g.k / links; p > 0; --p) {
        if (stream) {
            __builtin_prefetch(next, 0, 2);
            next += g.b_row;
        }
        link();
        if (links == 2) link();
    }
    if (links == 2 && g.k % 2 != 0) link();
    chain.end(sum[0], R * C);
    if constexpr (Link::checks)
        if (chain.failed()) [[unlikely]] {
            T again[R][C * V::size] = {};
            Link::exactly(g, i, j, R, (C - 1) * V::size + last, again[0], C * V::size);
            for (int r = 0; r < R; ++r)
                for (int c = 0; c < C; ++c) sum[r][c] = V::load(again[r] + c * V::size);
        }
    if constexpr (!many_registers) {
        for (int r = 0; r < R; ++r)
            for (int c = 0; c < C; ++c) {
                T* out = g.c + (i + r) * g.c_row + j + c * V::size;
                const V value = g.add ? load(out - c * V::size, c) + sum[r][c] : sum[r][c];
                full || c + 1 < C ? value.store(out) : value.store_n(out, last);
            }
        return;
    }
    // The tile that most elements are in scales its registers, the others share a loop.
    constexpr bool common = full && C == Link::vectors && R == Link::rows(C);
    const bool scaled = g.factor != T(1) && !common;
    if constexpr (common)
        if (g.factor != T(1))
            for (int c = 0; c < C; ++c) {
                const V shift = g.shift ? load(g.shift + j, c) : V(T(0));
                for (int r = 0; r < R; ++r) sum[r][c] = fma(V(g.factor), sum[r][c], shift);
            }
    T chains[R * C * V::size];
    T* to = scaled ? chains : g.c + i * g.c_row + j;
    ptrdiff_t to_row = scaled ? C * V::size : g.c_row;
    asm("" : "+r"(to), "+r"(to_row));  // one loop for both
    const bool add = g.add && !scaled;
    for (int r = 0; r < R; ++r)
        for (int c = 0; c < C; ++c) {
            T* out = to + r * to_row + c * V::size;
            const V value = add ? load(out - c * V::size, c) + sum[r][c] : sum[r][c];
            full || c + 1 < C ? value.store(out) : value.store_n(out, last);
        }
    if (scaled) store_scaled(g, i, j, {R, (C - 1) * V::size + last}, chains, C * V::size);
}

// Rows from i on of a strip of C vectors: tiles of R rows, then of fewer: 8, 6, 4, 3, 2, 1. What is left of the tallest
// tiles and one or two rows more goes in two halves, since one or two rows have too few chains.
template <class Link, int R, int C, bool full, bool stream, class T>
CMLP_INLINE void rows_from(const Gemm<T>& g, ptrdiff_t i, ptrdiff_t j, ptrdiff_t last) {
    constexpr int fewer = R > 8 ? 8 : R > 4 ? (R - 1) / 2 * 2 : R - 1;
    constexpr bool halves = R == Link::rows(C) && fewer >= (R + 3) / 2;
    for (; i + R <= g.m && !(halves && R < g.m - i && g.m - i <= R + 2); i += R)
        tile<Link, R, C, full, stream>(g, i, j, last);
    if constexpr (fewer > 0)
        if (i < g.m) rows_from<Link, fewer, C, full, false>(g, i, j, last);
}

template <class Link, int C, bool full, bool stream = false, class T>
void strip(const Gemm<T>& g, ptrdiff_t j, ptrdiff_t last) {
    rows_from<Link, Link::rows(C), C, full, stream>(g, ptrdiff_t(0), j, last);
}

// The strip narrower than a full tile: full vectors and a masked one.
template <class Link, int C, class T>
void narrow_strip(const Gemm<T>& g, ptrdiff_t j) {
    const ptrdiff_t last = g.n - j - (C - 1) * Vec<T>::size;
    if constexpr (C > 1) {
        if (last <= 0) return narrow_strip<Link, C - 1>(g, j);
    }
    if (last == Vec<T>::size)
        strip<Link, C, true>(g, j, last);
    else
        strip<Link, C, false>(g, j, last);
}

// One or two rows would leave a tile too few chains: theirs is as wide as the registers allow. Returns where it ends.
template <class Link, int R, class T>
ptrdiff_t wide_strips(const Gemm<T>& g) {
    constexpr int vectors = accumulators / 6 * 4 / R;
    ptrdiff_t j = 0;
    for (; j + vectors * Vec<T>::size <= g.n; j += vectors * Vec<T>::size)
        tile<Link, R, vectors, true, false>(g, 0, j, Vec<T>::size);
    return j;
}

template <class Link, class T>
void products(const Gemm<T>& g);

// With a factor and few registers: block by block through memory in the first cache.
template <class Link, class T>
void scaled_products(const Gemm<T>& g) {
    constexpr ptrdiff_t rows = 48, cols = 64;
    T chains[rows * cols];
    for (ptrdiff_t j = 0; j < g.n; j += cols)
        for (ptrdiff_t i = 0; i < g.m; i += rows) {
            const Shape shape = {g.m - i < rows ? g.m - i : rows, g.n - j < cols ? g.n - j : cols};
            products<Link>(Gemm<T>{shape.rows, shape.cols, g.k, g.a + i * g.a_row, g.a_row, g.a_col, g.b + j,
                                   g.b_row, chains, cols, nullptr, false});
            store_scaled(g, i, j, shape, chains, cols);
        }
}

template <class Link, class T>
void products(const Gemm<T>& g) {
    if constexpr (!many_registers)
        if (g.factor != T(1)) return scaled_products<Link>(g);
    constexpr int vectors = Link::vectors;
    constexpr ptrdiff_t width = vectors * Vec<T>::size;
    ptrdiff_t j = g.m == 1 ? wide_strips<Link, 1>(g) : g.m == 2 ? wide_strips<Link, 2>(g) : 0;
    const auto full_strip = g.k * g.n > streamed<T> ? strip<Link, vectors, true, Link::streams, T>
                                                    : strip<Link, vectors, true, false, T>;
    for (; j + width <= g.n; j += width) full_strip(g, j, Vec<T>::size);
    if (j < g.n) narrow_strip<Link, vectors>(g, j);
}

template <class T>
void gemm(const Gemm<T>& g) {
    products<FmaLink<T>>(g);
}

// C vectors of columns from j at a time, so that no sum waits for the one before.
template <int C, class T>
CMLP_INLINE void strip_sums(ptrdiff_t rows, const T* x, ptrdiff_t x_row, T* out, ptrdiff_t left, bool add) {
    constexpr int size = Vec<T>::size;
    Vec<T> sum[C];
    for (int c = 0; c < C; ++c) sum[c] = Vec<T>(T(0));
    for (ptrdiff_t r = 0; r < rows; ++r)
        for (int c = 0; c < C; ++c) sum[c] += Vec<T>::load_n(x + r * x_row + c * size, left);
    for (int c = 0; c < C; ++c)
        (add ? Vec<T>::load_n(out + c * size, left) + sum[c] : sum[c]).store_n(out + c * size, left);
}

template <class T>
void column_sums(Shape shape, const T* x, ptrdiff_t x_row, T* out, bool add) {
    constexpr ptrdiff_t size = Vec<T>::size, wide = 4 * size;
    ptrdiff_t j = 0;
    for (; j + wide <= shape.cols; j += wide) strip_sums<4>(shape.rows, x + j, x_row, out + j, size, add);
    for (; j < shape.cols; j += size) strip_sums<1>(shape.rows, x + j, x_row, out + j, shape.cols - j, add);
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
