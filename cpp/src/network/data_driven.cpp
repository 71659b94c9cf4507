// Linear layers drawn by the data that comes through: RealMLP's, Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024.
#include <algorithm>
#include <array>
#include <cmath>

#include "network/parts.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr size_t rows_in_bias = 5;

// A power of two next to the largest difference of each column from its first row, whose squares neither overflow nor
// vanish; 1 where all are equal.
template <class T>
std::vector<double> scales(MatrixView<const T> z) {
    std::vector<double> largest(size_t(z.cols()));
    for (Index i = 0; i < z.rows(); ++i)
        for (Index j = 0; j < z.cols(); ++j)
            largest[size_t(j)] = std::max(largest[size_t(j)], std::abs(double(z(i, j)) - double(z(0, j))));
    for (double& size : largest) size = size > 0 ? std::ldexp(1.0, std::ilogb(size)) : 1;
    return largest;
}

// Standard deviation of each column over the rows, in double; from the first row on, so that equal rows give 0.
template <class T>
std::vector<double> deviations(MatrixView<const T> z) {
    const auto rows = double(z.rows());
    const std::vector<double> scale = scales(z);
    std::vector<double> mean(scale.size()), square(scale.size());
    const auto apart = [&](Index i, Index j) {
        return (double(z(i, j)) - double(z(0, j))) / scale[size_t(j)] - mean[size_t(j)];
    };
    for (Index i = 0; i < z.rows(); ++i)
        for (Index j = 0; j < z.cols(); ++j) square[size_t(j)] += apart(i, j) / rows;
    mean.swap(square);
    square.assign(mean.size(), 0);
    for (Index i = 0; i < z.rows(); ++i)
        for (Index j = 0; j < z.cols(); ++j) square[size_t(j)] += apart(i, j) * apart(i, j) / rows;
    for (size_t j = 0; j < scale.size(); ++j) square[j] = scale[j] * std::sqrt(square[j]);
    return square;
}

// sum lambda_k z_k of rows drawn at random, lambda ~ Dirichlet(1, ..., 1): the pieces into which as many
// points less one cut [0, 1]
template <class T>
double amid_rows(MatrixView<const T> z, Index column, Rng& rng) {
    std::array<double, rows_in_bias + 1> cuts{};
    for (size_t k = 1; k < rows_in_bias; ++k) cuts[k] = rng.uniform();
    cuts[rows_in_bias] = 1;
    std::sort(cuts.begin(), cuts.end());
    double sum = 0;
    for (size_t k = 0; k < rows_in_bias; ++k)
        sum += (cuts[k + 1] - cuts[k]) * double(z(rng.below(z.rows()), column));
    return sum;
}

// z (rows, out) is the output of the weights as they are, without a bias.
template <class T>
void fit_to(MatrixView<T> weight, MatrixView<T>* bias, MatrixView<const T> z, Rng& rng) {
    const std::vector<double> deviation = deviations(z);
    for (Index j = 0; j < z.cols(); ++j) {
        const double s = deviation[size_t(j)], factor = s > 0 ? 1 / s : 1;
        for (Index i = 0; i < weight.rows(); ++i)
            weight(i, j) = static_cast<T>(double(weight(i, j)) * factor);
        if (bias) (*bias)(0, j) = static_cast<T>(-factor * amid_rows(z, j, rng));
    }
}

}  // namespace

template <class T>
void detail::initialize_from(NetworkParts<T>& parts, MatrixView<const T> x, std::uint64_t seed, Index first,
                             Index last) {
    const auto& model = parts.model;
    require(x.rows() > 0, "data_driven_: x has no rows");
    require(x.cols() > 0, "data_driven_: x has no columns");
    (void)model.structure.output_width(x.cols(), first, last);  // nothing is written unless all layers fit
    const Index wrong = ops::first_nonfinite<T>(x);
    require(wrong < 0, "data_driven_: row ", wrong / x.cols(), " of x is not finite");
    const auto run = [&](Index l) { return parts.workspace.forward(model, x, l, l + 1, model.training); };
    const auto buffers = parts.model.parameters.state().subspan(model.parameters.grads().size());
    const std::vector<T> before(buffers.begin(), buffers.end());
    for (Index l = first; l < last; ++l) {
        const auto& values = model.parameters.values_of(l);
        if (const auto* linear = std::get_if<Linear>(&model.structure[l].layer)) {
            Rng rng(seed, Stream::init, static_cast<std::uint64_t>(l));
            initialize_transposed(values[0], Initializer::normal, {}, rng);
            MatrixView<T> bias = linear->bias ? values[1] : values[0];
            if (linear->bias) bias.set_zero();
            fit_to<T>(values[0], linear->bias ? &bias : nullptr, run(l), rng);
        }
        x.rebind(run(l));
    }
    std::ranges::copy(before, buffers.begin());
}

template void detail::initialize_from<float>(NetworkParts<float>&, MatrixView<const float>, std::uint64_t,
                                             Index, Index);
template void detail::initialize_from<double>(NetworkParts<double>&, MatrixView<const double>, std::uint64_t,
                                              Index, Index);

}  // namespace cmlp::inline v0_1
