// Layers beside Linear and the activations: gradients by differences, buffers, residuals, files, what is refused.
#include <cmlp/files/serialize.hpp>
#include <cmlp/network/gradcheck.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace {

using namespace cmlp;

Matrix<double> random_rows(Index rows, Index cols, std::uint64_t seed) {
    Matrix<double> x(rows, cols);
    Rng rng(seed, Stream::user);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < cols; ++j) x(i, j) = rng.normal();
    return x;
}

// One row a kind, for six columns.
std::vector<std::vector<Layer>> kinds() {
    Linear ntk{6, 4};
    ntk.parametrization = Parametrization::ntk;
    return {{LogSoftmax{}},
            {LayerNorm{6}},
            {LayerNorm{6, 0.1, true, false}},
            {LayerNorm{6, 0.1, false}},
            {RMSNorm{6}},
            {RMSNorm{6, 0.2, false}},
            {BatchNorm1d{6}},
            {BatchNorm1d{6, 1e-5, -1, false}},
            {BatchNorm1d{6, 1e-5, 0.1, true, false}},
            {BatchNorm1d{6, 1e-5, 0.1, true, true, false}},
            {PReLU{}},
            {PReLU{6, 0.5}},
            {RReLU{}},
            {AlphaDropout{0.3}},
            {Gated{}},
            {Flatten{}},
            {Scale{6}},
            {ntk},
            {ParametricActivation{6, activation("tanh")}},
            {PeriodicEmbedding{6, 5, 3}},
            {PiecewiseLinearEmbedding{{{-1, 0.5}, {-2, 0, 2}, {0, 1}, {-9, 9}, {-0.5, 0.1, 3}, {1, 2}}, 3}},
            {PeriodicEmbedding{6, 5, 3, 0.1, {0, 4}}},
            {PiecewiseLinearEmbedding{{{-1, 0.5}, {-2, 0, 2}}, 3, {2, 5}}},
            {BatchEnsemble{3, 4, 2, false, EnsembleInit::normal}},
            {BatchEnsemble{6, 4, 3, true, EnsembleInit::signs}},
            {ResidualBegin{}, LayerNorm{6}, Linear{6, 6}, ResidualEnd{}},
            {ResidualBegin{}, ResidualBegin{}, Scale{6}, ResidualEnd{}, Linear{6, 6}, ResidualEnd{}},
            {EnsembleBegin{}, Linear{6, 4}, EnsembleNext{0.5}, BatchNorm1d{6}, Linear{6, 4}, EnsembleEnd{-2}},
            {EnsembleBegin{}, ResidualBegin{}, Scale{6}, ResidualEnd{}, EnsembleNext{}, EnsembleBegin{},
             Dropout{}, EnsembleEnd{3}, EnsembleEnd{}},
            {ResidualBegin{}, EnsembleBegin{}, LayerNorm{6}, EnsembleEnd{0.25}, ResidualEnd{}}};
}

TEST_CASE("every layer's gradients agree with differences, in both modes") {
    for (const auto& layers : kinds()) {
        Network<double> net(layers, 1);
        const Matrix<double> x = random_rows(5, 6, 2);
        const Matrix<double> t = random_rows(5, net.output_width(6, 0, net.layer_count()), 3);
        for (const bool training : {true, false}) {
            net.set_training(training);
            CAPTURE(type_name(layers[0]));
            CAPTURE(training);
            for (const auto& row : gradcheck(net, {x.view(), {t.view(), {}}, {}}, Loss(LossKind::mse)))
                CHECK_MESSAGE(row.relative_error < 1e-7, row.name);
        }
    }
}

TEST_CASE("a file keeps every layer, its parameters and its buffers") {
    for (const auto& layers : kinds()) {
        Network<double> net(layers, 1);
        const Matrix<double> x = random_rows(7, 6, 2);
        net.forward(x);
        const auto other = std::get<Network<double>>(from_bytes(to_bytes(net)));
        REQUIRE(other.state().size() == net.state().size());
        CHECK(std::equal(net.state().begin(), net.state().end(), other.state().begin()));
        const Index width = net.output_width(6, 0, net.layer_count());
        Matrix<double> y(7, width), z(7, width);
        net.predict_into(x, y);
        other.predict_into(x, z);
        CHECK((y - z).cwise_abs().max_coeff() == 0);
    }
}

