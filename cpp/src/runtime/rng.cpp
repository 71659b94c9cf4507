// Streams of random numbers over the kernels' counter-based generator.
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/registry.hpp>
#include <cmlp/runtime/rng.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/kernels.hpp"

namespace cmlp::inline v0_1 {

// splitmix64 (Steele, Lea and Flood, OOPSLA 2014): spreads small seeds over the key space.
std::uint64_t random_key(Seed seed, Stream purpose) {
    std::uint64_t z = seed + 0x9E3779B97F4A7C15u * (static_cast<std::uint64_t>(purpose) + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

Rng::Rng(Seed seed, Stream purpose, std::uint64_t step) : key_(random_key(seed, purpose)), step_(step) {}

std::uint64_t Rng::next() {
    constexpr std::uint64_t words = std::size(decltype(block_){});
    const std::uint64_t at = index_ % words;
    if (at == 0) kernels::random<double>().words(key_, step_, index_, words, block_);
    index_ += 2;
    return block_[at] | static_cast<std::uint64_t>(block_[at + 1]) << 32;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

// The middle of each of the 2^53 cells of (0, 1), so that neither end is ever hit.
double Rng::normal() { return normal_quantile((static_cast<double>(next() >> 11) + 0.5) * 0x1p-53); }

namespace {

double applied(Function f, double x) {
    kernels::functions<double>().kind[static_cast<int>(f)](1, &x, &x);
    return x;
}
double log_of(double x) { return applied(Function::log, x); }

// Logarithm of a Gamma(a) deviate (Marsaglia and Tsang, TOMS 26, 2000), for a < 1 by way of a + 1.
double log_of_gamma(Rng& rng, double a) {
    const double boost = a < 1 ? log_of(1 - rng.uniform()) / a : 0;
    const double d = (a < 1 ? a + 1 : a) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    while (true) {
        const double x = rng.normal(), t = 1 + c * x;
        const double u = 1 - rng.uniform();
        if (t <= 0) continue;
        const double v = t * t * t;
        if (log_of(u) < x * x / 2 + d - d * v + d * log_of(v)) return boost + log_of(d * v);
    }
}

}  // namespace

double Rng::beta(double alpha) {
    require(alpha > 0 && std::isfinite(alpha), "Rng.beta: alpha is ", alpha, ", it must be in (0,inf)");
    const double x = log_of_gamma(*this, alpha), y = log_of_gamma(*this, alpha);
    return x == y ? 0.5 : 1 / (1 + applied(Function::exp, y - x));
}

// Multiply and shift, rejecting the few values that would favour small results (Lemire, TOMACS 29, 2019).
Index Rng::below(Index n) {
    require(n > 0, "Rng.below: n is ", n, ", it must be at least 1");
    const auto range = static_cast<std::uint64_t>(n);
    while (true) {
        const auto product = static_cast<unsigned __int128>(next()) * range;
        const auto low = static_cast<std::uint64_t>(product);
        // The division only where a rejection is possible: what is rejected lies below range.
        if (low >= range || low >= (0 - range) % range) return static_cast<Index>(product >> 64);
    }
}

void permute(std::vector<Index>& order, Seed seed, std::uint64_t epoch, Stream purpose) {
    std::iota(order.begin(), order.end(), Index(0));
    Rng rng(seed, purpose, epoch);
    for (auto left = static_cast<Index>(order.size()); left > 1; --left)
        std::swap(order[static_cast<size_t>(left - 1)], order[static_cast<size_t>(rng.below(left))]);
}

std::vector<Index> permutation(Index n, Seed seed, std::uint64_t epoch, Stream purpose) {
    require(n >= 0, "permutation: n is ", n, ", it must not be negative");
    std::vector<Index> order(static_cast<size_t>(n));
    permute(order, seed, epoch, purpose);
    return order;
}

// Fisher-Yates from the end; a draw above i under i's mask of bits is drawn again.
void shuffle(std::span<Index> order, Words words) {
    require(order.size() <= std::numeric_limits<std::uint32_t>::max(), "shuffle: there are ", order.size(),
            " elements, it takes fewer than 2^32");
    for (auto i = static_cast<std::uint32_t>(order.size()); i-- > 1;) {
        const std::uint32_t mask = std::bit_ceil(std::uint64_t(i) + 1) - 1;
        std::uint32_t drawn = words.next(words.state) & mask;
        while (drawn > i) drawn = words.next(words.state) & mask;
        std::swap(order[i], order[drawn]);
    }
}

namespace {

// p[0] + p[1] x + ... + p[7] x^7
double polynomial(const double (&p)[8], double x) {
    double sum = p[7];
    for (int i = 6; i >= 0; --i) sum = std::fma(sum, x, p[i]);
    return sum;
}

}  // namespace

double normal_quantile(double p) {
    static constexpr double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                   1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                   3.3430575583588128105e4, 2.5090809287301226727e3};
    static constexpr double b[] = {1.0,
                                   4.2313330701600911252e1,
                                   6.8718700749205790830e2,
                                   5.3941960214247511077e3,
                                   2.1213794301586595867e4,
                                   3.9307895800092710610e4,
                                   2.8729085735721942674e4,
                                   5.2264952788528545610e3};
    static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static constexpr double d[] = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
    static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                   1.78482653991729133580e0,  2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static constexpr double f[] = {1.0,
                                   5.99832206555887937690e-1,
                                   1.36929880922735805310e-1,
                                   1.48753612908506148525e-2,
                                   7.86869131145613259100e-4,
                                   1.84631831751005468180e-5,
                                   1.42151175831644588870e-7,
                                   2.04426310338993978564e-15};
    const double q = p - 0.5;
    if (std::abs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    const double r = std::sqrt(-log_of(q < 0 ? p : 1 - p));
    const double tail = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                               : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -tail : tail;
}

}  // namespace cmlp::inline v0_1
