// Backpropagation against central differences: every activation with every loss; and that the check sees errors.
#include <cmlp/network/gradcheck.hpp>

#include <doctest/doctest.h>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

constexpr Index batch = 9, classes = 4;

struct Problem {
    Matrix<double> x = numbers<double>(batch, 5, 3), dense{batch, classes};
    std::vector<std::int64_t> label;
    std::vector<double> weight;

    explicit Problem(OutputKind output, bool weighted) {
        for (Index i = 0; i < batch; ++i) {
            label.push_back(i % classes);
            if (weighted) weight.push_back(0.5 + double(i % 3));
            for (Index j = 0; j < classes; ++j)
                dense(i, j) = output == OutputKind::class_logits ? (1 + double((i * j + j) % 3)) / 8
                                                                 : (0.03 + double((i + j) % 5)) / 5;
        }
    }
    void make_signs() {
        for (Index i = 0; i < batch; ++i)
            for (Index j = 0; j < classes; ++j) dense(i, j) = dense(i, j) < 0.4 ? -1 : 1;
    }
    Data<double> data(bool labels) const {
        return {x, labels ? Target<double>{{}, label} : Target<double>{dense, {}}, weight};
    }
};

// Two hidden layers, and a last layer with probabilities if the loss needs them.
Network<double> network_for(Activation kind, OutputKind output, bool bias, bool dropout) {
    const ActivationLayer hidden = activation(name(kind));
    std::vector<Layer> layers = {Linear{5, 11, bias}, hidden};
    if (dropout) layers.push_back(Dropout{0.3});
    layers.push_back(Linear{11, 8, bias});
    layers.push_back(hidden);
    layers.push_back(Linear{8, classes, bias});
    if (output == OutputKind::probability) layers.push_back(activation("sigmoid"));
    return Network<double>(layers, 11);
}

double worst(const std::vector<GradcheckRow>& table) {
    double largest = 0;
    for (const GradcheckRow& row : table) largest = std::max(largest, row.relative_error);
    return largest;
}

}  // namespace

TEST_CASE("gradcheck: every activation with every loss, reduction, bias and dropout") {
    for (std::size_t a = 0; a < rows<Activation>().size(); ++a)
        for (std::size_t l = 0; l < rows<LossKind>().size(); ++l)
            for (const bool variant : {false, true}) {
                const auto kind = static_cast<LossKind>(l);
                const OutputKind output = output_kind(kind);
                if (output == OutputKind::moments) continue;  // of half as many targets
                Network<double> net = network_for(static_cast<Activation>(a), output, !variant, variant);
                Problem problem(output, variant);
                if (target_range(kind) == TargetRange::sign) problem.make_signs();
                const Loss loss(kind, {}, variant ? Reduction::sum : Reduction::mean);
                CAPTURE(std::string(rows<Activation>()[a].name));
                CAPTURE(std::string(name(kind)));
                CHECK(worst(gradcheck(net, problem.data(false), loss)) < 1e-7);
                if (output == OutputKind::class_logits)
                    CHECK(worst(gradcheck(net, problem.data(true), loss)) < 1e-7);
            }
}

TEST_CASE("gradcheck: softmax as a layer, class weights, smoothing, reduction none") {
    const Problem problem(OutputKind::class_logits, true);
    Network<double> soft({Linear{5, classes}, Softmax{}, Linear{classes, classes}}, 2);
    CHECK(worst(gradcheck(soft, problem.data(false), Loss(LossKind::mse))) < 1e-7);
    const Loss smooth(LossKind::cross_entropy, {{"label_smoothing", 0.2}}, Reduction::none, {1, 2, 0.5, 0});
    for (const bool labels : {false, true})
        CHECK(worst(gradcheck(soft, problem.data(labels), smooth)) < 1e-7);
}

TEST_CASE("gradcheck: a row for each parameter and the input; the network is left as it was") {
    Network<double> net = network_for(Activation::tanh, OutputKind::value, true, true);
    const std::vector<double> values(net.values().begin(), net.values().end());
    net.set_pass_count(5);
    const Problem problem(OutputKind::value, false);
    const auto table = gradcheck(net, problem.data(false), Loss(LossKind::mse));
    REQUIRE(table.size() == 7);
    CHECK(table[0].name == "0.weight");
    CHECK(table[0].checked == 55);
    CHECK(table[5].name == "5.bias");
    CHECK(table[6].name == "input");
    CHECK(table[6].checked == 45);
    CHECK(table[6].largest > 0);
    CHECK(net.pass_count() == 5);
    CHECK(net.training());
    CHECK(first_difference(values.data(), net.values().data(), std::ssize(values)) == -1);
}

TEST_CASE("gradcheck: a step too large shows, and bad data are refused") {
    Network<double> net({Linear{1, 1, false}, activation("tanh")}, 0);
    net.parameters()[0].value(0, 0) = 1;
    Matrix<double> x{{0.5}}, t{{1.0}};
    CHECK(worst(gradcheck(net, {x, {t, {}}, {}}, Loss(LossKind::mse), 1.0)) > 0.01);
    x(0, 0) = NAN;
    CHECK(message([&] { gradcheck(net, {x, {t, {}}, {}}, Loss(LossKind::mse)); }) ==
          "gradcheck: x has nan at row 0, column 0");
}

TEST_CASE("gradcheck: kinks and jumps are counted and left out") {
    for (const char* kind : {"relu", "step"}) {
        CAPTURE(std::string(kind));
        Network<double> net({Linear{1, 1, true, Initializer::ones}, activation(kind)}, 0);
        const Matrix<double> x{{0.0}}, y{{1.0}};
        const auto rows = gradcheck(net, {x, {y, {}}, {}}, Loss(LossKind::mse));
        CHECK(rows[1].kinks == 1);  // the bias
        CHECK(rows[2].kinks == 1);  // the input
        CHECK(worst(rows) < 1e-7);
    }
}
