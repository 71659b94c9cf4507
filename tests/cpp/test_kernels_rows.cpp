// The kernels outside the lists: functions, softmax, dropout, sums, the search for what is not finite, random words.
#include <doctest/doctest.h>

#include <cmath>

#include "kernel_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

constexpr std::size_t capacity = 4000;

// Sixteen lanes, lane i of element i % 16, joined in halves.
double tree_sum(const std::vector<double>& terms) {
    double lane[16] = {};
    for (std::size_t i = 0; i < terms.size(); ++i) lane[i % 16] += terms[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
    return lane[0];
}

}  // namespace

TEST_CASE_TEMPLATE("kernels: functions", T, float, double) {
    Guarded<T> memory(capacity);
    Everywhere<T> everywhere(capacity);
    for (int f = 0; f < kernels::function_count; ++f) {
        CAPTURE(std::string(name(static_cast<Function>(f))));
        for (const Index n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 33, 40, 3001}) {
            T* x = memory.last(n);
            fill(x, n, std::uint64_t(n), true);
            const std::string error = everywhere(
                1, n, n, [&](const auto& kernels, T* out) { kernels.functions.kind[f](n, x, out); });
            CHECK(error == "");
        }
    }
}

TEST_CASE_TEMPLATE("kernels: softmax and its backward", T, float, double) {
    Guarded<T> x_memory(capacity), dy_memory(capacity);
    Everywhere<T> everywhere(capacity);
    for (const Index rows : {0, 1, 3})
        for (Index cols = 1; cols <= 40; ++cols)
            for (const Index stride : {cols, cols + 3})
                for (const bool special : {false, true}) {
                    const Index size = rows > 0 ? (rows - 1) * stride + cols : 0;
                    T *x = x_memory.last(size), *dy = dy_memory.last(size);
                    fill(x, size, 1, special);
                    fill(dy, size, 2, special);
                    const std::string forward =
                        everywhere(rows, cols, stride, [&](const auto& kernels, T* out) {
                            kernels.rows.softmax({rows, cols}, x, stride, out, stride);
                        });
                    CHECK(forward == "");
                    const std::string backward =
                        everywhere(rows, cols, stride, [&](const auto& kernels, T* out) {
                            kernels.rows.softmax_backward({rows, cols}, x, stride, dy, stride, out, stride);
                        });
                    CHECK(backward == "");
                }
}

TEST_CASE_TEMPLATE("kernels: softmax against its formula, also for large logits", T, float, double) {
    for (const Kernels<T>& table : all_kernels<T>())
        for (const double shift : {0.0, 1e4, -1e4}) {
            CAPTURE(table.isa);
            CAPTURE(shift);
            std::vector<T> x(37), y(37);
            fill(x.data(), 37, 9);
            for (T& v : x) v = T(double(v) + shift);
            table.rows.softmax({1, 37}, x.data(), 37, y.data(), 37);
            const Line expected = softmax({x.begin(), x.end()});
            for (std::size_t j = 0; j < 37; ++j)
                CHECK(std::abs(double(y[j]) - expected[j]) < tolerance<T> / 10);
        }
}

TEST_CASE_TEMPLATE("kernels: dropout draws word first + i and scales what it keeps", T, float, double) {
    Guarded<T> memory(capacity);
    Everywhere<T> everywhere(capacity);
    for (const Index n : {0, 1, 5, 40, 255, 256, 257, 700})
        for (const double p : {0.0, 0.1, 0.5, 0.999, 1.0}) {
            T* x = memory.last(n);
            fill(x, n, 4, p == 1.0);  // p = 1 gives 0 even for NaN
            const std::uint64_t key = 0x123456789abcdef0, step = 77, first = std::uint64_t(n) * 3 + 1;
            const std::string error = everywhere(1, n, n, [&](const auto& kernels, T* out) {
                std::vector<unsigned char> bits(std::size_t(n / 16 * 2 + 2));
                kernels.random.dropout({n, x, out, p, key, step, first, bits.data()});
                std::vector<T> again(std::size_t(n) + 1);
                kernels.random.dropout_backward(n, bits.data(), p, x, again.data());
                CHECK(std::equal(out, out + n, again.begin(), [](T a, T b) { return same(a, b); }));
            });
            CHECK(error == "");
            for (Index i = 0; i < n; ++i) {
                const double word = random_word(key, step, first + std::uint64_t(i));
                const T expected = word >= std::floor(p * 4294967296.0) ? T(x[i] * T(1 / (1 - p))) : T(0);
                CHECK(same(everywhere.expected[std::size_t(i)], expected));
            }
        }
}

