// Networks: copies, modes, random numbers, what is refused, passes of different batches, and which thread may
// change a network.
#include <cmlp/network/gradcheck.hpp>
#include <cmlp/network/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

template <class T>
bool same_values(const Network<T>& a, const Network<T>& b) {
    return a.values().size() == b.values().size() &&
           first_difference(a.values().data(), b.values().data(), std::ssize(a.values())) == -1;
}

Network<float> small() { return Network<float>({Linear{3, 40}, activation("tanh"), Linear{40, 2}}, 0); }

}  // namespace

TEST_CASE("network: copies are deep, conversions round") {
    Network<double> net({Linear{3, 4}, Dropout{0.5}, Linear{4, 2}}, 5);
    net.set_pass_count(9);
    net.set_training(false);
    net.metadata["note"] = "text";
    Network<double> copy(net);
    CHECK(same_values(net, copy));
    CHECK(copy.pass_count() == 9);
    CHECK(copy.seed() == 5);
    CHECK_FALSE(copy.training());
    CHECK(copy.metadata == net.metadata);
    copy.parameters()[0].value(0, 0) += 1;
    CHECK_FALSE(same_values(net, copy));

    const Network<float> narrow(net);
    CHECK(narrow.seed() == 5);
    CHECK(narrow.pass_count() == 9);
    for (std::size_t p = 0; p < 4; ++p)
        for (Index i = 0; i < net.parameters()[p].value.rows(); ++i)
            for (Index j = 0; j < net.parameters()[p].value.cols(); ++j)
                CHECK(narrow.parameters()[p].value(i, j) == float(net.parameters()[p].value(i, j)));
    CHECK(same_values(Network<float>(Network<double>(narrow)), narrow));
}

TEST_CASE("network: the seed decides the parameters, each layer has its own stream") {
    const std::vector<Layer> layers = {Linear{5, 5}, activation("relu"), Linear{5, 5}};
    Network<float> a(layers, 1), b(layers, 1), c(layers, 2);
    CHECK(same_values(a, b));
    CHECK_FALSE(same_values(a, c));
    CHECK(a.parameters()[0].value(0, 0) != a.parameters()[2].value(0, 0));
    c.reset_parameters(1);
    CHECK(same_values(a, c));
    CHECK(c.seed() == 1);
    const Network<float> blank({{"0", Linear{5, 5}}}, 3, false);
    for (const float v : blank.values()) CHECK(v == 0);
}

TEST_CASE_TEMPLATE("network: dropout draws new masks in every training pass, which depend on the step", T,
                   float, double) {
    Network<T> net({Dropout{0.5}, Dropout{0.5}}, 4);
    Matrix<T> x(20, 30);
    x.fill(1);
    const Matrix<T> first = net.forward(x), between = net.outputs(0, 2)[1], second = net.forward(x);
    const auto zeros = [](const Matrix<T>& m) {
        Index count = 0;
        for (Index i = 0; i < m.rows(); ++i)
            for (Index j = 0; j < m.cols(); ++j) count += m(i, j) == 0;
        return count;
    };
    CHECK(zeros(first - second) < 600 - 100);
    CHECK(zeros(first) > zeros(between) + 50);  // the second layer's mask is another one
    CHECK(net.pass_count() == 2);
    const Matrix<T> dx = net.backward(x);
    CHECK(zeros(dx - second) == 600);  // backward draws the same mask again
    net.set_pass_count(0);
    CHECK(zeros(Matrix<T>(net.forward(x)) - first) == 600);
    net.set_training(false);
    CHECK(net.forward(x).data() == x.data());
    CHECK(net.pass_count() == 1);
}

TEST_CASE("network: what is refused") {
    CHECK(message([] { Network<float>(std::vector<Layer>{}); }) == "Network: there are no layers");
    CHECK(message([] { Network<float>({Linear{3, 4}, activation("relu"), Linear{5, 2}}); }) ==
          "Linear.forward: x has 4 columns, the layer '2' expects 5");
    Network<float> net = small();
    Matrix<float> x(5, 3), wrong(5, 4), y(5, 2), dy(5, 2);
    CHECK(message([&] { net.backward(dy); }) == "backward: there is no forward pass to go back from");
    CHECK(message([&] { net.forward(wrong); }) == "Linear.forward: x has 4 columns, the layer '0' expects 3");
    CHECK(message([&] { net.forward(x.top_rows(0)); }) == "forward: x has no rows");
    net.forward(x);
    CHECK(message([&] { net.backward(dy.top_rows(4)); }) == "backward: dy is 4x2, the last output 5x2");
    CHECK(message([&] { net.backward(dy.left_cols(1)); }) == "backward: dy is 5x1, the last output 5x2");
    CHECK(message([&] { net.predict_into(wrong, y); }) ==
          "Linear.forward: x has 4 columns, the layer '0' expects 3");
    CHECK(message([&] { net.predict_into(x, y.top_rows(4)); }) ==
          "predict_into: y is 4x2, the output is 5x2");
    CHECK(message([&] { net.predict_into(x, dy.left_cols(1)); }) ==
          "predict_into: y is 5x1, the output is 5x2");
    net.predict_into(x.top_rows(0), y.top_rows(0));
    net.forget();
    CHECK(message([&] { net.backward(dy); }) == "backward: there is no forward pass to go back from");
}

