// Random numbers: fixed streams, uniform and normal deviates, permutations, quantiles.
#include <cmlp/runtime/rng.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;

using Order = std::vector<Index>;

constexpr Stream streams[] = {Stream::init, Stream::shuffle, Stream::dropout, Stream::split,
                              Stream::user, Stream::mixup,   Stream::noise};

}  // namespace

TEST_CASE("rng: a stream is pairs of words of the counter-based generator, on every instruction set") {
    for (const std::string& isa : isas()) {
        const test::RuntimeScope scope(isa);
        for (const std::uint64_t seed : {std::uint64_t(0), std::uint64_t(42), ~std::uint64_t(0)})
            for (const Stream stream : streams) {
                Rng rng(seed, stream, 9);
                const std::uint64_t key = random_key(seed, stream);
                for (std::uint64_t i = 0; i < 100; ++i) {
                    const std::uint64_t low = test::random_word(key, 9, 2 * i);
                    CHECK(rng.next() == (low | std::uint64_t(test::random_word(key, 9, 2 * i + 1)) << 32));
                }
            }
    }
}

TEST_CASE("rng: fixed numbers") {
    CHECK(random_key(42, Stream::init) == 0xbdd732262feb6e95);
    CHECK(random_key(42, Stream::shuffle) == 0x28efe333b266f103);
    CHECK(random_key(42, Stream::dropout) == 0x47526757130f9f52);
    CHECK(random_key(42, Stream::split) == 0x581ce1ff0e4ae394);
    CHECK(random_key(42, Stream::user) == 0x09bc585a244823f2);
    Rng bits(0, Stream::user);
    CHECK(bits.next() == 0x073c9040a330f67d);
    CHECK(bits.next() == 0x7b3c6aafd0ed4878);
    Rng uniform(12345, Stream::user, 7);
    CHECK(uniform.uniform() == 0x1.fa75639302e55p-1);
    CHECK(uniform.uniform() == 0x1.16e6f3e3513f0p-1);
}

TEST_CASE("rng: streams share no numbers and do not depend on each other's use") {
    std::set<std::uint64_t> numbers;
    for (const Stream stream : streams)
        for (std::uint64_t seed = 0; seed < 20; ++seed)
            for (std::uint64_t step = 0; step < 20; ++step) numbers.insert(Rng(seed, stream, step).next());
    CHECK(numbers.size() == std::size(streams) * 400);

    Rng alone(3, Stream::user), first(3, Stream::user), second(3, Stream::init);
    for (int i = 0; i < 200; ++i) {
        for (int k = 0; k < i % 5; ++k) second.normal();
        CHECK(first.next() == alone.next());
        permutation(i, 3, 0, Stream::user);
    }
}

TEST_CASE("rng: uniform numbers are uniform") {
    constexpr int draws = 200000, bins = 50;
    Rng rng(1, Stream::user);
    std::vector<int> count(bins), pairs(bins);
    double sum = 0, sum2 = 0, previous = rng.uniform();
    for (int i = 0; i < draws; ++i) {
        const double u = rng.uniform();
        REQUIRE(u >= 0);
        REQUIRE(u < 1);
        sum += u, sum2 += u * u;
        ++count[std::size_t(u * bins)];
        ++pairs[std::size_t(u * 7) * 7 + std::size_t(previous * 7)];
        previous = u;
    }
    CHECK(std::abs(sum / draws - 0.5) < 5 * std::sqrt(1.0 / 12 / draws));
    CHECK(std::abs(sum2 / draws - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / draws));
    // chi squared with k - 1 degrees of freedom: 5 standard deviations above its mean
    const auto chi2 = [](const std::vector<int>& counts, int cells) {
        double total = 0;
        const double expected = double(draws) / cells;
        for (int i = 0; i < cells; ++i) total += std::pow(counts[std::size_t(i)] - expected, 2) / expected;
        return (total - (cells - 1)) / std::sqrt(2.0 * (cells - 1));
    };
    CHECK(std::abs(chi2(count, bins)) < 5);
    CHECK(std::abs(chi2(pairs, 49)) < 5);
}

TEST_CASE("rng: normal numbers have the moments of the normal distribution") {
    constexpr int draws = 200000;
    Rng rng(2, Stream::user);
    double moment[5] = {};
    int tail = 0;
    for (int i = 0; i < draws; ++i) {
        const double z = rng.normal();
        for (int k = 1; k <= 4; ++k) moment[k] += std::pow(z, k) / draws;
        tail += std::abs(z) > 1.959963984540054;
    }
    const double root = std::sqrt(double(draws));  // moment k has variance E z^2k - (E z^k)^2
    CHECK(std::abs(moment[1]) < 5 / root);
    CHECK(std::abs(moment[2] - 1) < 5 * std::sqrt(2) / root);
    CHECK(std::abs(moment[3]) < 5 * std::sqrt(15) / root);
    CHECK(std::abs(moment[4] - 3) < 5 * std::sqrt(96) / root);
    CHECK(std::abs(tail / double(draws) - 0.05) < 5 * std::sqrt(0.05 * 0.95) / root);
}

