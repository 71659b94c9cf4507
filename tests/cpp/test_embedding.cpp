// What a C++ program may rely on: networks that move and are assigned, what does not compile, names beside <cmath>.
#include <cmlp/cmlp.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <thread>

#include "matrix_helpers.hpp"

using namespace cmlp;
using namespace cmlp::test;

namespace {

using N = Network<float>;

static_assert(std::is_nothrow_move_constructible_v<N> && std::is_nothrow_move_assignable_v<N>);
static_assert(std::is_copy_constructible_v<N> && std::is_copy_assignable_v<N>);
static_assert(std::is_constructible_v<N, std::vector<Layer>, int> &&
              !std::is_constructible_v<N, std::vector<Layer>, bool>);

// A bool is no seed, wherever one is taken.
static_assert(std::is_convertible_v<int, Seed> && std::is_convertible_v<std::uint64_t, Seed> &&
              !std::is_convertible_v<bool, Seed> && !std::is_constructible_v<Seed, bool>);
static_assert(std::is_constructible_v<Rng, int, Stream> && !std::is_constructible_v<Rng, bool, Stream>);
static_assert(std::is_same_v<decltype(FitOptions::seed), Seed> &&
              std::is_same_v<decltype(PerceptronOptions::seed), Seed>);
template <class S>
concept Draws = requires(N& net, S seed, MatrixView<const float> x, std::vector<Index>& order) {
    net.reset_parameters(seed);
    net.initialize_from(x, seed, 0, 1);
    permutation(3, seed, 0);
    permute(order, seed, 0);
    random_key(seed, Stream::user);
    mixup_pairs(3, 0.5, seed, 0);
};
static_assert(Draws<int> && !Draws<bool>);

template <class X>
concept Forwards = requires(N& net, X&& x) { net.forward(std::forward<X>(x)); };
static_assert(Forwards<Matrix<float>&> && Forwards<MatrixView<float>> && !Forwards<Matrix<float>>);
static_assert(!std::is_constructible_v<Input<float>, Matrix<float>>);
static_assert(!std::is_constructible_v<Input<float>, const Matrix<float>>);
static_assert(!std::is_constructible_v<Target<float>, Matrix<float>>);
static_assert(std::is_constructible_v<Borrowed<float>, std::vector<float>&>);
static_assert(!std::is_constructible_v<Borrowed<float>, std::vector<float>>);

template <class X>
concept HasTargets = requires(X&& x) { targets(std::forward<X>(x)); };
static_assert(HasTargets<Matrix<float>&> && HasTargets<const std::vector<double>&> &&
              !HasTargets<Matrix<float>>);

// Through a const network nothing can be written.
static_assert(
    std::is_same_v<decltype(std::declval<const N&>().parameters()[0].value), const MatrixView<const float>> ||
    std::is_same_v<decltype(std::declval<const N&>().parameters()[0].value), MatrixView<const float>>);

std::vector<Layer> layers() { return {Linear{4, 8}, cmlp::tanh, Dropout{0.9}, Linear{8, 2}}; }

bool same(const Matrix<float>& a, const Matrix<float>& b) {
    return (a - b).eval().view().cwise_abs().sum() == 0;
}

}  // namespace

TEST_CASE("embedding: functions of <cmath> do not conflict with activations of their names") {
    CHECK(tanh(0.5) == std::tanh(0.5));
    CHECK(std::get<ActivationLayer>(N(layers()).layers()[1].layer).kind == Activation::tanh);
}

TEST_CASE("embedding: what looks at a network stays valid when it moves") {
    N net(layers(), 3);
    const auto before = net.values();
    Optimizer<float> adam(OptimizerKind::adam, net);
    Predictor<float> predictor(net);
    const Matrix<float> x = numbers<float>(5, 4, 1);
    const Matrix<float> expected = net.predict(x);
    std::vector<N> many;
    {
        const N::Exclusive only(net, "test");
        many.push_back(std::move(net));
    }
    CHECK(many[0].values().data() == before.data());
    CHECK(adam.is_over(many[0].values()));
    CHECK(same(predictor.predict(x), expected));
    CHECK(message([&] { (void)net.predict(x); }) == "Network: it has been moved from");
    std::optional<N> maybe;
    maybe = std::move(many[0]);
    CHECK(same(maybe->predict(x), expected));
}