TEST_CASE("buffers lie behind the parameters and outside what optimizers see") {
    Network<float> net({BatchNorm1d{3}, Linear{3, 2}});
    CHECK(net.parameters().size() == 4);
    CHECK(net.buffers().size() == 3);
    CHECK(net.parameter_count() == 6 + 8);
    CHECK(net.values().size() == net.grads().size());
    CHECK(net.values().data() == net.state().data());
    CHECK(net.state().size() > net.values().size());
    for (const auto& b : net.buffers()) CHECK(b.offset >= Index(net.values().size()));
}

TEST_CASE(
    "a list of layers contains activations by their own names, in spite of functions of the same name") {
    const Network<float> net(
        {Linear{4, 3}, relu, Linear{3, 2}, leaky_relu({{"negative_slope", 0.5}}), cmlp::tanh});
    CHECK(std::get<ActivationLayer>(net.layers()[1].layer).kind == Activation::relu);
    CHECK(std::get<ActivationLayer>(net.layers()[3].layer).parameters == std::vector<double>{0.5});
    CHECK(std::get<ActivationLayer>(net.layers()[4].layer).kind == Activation::tanh);
    CHECK(tanh(0.0) == 0);
    CHECK_THROWS_AS(relu({{"negative_slope", 0.5}}), std::invalid_argument);
}

TEST_CASE("linear layers drawn by the data give outputs of deviation 1") {
    Network<double> net({Linear{6, 5}, relu, ResidualBegin{}, Linear{5, 5}, ResidualEnd{}}, 1);
    const Matrix<double> x = random_rows(50, 6, 2);
    net.initialize_from(x, 3, 0, net.layer_count());
    net.forward(x);
    for (const Index at : {0, 3}) {
        const auto z = net.outputs(at, at + 1)[1];
        for (Index j = 0; j < z.cols(); ++j) {
            const double mean = z.col(j).mean();
            CHECK((z.col(j) - mean).squared_norm() / 50 == doctest::Approx(1));
            CHECK(z.col(j).min_coeff() < 0);
            CHECK(z.col(j).max_coeff() > 0);
        }
    }
    CHECK_THROWS_WITH_AS(net.initialize_from(Matrix<double>(0, 6), 3, 0, net.layer_count()),
                         "data_driven_: x has no rows", std::invalid_argument);
    CHECK_THROWS_AS(net.initialize_from(x, 3, 0, 4), std::invalid_argument);
}

TEST_CASE("what does not fit is refused") {
    using Layers = std::vector<Layer>;
    CHECK_THROWS_WITH_AS(Network<float>(Layers{ResidualBegin{}, Linear{2, 2}}),
                         "Network: a residual does not end", std::invalid_argument);
    CHECK_THROWS_AS(Network<float>(Layers{Linear{2, 2}, ResidualEnd{}}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(Network<float>(Layers{ResidualBegin{}, Linear{2, 3}, ResidualEnd{}}),
                         "Residual: its layers turn 2 columns into 3, the sum needs the same",
                         std::invalid_argument);
    CHECK_THROWS_AS((void)Network<float>(Layers{Gated{}, Linear{3, 1}}).output_width(5, 0, 2),
                    std::invalid_argument);
    CHECK(Network<float>(Layers{Gated{}, Linear{3, 1}}).input_width() == 6);
    Network<float> net({ResidualBegin{}, Linear{2, 2}, ResidualEnd{}});
    const Matrix<float> x(3, 2);
    CHECK_THROWS_WITH_AS(net.forward(x, 0, 2), "forward: layers 0 to 2 are only a part of a residual",
                         std::invalid_argument);
}

}  // namespace