TEST_CASE("rng: beta numbers have the moments of the beta distribution, and are the same on every ISA") {
    constexpr int draws = 50000;
    for (const double alpha : {0.05, 0.4, 1.0, 3.0}) {
        Rng rng(3, Stream::mixup);
        double mean = 0, variance = 0;
        for (int i = 0; i < draws; ++i) {
            const double x = rng.beta(alpha);
            REQUIRE((x >= 0 && x <= 1));
            mean += x / draws, variance += (x - 0.5) * (x - 0.5) / draws;
        }
        const double expected = 1 / (4 * (2 * alpha + 1));
        CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(expected / draws));
        CHECK(std::abs(variance - expected) < 5 * 0.25 / std::sqrt(draws));
    }
    const test::RuntimeScope scope;
    const double first = Rng(1, Stream::mixup, 2).beta(0.4);
    for (const std::string& isa : isas()) {
        set_isa(isa);
        CHECK(Rng(1, Stream::mixup, 2).beta(0.4) == first);
    }
    CHECK(test::message([] { Rng(0, Stream::mixup).beta(0); }) ==
          "Rng.beta: alpha is 0, it must be in (0,inf)");
}

TEST_CASE("rng: below stays below and favours nothing") {
    Rng rng(3, Stream::user);
    for (const Index n : {1, 2, 3, 7, 10}) {
        std::vector<int> count(std::size_t(n), 0);
        for (int i = 0; i < 20000; ++i) {
            const Index value = rng.below(n);
            REQUIRE(value >= 0);
            REQUIRE(value < n);
            ++count[std::size_t(value)];
        }
        const double p = 1.0 / double(n);
        for (const int c : count) CHECK(std::abs(c - 20000 * p) <= 5 * std::sqrt(20000 * p * (1 - p)));
    }
    const Index large = (Index(1) << 62) + 12345;  // a quarter of all values is rejected
    double mean = 0;
    for (int i = 0; i < 20000; ++i) {
        const Index value = rng.below(large);
        REQUIRE(value >= 0);
        REQUIRE(value < large);
        mean += double(value) / double(large) / 20000;
    }
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1.0 / 12 / 20000));
}

TEST_CASE("rng: permutations are permutations, fixed by seed, epoch and purpose") {
    CHECK(permutation(10, 0, 0) == Order{1, 8, 0, 4, 2, 7, 3, 6, 5, 9});
    CHECK(permutation(10, 0, 1) == Order{6, 5, 3, 8, 9, 0, 7, 2, 4, 1});
    CHECK(permutation(10, 1, 0) == Order{6, 7, 9, 5, 1, 2, 4, 3, 8, 0});
    CHECK(permutation(10, ~std::uint64_t(0), 5) == Order{8, 1, 0, 6, 2, 4, 3, 5, 7, 9});
    CHECK(permutation(10, 0, 0, Stream::split) == Order{2, 8, 0, 1, 7, 9, 5, 3, 6, 4});
    CHECK(permutation(0, 0, 0).empty());
    CHECK(permutation(1, 0, 0) == Order{0});
    for (const Index n : {2, 3, 64, 1000}) {
        Order order = permutation(n, 7, 3), again(std::size_t(n), -1), identity(std::size_t(n), 0);
        permute(again, 7, 3);
        CHECK(again == order);
        std::iota(identity.begin(), identity.end(), Index(0));
        CHECK(std::is_permutation(order.begin(), order.end(), identity.begin()));
    }
}

TEST_CASE("rng: every order of four rows is as likely") {
    std::vector<int> count(256);
    for (std::uint64_t epoch = 0; epoch < 24000; ++epoch) {
        const Order o = permutation(4, 11, epoch);
        ++count[std::size_t(o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3])];
    }
    CHECK(std::count(count.begin(), count.end(), 0) == 256 - 24);
    for (const int c : count) CHECK((c == 0 || std::abs(c - 1000) < 5 * std::sqrt(1000.0)));
}

TEST_CASE("rng: normal_quantile") {
    const double known[][2] = {{0.975, 1.959963984540054},    {0.9, 1.2815515655446006},
                               {0.75, 0.6744897501960817},    {0.05, -1.6448536269514726},
                               {1e-4, -3.7190164854556804},   {1e-10, -6.361340902404057},
                               {1e-100, -21.273453560965326}, {1e-300, -37.0470962993612}};
    for (const auto& [p, z] : known) CHECK(normal_quantile(p) == doctest::Approx(z).epsilon(2e-15));
    CHECK(normal_quantile(0.5) == 0);
    double before = -INFINITY;
    for (int i = 1; i < 4096; ++i) {
        const double p = i / 4096.0, z = normal_quantile(p);
        REQUIRE(z > before);
        CHECK(z == -normal_quantile(1 - p));
        CHECK(std::erfc(-z / std::numbers::sqrt2) / 2 == doctest::Approx(p).epsilon(1e-14));
        before = z;
    }
}
