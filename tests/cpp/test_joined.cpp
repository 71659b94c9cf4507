// Layers that are computed in one walk over the rows have the bits of the layers one by one, on any threads.
#include <cmlp/network/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

Linear ntk(Index in, Index out) {
    Linear layer{in, out};
    layer.parametrization = Parametrization::ntk;
    return layer;
}

std::vector<std::vector<Layer>> stacks() {
    const ParametricActivation mish{70, activation("mish")}, tanh{70, activation("tanh")};
    return {{Linear{9, 70}, relu, Dropout{0.3}, Linear{70, 5}},
            {Linear{9, 70}, Dropout{0.3}, cmlp::tanh, Linear{70, 5}},
            {Dropout{0.3}, Linear{9, 70}, Dropout{0.5}, ntk(70, 5), cmlp::tanh, Dropout{0.1}},
            {ntk(9, 70), mish, Dropout{0.3}, ntk(70, 70), tanh, Linear{70, 5}},
            {mish.activation, Dropout{0.2}, Linear{9, 70}, mish, Scale{70}, Dropout{0.1}, Linear{70, 5}},
            {Linear{9, 70}, relu, Dropout{0}, Linear{70, 5}, Dropout{1}}};
}

/// Output, gradient of the input and all others, of passes through `at_once` layers each.
template <class T>
std::vector<T> passes(const std::vector<Layer>& layers, Index at_once, Index rows) {
    Network<T> net(layers, 3);
    const std::uint64_t step = net.pass_count();
    std::vector<Matrix<T>> outputs;
    outputs.reserve(layers.size() + 1);
    outputs.push_back(numbers<T>(rows, net.input_width() > 0 ? net.input_width() : 9, 1));
    for (Index l = 0; l < net.layer_count(); l += at_once) {
        net.set_pass_count(step);
        outputs.emplace_back(net.forward(outputs.back(), l, l + at_once));
    }
    Matrix<T> gradient = numbers<T>(rows, outputs.back().cols(), 2);
    for (Index l = net.layer_count(); l > 0; l -= at_once)
        gradient = Matrix<T>(net.backward(gradient, l - at_once, l));
    std::vector<T> all(net.grads().begin(), net.grads().end());
    for (const Matrix<T>* m : {&outputs.back(), &gradient})
        for (Index i = 0; i < rows; ++i) all.insert(all.end(), &(*m)(i, 0), &(*m)(i, 0) + m->cols());
    return all;
}

template <class T>
bool same_numbers(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && first_difference(a.data(), b.data(), std::ssize(a)) < 0;
}

}  // namespace

TEST_CASE_TEMPLATE("joined layers have the bits of the layers one by one, on any threads", T, float, double) {
    const RuntimeScope scope;
    for (size_t i = 0; i < stacks().size(); ++i)
        for (const Index rows : {3, 300, 3000}) {
            CAPTURE(i);
            CAPTURE(rows);
            const std::vector<Layer> layers = stacks()[i];
            set_num_threads(1);
            const std::vector<T> alone = passes<T>(layers, 1, rows);
            for (const int threads : {1, 3}) {
                set_num_threads(threads);
                CHECK(same_numbers(passes<T>(layers, std::ssize(layers), rows), alone));
            }
        }
}

TEST_CASE_TEMPLATE("joined layers predict as they compute in evaluation mode", T, float, double) {
    for (const std::vector<Layer>& layers : stacks()) {
        Network<T> net(layers, 3);
        net.set_training(false);
        const Matrix<T> x = numbers<T>(300, net.input_width() > 0 ? net.input_width() : 9, 1);
        const Matrix<T> expected(net.forward(x));
        const Matrix<T> y = net.predict(x);
        for (Index r = 0; r < x.rows(); ++r) CHECK(first_difference(&y(r, 0), &expected(r, 0), y.cols()) < 0);
    }
}