TEST_CASE("embedding: copies and conversions keep what decides the output") {
    N net(layers(), 1);
    net.set_dropout(0.25);
    net.set_precision(Precision::bf16);
    net.metadata["note"] = "text";
    const N copy(net);
    CHECK(copy.dropout() == 0.25);
    CHECK(copy.precision() == Precision::bf16);
    CHECK(Network<double>(net).dropout() == 0.25);
    N other(layers(), 2);
    const Optimizer<float> adam(OptimizerKind::adam, other);
    other = net;  // of the same layers: in place
    CHECK(adam.is_over(other.values()));
    CHECK(other.dropout() == 0.25);
    CHECK(other.metadata == net.metadata);
    const Matrix<float> x = numbers<float>(7, 4, 1);
    CHECK(same(other.predict(x), net.predict(x)));
    N small({Linear{1, 1}});
    small = net;
    CHECK(same(small.predict(x), net.predict(x)));
}

TEST_CASE("embedding: prediction of matrices, expressions and single rows") {
    const N net(layers(), 1);
    Predictor<float> predictor(net);
    const Matrix<float> x = numbers<float>(6, 4, 1);
    Matrix<float> y(6, 2);
    net.predict_into(x, y);
    CHECK(same(net.predict(x), y));
    CHECK(same(net.predict(Matrix<float>(x)), y));
    CHECK(same(net.predict(x * 2.0f), predictor.predict(x + x)));
    const std::vector<float> row(x.data(), x.data() + 4);
    std::vector<float> out(2);
    net.predict_into(row, out);
    CHECK(out == std::vector<float>{y(0, 0), y(0, 1)});
    predictor.reserve(1);
    predictor.predict_into(row, out);
    CHECK(out == std::vector<float>{y(0, 0), y(0, 1)});
    CHECK(same(net.predict(row), y.top_rows(1)));
}

TEST_CASE("embedding: input and output that share elements are refused, interleaved ones are not") {
    for (const Index width : {8, 100}) {
        const N net({Linear{width, width}}, 1);
        Matrix<float> a(11, 2 * width);
        a.left_cols(width).assign(numbers<float>(11, width, 1));
        const Matrix<float> x(a.left_cols(width)), expected = net.predict(x);
        const char* refusal = "predict_into: x and y share memory, y needs memory of its own";
        CHECK(message([&] { net.predict_into(a.left_cols(width), a.left_cols(width)); }) == refusal);
        CHECK(message([&] {
                  net.predict_into(a.left_cols(width).top_rows(10), a.left_cols(width).bottom_rows(10));
              }) == refusal);
        CHECK(message([&] { net.predict_into(a.left_cols(width), a.middle_cols(width - 1, width)); }) ==
              refusal);
        net.predict_into(a.left_cols(width), a.right_cols(width));
        CHECK(same(a.right_cols(width), expected));
    }
}

TEST_CASE("embedding: views without memory or with rows that overlap are refused") {
    float numbers[12] = {};
    CHECK(message([] { MatrixView<float>(nullptr, 2, 3); }) == "MatrixView: a matrix 2x3 without memory");
    CHECK(message([&] { MatrixView<float>(numbers, 2, 3, 2); }) ==
          "MatrixView: rows of 3 columns are 2 elements apart, they must be at least 3");
    CHECK(message([&] { MatrixView<float>(numbers, -1, 3); }) == "MatrixView: there is no shape -1x3");
    CHECK(MatrixView<float>(nullptr, 0, 3).empty());
    CHECK(message([] { N({Linear{2, 2}, ActivationLayer(Activation::relu, {1, 2, 3, 4, 5})}); }) ==
          "activation 'relu' has 0 parameters, the layer 5");
}