TEST_CASE("network: backward rejects passes of different batches, and never reads freed memory") {
    Matrix<float> five(5, 3), many(700, 3), dy(5, 2), wide(700, 4);
    five.fill(1), many.fill(1), dy.fill(1), wide.fill(1);
    Network<float> net = small();
    net.forward(five);
    net.forward(many, 0, 1);  // the layers behind it hold another batch
    CHECK_THROWS_AS(net.backward(dy), std::invalid_argument);

    Network<float> late({activation("relu"), Linear{3, 2}}, 0);
    late.forward(five);
    CHECK_THROWS_AS(late.forward(wide), std::invalid_argument);
    try {
        late.backward(dy);  // refused, or the gradient of the pass before
        CHECK(late.parameters()[1].grad(0, 0) == 5);
    } catch (const std::invalid_argument&) {
    }

    Network<double> checked({Linear{3, 2}}, 0);
    Matrix<double> target(5, 2), slope(5, 2), x(5, 3);
    gradcheck(checked, {x.view(), {target.view(), {}}, {}}, Loss(LossKind::mse));
    CHECK_THROWS_AS(checked.backward(slope), std::invalid_argument);
}

TEST_CASE("network: ranges of layers that are not there are refused") {
    Network<float> net = small();
    Matrix<float> x(5, 3), y(5, 2), dy(5, 2);
    CHECK_THROWS_AS(net.forward(x, 0, 4), std::invalid_argument);
    CHECK_THROWS_AS(net.forward(x, -1, 3), std::invalid_argument);
    CHECK_THROWS_AS(net.forward(x, 2, 1), std::invalid_argument);
    CHECK_THROWS_AS(net.predict_into(x, y, 0, 4), std::invalid_argument);
    CHECK_THROWS_AS(net.predict_into(x, y, -1, 3), std::invalid_argument);
    net.forward(x);
    CHECK_THROWS_AS(net.backward(dy, -1, 3), std::invalid_argument);
    CHECK_THROWS_AS(net.backward(dy, 0, 4), std::invalid_argument);
}

TEST_CASE("network: keep copies the input, so that backward does not need the caller's") {
    Network<float> net = small();
    Matrix<float> dy(5, 2);
    dy.fill(1);
    auto x = std::make_unique<Matrix<float>>(numbers<float>(5, 3, 1));
    net.forward(*x);
    net.backward(dy, 0, 3, false);
    const std::vector<float> expected(net.grads().begin(), net.grads().end());
    net.forward(net.keep(*x));
    x.reset();
    net.backward(dy, 0, 3, false);
    CHECK(first_difference(expected.data(), net.grads().data(), std::ssize(expected)) == -1);
}

TEST_CASE("network: one thread at a time may change it") {
    Network<float> net = small();
    const auto elsewhere = [&] {
        return std::async(std::launch::async,
                          [&]() -> std::string {
                              try {
                                  const Network<float>::Exclusive mine(net, "fit");
                                  return "";
                              } catch (const std::runtime_error& error) {
                                  return error.what();
                              }
                          })
            .get();
    };
    {
        const Network<float>::Exclusive outer(net, "fit");
        CHECK(elsewhere() == "fit: another thread is training this network");
        {
            const Network<float>::Exclusive inner(net, "step");  // by its own callbacks
            CHECK(elsewhere() != "");
        }
        CHECK(elsewhere() != "");  // the inner one does not let go of it
        const Network<float> copy(net);
        Matrix<float> x(2, 3), y(2, 2);
        net.predict_into(x, y);
    }
    CHECK(elsewhere() == "");
    try {
        const Network<float>::Exclusive mine(net, "fit");
        throw 1;
    } catch (int) {
    }
    CHECK(elsewhere() == "");
}

