// Counter-based random numbers: a value depends on (seed, purpose, step, index) alone, never on threads or call order.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/seed.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace cmlp::inline v0_1 {

/// What a stream is for, so that two uses of one seed never share numbers.
enum class Stream : std::uint32_t { init, shuffle, dropout, split, user, mixup, noise };

/// A stream of random numbers keyed by (seed, purpose, step); Philox4x32-10 of Salmon et al., SC 2011.
class Rng {
public:
    Rng(Seed seed, Stream purpose, std::uint64_t step = 0);

    /// Next 64 random bits.
    std::uint64_t next();
    /// Uniform in [0, 1) with 53 bits.
    double uniform();
    /// Standard normal deviate, by inversion of the distribution function.
    double normal();
    /// Beta(alpha, alpha) deviate, alpha > 0.
    double beta(double alpha);
    /// Uniform integer in [0, n).
    Index below(Index n);

private:
    std::uint64_t key_;
    std::uint64_t step_;
    std::uint64_t index_ = 0;
    std::uint32_t block_[64];
};

/// The key under which the kernels draw the numbers of (seed, purpose).
std::uint64_t random_key(Seed seed, Stream purpose);

/// Order of n rows in one epoch: Fisher-Yates with the stream (seed, purpose, epoch).
std::vector<Index> permutation(Index n, Seed seed, std::uint64_t epoch, Stream purpose = Stream::shuffle);

/// The same into existing memory, without allocating.
void permute(std::vector<Index>& order, Seed seed, std::uint64_t epoch, Stream purpose = Stream::shuffle);

/// Words of 32 random bits out of a generator that is not ours. Borrowed.
struct Words {
    void* state;
    std::uint32_t (*next)(void* state);
};

/// Those of a std::mt19937, say.
template <class Generator>
Words words_of(Generator& generator) {
    return {&generator,
            [](void* state) { return static_cast<std::uint32_t>((*static_cast<Generator*>(state))()); }};
}

/// Shuffles as NumPy's RandomState.shuffle does; a std::mt19937(seed) has the words of RandomState(seed).
/// Throws std::invalid_argument on 2^32 elements or more.
void shuffle(std::span<Index> order, Words words);

/// Quantile of the standard normal distribution, 0 < p < 1 (Wichura, Applied Statistics 37, 1988, AS 241).
double normal_quantile(double p);

}  // namespace cmlp::inline v0_1
