// Each kind of layer on its own: what it says about itself, forward, backward, and what it refuses.
#include "layers/call.hpp"

#include <doctest/doctest.h>

#include <array>

#include "matrix_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// A layer with numbers for its parameters, gradients and the memory of one call.
template <class T>
struct Bench {
    Layer layer;
    std::vector<Matrix<T>> values, grads;
    std::vector<MatrixView<T>> value_views, grad_views;
    Matrix<T> scratch, kept, y, dx;
    bool training = false, accumulate = false;

    explicit Bench(Layer l) : layer(std::move(l)) {
        for (const ParameterSpec& spec : parameter_specs(layer)) {
            values.push_back(numbers<T>(spec.rows, spec.cols, int(values.size()) + 10));
            grads.push_back(numbers<T>(spec.rows, spec.cols, int(grads.size()) + 20));
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            value_views.push_back(values[i].view());
            grad_views.push_back(grads[i].view());
        }
    }
    LayerCall<T> call() { return {value_views, grad_views, &scratch, training, accumulate, {17, 4}, &kept}; }
    MatrixView<const T> forward(MatrixView<const T> x) { return cmlp::forward<T>(layer, call(), x, y); }
    MatrixView<const T> backward(MatrixView<const T> x, MatrixView<const T> out, MatrixView<const T> dy,
                                 bool input = true) {
        return cmlp::backward<T>(layer, call(), x, out, dy, input ? &dx : nullptr);
    }
};

}  // namespace

TEST_CASE("layers: kinds by name") {
    for (const char* type : {"Linear", "Activation", "Softmax", "Dropout"})
        CHECK(type_name(make_layer(type)) == type);
    CHECK(message([] {
              return make_layer("Lineal");
          }).starts_with("unknown layer 'Lineal'; choose from Linear, Activation, Softmax, Dropout"));
    CHECK(type_name(activation("relu")) == "Activation");
    CHECK(activation("leaky_relu", {{"negative_slope", 0.2}}).parameters == std::vector<double>{0.2});
    CHECK(message([] { activation("leaky_relu", {{"slope", 0.2}}); }) ==
          "activation 'leaky_relu' has no parameter 'slope'; it takes: negative_slope");
}

TEST_CASE("layers: parameters, widths and impossible sizes") {
    const auto specs = parameter_specs(Linear{3, 5});
    REQUIRE(specs.size() == 2);
    CHECK(specs[0].name == "weight");
    CHECK(specs[0].rows == 3);
    CHECK(specs[0].cols == 5);
    CHECK(specs[0].transposed);
    CHECK_FALSE(specs[0].vector);
    CHECK(specs[1].name == "bias");
    CHECK(specs[1].rows == 1);
    CHECK(specs[1].cols == 5);
    CHECK(specs[1].vector);
    CHECK(parameter_specs(Linear{3, 5, false}).size() == 1);
    CHECK(parameter_specs(Softmax{}).empty());
    CHECK(message([] { return parameter_specs(Linear{0, 5}); }) ==
          "Linear: in_features is 0, out_features is 5, both must be at least 1");
    CHECK(message([] { return parameter_specs(Linear{3, -1}); }) ==
          "Linear: in_features is 3, out_features is -1, both must be at least 1");

    CHECK(output_width(Linear{3, 5}, 3, "0") == 5);
    CHECK(output_width(Softmax{}, 7, "0") == 7);
    CHECK(input_width(Linear{3, 5}) == 3);
    CHECK(input_width(activation("relu")) == 0);
    CHECK(message([] { return output_width(Linear{3, 5}, 4, "head.2"); }) ==
          "Linear.forward: x has 4 columns, the layer 'head.2' expects 3");
    for (const char* p : {"1.5", "-0.25"})
        CHECK(message([&] { return output_width(Dropout{std::stod(p)}, 4, "1"); }) ==
              "Dropout: p of layer '1' is " + std::string(p) + ", it must be in [0, 1]");
    CHECK(message([] { return output_width(Dropout{NAN}, 4, "1"); }) ==
          "Dropout: p of layer '1' is nan, it must be in [0, 1]");
}