TEST_CASE("network: set_layer changes settings, not kinds or sizes") {
    Network<float> net({Linear{3, 4}, activation("leaky_relu"), Dropout{0.5}}, 3);
    const Matrix<float> x{{-1.0F, 2.0F, -3.0F}};
    const Matrix<float> before = net.predict(x);
    net.set_layer(1, activation("leaky_relu", {{"negative_slope", 0.5}}));
    net.set_layer(2, Dropout{0.25});
    const Matrix<float> after = net.predict(x);
    for (Index j = 0; j < 4; ++j) {
        const float expected = before(0, j) < 0 ? before(0, j) * 50 : before(0, j);
        CHECK(after(0, j) == doctest::Approx(expected).epsilon(1e-5));
    }
    CHECK(std::get<Dropout>(net.layers()[2].layer).p == 0.25);
    const Network<float> copy(net);
    CHECK(copy.predict(x)(0, 0) == after(0, 0));
    CHECK_THROWS_AS(net.set_layer(0, Linear{3, 5}), std::invalid_argument);
    CHECK_THROWS_AS(net.set_layer(1, Dropout{0.25}), std::invalid_argument);
    CHECK_THROWS_AS(net.set_layer(1, activation("identity")), std::invalid_argument);
    CHECK_THROWS_AS(net.set_layer(3, Dropout{0.25}), std::invalid_argument);
}

TEST_CASE_TEMPLATE(
    "network: set_layer to another parametrization and back, whether the network is a chain or not", T, float,
    double) {
    const auto layers = [](Parametrization first) {
        return std::vector<NamedLayer>{
            {"0", Linear{.in_features = 4, .out_features = 3, .parametrization = first}},
            {"1", activation("relu")},
            {"2", Linear{3, 2}}};
    };
    const Matrix<T> x = numbers<T>(5, 4, 1);
    Network<T> net(layers(Parametrization::standard), 3), other(layers(Parametrization::ntk), 3);
    other = Network<T>(net);
    for (const auto parametrization :
         {Parametrization::ntk, Parametrization::standard, Parametrization::ntk}) {
        Network<T> expected(layers(parametrization), 3);
        std::ranges::copy(net.values(), expected.values().begin());
        net.set_layer(0, layers(parametrization)[0].layer);
        const Matrix<T> y = net.predict(x), wanted = expected.predict(x);
        CHECK(first_difference(y.data(), wanted.data(), y.size()) == -1);
        other = net;  // in place: its chain follows
        const Matrix<T> copied = other.predict(x);
        CHECK(first_difference(copied.data(), wanted.data(), y.size()) == -1);
    }
}

TEST_CASE("network: backward needs a forward pass with the layer's settings") {
    Network<double> net({Linear{4, 3}, activation("relu"), Linear{3, 2}}, 3);
    const Matrix<double> x = numbers<double>(5, 4, 1), dy(5, 2);
    (void)net.forward(x);
    net.set_layer(0, Linear{.in_features = 4, .out_features = 3, .parametrization = Parametrization::ntk});
    CHECK(message([&] { (void)net.backward(dy); }) == "backward: there is no forward pass to go back from");
    (void)net.forward(x);
    CHECK_NOTHROW((void)net.backward(dy));
}

TEST_CASE("network: set_layer changes no width") {
    const std::vector<Layer> narrow{BatchEnsemble{4, 4, 3, false}, BatchEnsemble{4, 2, 3, false}};
    const std::vector<std::pair<std::vector<Layer>, Layer>> refused{
        {narrow, BatchEnsemble{4, 4, 3, true}},
        {{Embedding{5, 2, -1, {0}}, Linear{4, 1}}, Embedding{5, 2, -1, {0, 1}}},
        {{Embedding{5, 2, -1, {0}}, Linear{4, 1}}, Embedding{5, 2}},
        {{Linear{2, 3}, Embedding{5, 2, -1, {0}}, Linear{4, 1}}, Linear{2, 4}},
    };
    for (const auto& [layers, settings] : refused) {
        Network<double> net(layers, 1);
        CHECK(message([&] { net.set_layer(0, settings); }) ==
              "set_layer: layer '0' is of another kind or size");
        CHECK(net.layers()[0].layer.index() == layers[0].index());
    }
    Network<double> after({Linear{2, 3}, Embedding{5, 2, -1, {0}}, Linear{4, 1}}, 1);
    CHECK(message([&] { after.set_layer(1, Embedding{5, 2, -1, {7}}); }) ==
          "Embedding.forward: x has 3 columns, the layer '1' reads column 7");
    Network<double> moved({Embedding{5, 2, -1, {0}}, Linear{3, 1}}, 1);
    moved.set_layer(0, Embedding{5, 2, -1, {1}});
    const Matrix<double> x{{0.5, 3}};
    CHECK(moved.predict(x).size() == 1);
}
