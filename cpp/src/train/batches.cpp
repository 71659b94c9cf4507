// The number of batches, and what a fit draws at random for one, from its number alone.
#include "train/batches.hpp"

#include <cmlp/ops/functions.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/norms.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index stretch = 128;  // pairs of deviates per block
constexpr double work_an_element = 64, two_pi = 6.28318530717958647692;

// Up to 2 * stretch deviates by twos: sqrt(-2 ln u) cos(2 pi v) and the sine (Box and Muller, Ann. Math.
// Stat. 29, 1958).
void normal_pairs(Index pairs, const std::uint32_t* words, double* out) {
    std::array<double, stretch> radius, angle, sine;
    const auto n = static_cast<size_t>(pairs);
    for (size_t p = 0; p < n; ++p) {
        radius[p] = (words[2 * p] + 0.5) * 0x1p-32;
        angle[p] = two_pi * 0x1p-32 * words[2 * p + 1];
    }
    apply<double>(Function::log, {radius.data(), n}, {radius.data(), n});
    apply<double>(Function::sin, {angle.data(), n}, {sine.data(), n});
    apply<double>(Function::cos, {angle.data(), n}, {angle.data(), n});
    for (size_t p = 0; p < n; ++p) {
        const double r = std::sqrt(-2 * radius[p]);
        out[2 * p] = r * angle[p];
        out[2 * p + 1] = r * sine[p];
    }
}

}  // namespace

bool normalizes_batches(const std::vector<NamedLayer>& layers) {
    return std::ranges::any_of(
        layers, [](const NamedLayer& named) { return std::holds_alternative<BatchNorm1d>(named.layer); });
}

Index batch_count(Index rows, const FitOptions& options, bool statistics) {
    const Index size = std::min(options.batch_size, rows), left = rows % size;
    require(!options.drop_last || size == options.batch_size,
            "fit: drop_last leaves no batch: batch_size is ", options.batch_size, ", there are ", rows,
            " rows");
    require(!statistics || size > 1, "fit: batch normalisation needs the variance of several rows: ",
            rows == 1 ? "there is one row" : "batch_size is 1");
    const bool joins = statistics && left == 1;
    return rows / size + (left == 0 || joins || options.drop_last ? 0 : 1);
}

Pairs mixup_pairs(Index rows, double alpha, Seed seed, std::uint64_t number) {
    const double share = Rng(seed, Stream::mixup, 2 * number).beta(alpha);
    return {permutation(rows, seed, 2 * number + 1, Stream::mixup), share};
}

template <class T>
void add_noise(MatrixView<T> x, double deviation, Seed seed, std::uint64_t number) {
    const std::uint64_t key = random_key(seed, Stream::noise);
    const Index even = (x.cols() + 1) / 2 * 2;  // numbers drawn for a row
    parallel_for(x.rows(), 16, threads_for(work_an_element * double(x.size())), [&](Index begin, Index end) {
        std::array<std::uint32_t, 2 * stretch> words;
        std::array<double, 2 * stretch> normal;
        for (Index i = begin; i < end; ++i)
            for (Index j = 0; j < x.cols(); j += 2 * stretch) {
                const Index drawn = std::min(2 * stretch, even - j), count = std::min(drawn, x.cols() - j);
                ops::random_words(key, number, std::uint64_t(i * even + j), {words.data(), size_t(drawn)});
                normal_pairs(drawn / 2, words.data(), normal.data());
                for (Index k = 0; k < count; ++k)
                    x(i, j + k) += static_cast<T>(deviation * normal[size_t(k)]);
            }
    });
}

template void add_noise<float>(MatrixView<float>, double, Seed, std::uint64_t);
template void add_noise<double>(MatrixView<double>, double, Seed, std::uint64_t);

}  // namespace cmlp::inline v0_1
