// What a fit draws at random for a batch, from the batch's number alone.
#include <cmlp/trainer.hpp>

namespace cmlp {

Pairs mixup_pairs(Index rows, double alpha, std::uint64_t seed, std::uint64_t number) {
    const double share = Rng(seed, Stream::mixup, 2 * number).beta(alpha);
    return {permutation(rows, seed, 2 * number + 1, Stream::mixup), share};
}

template <class T>
void add_noise(MatrixView<T> x, double deviation, std::uint64_t seed, std::uint64_t number) {
    Rng rng(seed, Stream::noise, number);
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j) x(i, j) += static_cast<T>(deviation * rng.normal());
}

template void add_noise<float>(MatrixView<float>, double, std::uint64_t, std::uint64_t);
template void add_noise<double>(MatrixView<double>, double, std::uint64_t, std::uint64_t);

}  // namespace cmlp