TEST_CASE_TEMPLATE("layers: Linear forwards and backwards, with and without bias, set and added", T, float,
                   double) {
    for (const bool bias : {false, true})
        for (const bool accumulate : {false, true}) {
            Bench<T> bench(Linear{6, 9, bias});
            bench.accumulate = accumulate;
            const Matrix<T> x = numbers<T>(14, 6, 1), dy = numbers<T>(14, 9, 2);
            const Grid w = grid_of(bench.values[0]), b = bias ? grid_of(bench.values[1]) : grid(1, 9);
            Grid y = product(grid_of(x), w), dw = product(transposed(grid_of(x)), grid_of(dy));
            for (auto& row : y)
                for (std::size_t j = 0; j < 9; ++j) row[j] += b[0][j];
            Grid db = product(Grid(1, Line(14, 1)), grid_of(dy));
            if (accumulate) {
                const Grid before = grid_of(bench.grads[0]);
                dw = made(6, 9, [&](auto i, auto j) { return dw[i][j] + before[i][j]; });
                if (bias)
                    db = made(1, 9, [&](auto i, auto j) { return db[i][j] + grid_of(bench.grads[1])[i][j]; });
            }
            CHECK(difference(bench.forward(x), y) < tolerance<T>);
            CHECK(difference(bench.backward(x, bench.y.view(), dy), product(grid_of(dy), transposed(w))) <
                  tolerance<T>);
            CHECK(difference(bench.grads[0], dw) < tolerance<T>);
            if (bias) CHECK(difference(bench.grads[1], db) < tolerance<T>);
            CHECK(bench.backward(x, bench.y.view(), dy, false).empty());
        }
}

TEST_CASE_TEMPLATE("layers: activations, each with other parameters than the default", T, float, double) {
    for (std::size_t a = 0; a < rows<Activation>().size(); ++a) {
        const auto kind = static_cast<Activation>(a);
        Settings settings;
        for (const ParameterRow& p : parameters(kind)) settings[p.name] = 0.25 * double(1 + settings.size());
        const ActivationLayer layer = activation(name(kind), settings);
        Bench<T> bench(layer);
        const Matrix<T> x = numbers<T>(5, 18, 3), dy = numbers<T>(5, 18, 4);
        const Grid z = grid_of(x), d = grid_of(dy);
        CAPTURE(std::string(name(kind)));
        const MatrixView<const T> y = bench.forward(x);
        CHECK(difference(y, made(5, 18, [&](auto i, auto j) {
                             return activate(kind, z[i][j], layer.parameters).value;
                         })) < tolerance<T>);
        CHECK(difference(bench.backward(x, y, dy), made(5, 18, [&](auto i, auto j) {
                             return d[i][j] * activate(kind, z[i][j], layer.parameters).slope;
                         })) < tolerance<T>);
        CHECK(bench.backward(x, y, dy, false).empty());
    }
}

TEST_CASE_TEMPLATE("layers: Softmax has rows of sum 1 and a gradient of sum 0", T, float, double) {
    Bench<T> bench(Softmax{});
    const Matrix<T> x = numbers<T>(8, 13, 3), dy = numbers<T>(8, 13, 4);
    const MatrixView<const T> y = bench.forward(x);
    const MatrixView<const T> dx = bench.backward(x, y, dy);
    for (Index i = 0; i < 8; ++i) {
        double sum = 0, slope = 0;
        for (Index j = 0; j < 13; ++j) sum += double(y(i, j)), slope += double(dx(i, j));
        CHECK(sum == doctest::Approx(1).epsilon(tolerance<T>));
        CHECK(std::abs(slope) < tolerance<T>);
    }
}

TEST_CASE_TEMPLATE("layers: Dropout keeps the mean in training and is not there otherwise", T, float,
                   double) {
    Bench<T> bench(Dropout{0.25});
    Matrix<T> x(300, 100), dy(300, 100);
    x.fill(1), dy.fill(2);
    CHECK(bench.forward(x).data() == x.data());
    CHECK(bench.backward(x, x, dy).data() == dy.data());
    bench.training = true;
    const MatrixView<const T> y = bench.forward(x), dx = bench.backward(x, y, dy);
    Index dropped = 0, wrong = 0;
    for (Index i = 0; i < 300; ++i)
        for (Index j = 0; j < 100; ++j) {
            dropped += y(i, j) == 0;
            wrong += y(i, j) != 0 && y(i, j) != T(1 / 0.75);
            wrong += dx(i, j) != 2 * y(i, j);
        }
    CHECK(wrong == 0);
    CHECK(std::abs(double(dropped) / 30000 - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 30000));
    bench.layer = Dropout{0};
    CHECK(bench.forward(x).data() == x.data());
    bench.layer = Dropout{1};
    CHECK(difference(bench.forward(x), grid(300, 100)) == 0);
}

TEST_CASE_TEMPLATE("layers: identity hands its input through", T, float, double) {
    Bench<T> bench(ActivationLayer{});
    const Matrix<T> x = numbers<T>(3, 4, 1);
    CHECK(bench.forward(x).data() == x.data());
    CHECK(bench.backward(x, x, x).data() == x.data());
}