TEST_CASE_TEMPLATE("kernels: weighted_sum and squared_norm are trees over 16 lanes in double", T, float,
                   double) {
    Guarded<T> x_memory(capacity), w_memory(capacity);
    const auto all = all_kernels<T>();
    for (Index n = 0; n <= 70; ++n) {
        T *x = x_memory.last(n), *w = w_memory.last(n);
        fill(x, n, 5);
        fill(w, n, 6);
        std::vector<double> plain, weighted, squares;
        for (Index i = 0; i < n; ++i) {
            plain.push_back(double(x[i]));
            weighted.push_back(double(x[i]) * double(w[i]));
            squares.push_back(double(x[i]) * double(x[i]));
        }
        for (const Kernels<T>& table : all) {
            CAPTURE(table.isa);
            CAPTURE(n);
            CHECK(same(table.flat.weighted_sum(n, x, nullptr), tree_sum(plain)));
            CHECK(same(table.flat.weighted_sum(n, x, w), tree_sum(weighted)));
            CHECK(same(table.flat.squared_norm(n, x), tree_sum(squares)));
        }
    }
}

TEST_CASE_TEMPLATE("kernels: scale touches n elements", T, float, double) {
    Everywhere<T> everywhere(capacity);
    for (Index n = 0; n <= 40; ++n) {
        const std::string error = everywhere(1, n, n, [&](const auto& kernels, T* out) {
            fill(out, n, 7, true);
            kernels.flat.scale(n, out, T(1.7));
        });
        CHECK(error == "");
        std::vector<T> x(std::size_t(n) + 1);
        fill(x.data(), n, 7, true);
        for (Index i = 0; i < n; ++i)
            CHECK(same(everywhere.expected[std::size_t(i)], T(x[std::size_t(i)] * T(1.7))));
    }
}

TEST_CASE_TEMPLATE("kernels: first_nonfinite finds every position", T, float, double) {
    using Limits = std::numeric_limits<T>;
    Guarded<T> memory(capacity);
    std::vector<Index> lengths = {1023, 1024, 1025, 2049, 3000};
    for (Index n = 0; n <= 70; ++n) lengths.push_back(n);
    for (const Kernels<T>& table : all_kernels<T>())
        for (const Index n : lengths) {
            CAPTURE(table.isa);
            CAPTURE(n);
            T* x = memory.last(n, Limits::max());  // sums of these overflow, none of them is infinite
            CHECK(table.flat.first_nonfinite(n, x) == n);
            Index wrong = 0;
            for (Index at = 0; at < n; ++at)
                for (const T bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
                    x[at] = bad;
                    x[n - 1] = at % 2 ? T(bad) : x[n - 1];
                    wrong += table.flat.first_nonfinite(n, x) != at;
                    x[at] = x[n - 1] = Limits::lowest();
                }
            CHECK(wrong == 0);
        }
}

TEST_CASE_TEMPLATE("kernels: is_within finds what is outside at every position", T, float, double) {
    using Limits = std::numeric_limits<T>;
    Guarded<T> memory(capacity);
    for (const Kernels<T>& table : all_kernels<T>())
        for (Index n = 0; n <= 70; ++n) {
            CAPTURE(table.isa);
            CAPTURE(n);
            T* x = memory.last(n, T(-3));
            CHECK(table.flat.is_within(n, x, T(3)));
            Index wrong = 0;
            for (Index at = 0; at < n; ++at)
                for (const T bad : {T(3.5), T(-4), Limits::quiet_NaN(), Limits::infinity()}) {
                    x[at] = bad;
                    wrong += table.flat.is_within(n, x, T(3));
                    x[at] = T(3);
                }
            CHECK(wrong == 0);
        }
}

TEST_CASE("kernels: random words are Philox4x32-10") {
    using Block = std::array<std::uint32_t, 4>;
    // the known results of the authors' Random123, kat_vectors
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t ones = 0xffffffff;
    CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
          Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

    Guarded<std::uint32_t> memory(64);
    for (const std::string& isa : isas()) {
        const RuntimeScope scope(isa);
        CAPTURE(isa);
        std::uint32_t words[4];
        kernels::random<double>().words(0, 0, 0, 4, words);
        CHECK(std::equal(words, words + 4, std::begin({0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u})));
        for (const std::uint64_t key :
             {std::uint64_t(0), ~std::uint64_t(0), std::uint64_t(0x0123456789abcdef)})
            for (const std::uint64_t first :
                 {std::uint64_t(0), std::uint64_t(3), (std::uint64_t(1) << 34) - 2, ~std::uint64_t(0) - 39}) {
                std::uint32_t* out = memory.last(37);
                kernels::random<double>().words(key, key / 3, first, 37, out);
                for (Index i = 0; i < 37; ++i)
                    CHECK(out[i] == random_word(key, key / 3, first + std::uint64_t(i)));
            }
    }
}
