// Networks: their buffers and names, forward and backward against plain loops, ranges of layers, prediction, ownership.
#include <cmlp/network/network.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

std::vector<Layer> three_layers() {
    return {Linear{6, 20}, activation("tanh"), Linear{20, 33, false}, activation("gelu"), Linear{33, 4}};
}

// What the layers of three_layers() give, each layer's output in turn, and the gradients, by the chain rule.
struct Expected {
    std::vector<Grid> out;    // the input, then each output
    std::vector<Grid> grads;  // one a parameter
    Grid dx;

    template <class T>
    Expected(const Network<T>& net, const Matrix<T>& x, const Matrix<T>& dy) {
        out.push_back(grid_of(x));
        std::size_t next = 0;
        for (const auto& [name, layer] : net.layers()) out.push_back(forward(net, layer, next));
        dx = grid_of(dy);
        for (std::size_t l = net.layers().size(); l-- > 0;) backward(net, net.layers()[l].layer, l, next);
        std::reverse(grads.begin(), grads.end());
    }

    template <class T>
    Grid forward(const Network<T>& net, const Layer& layer, std::size_t& next) {
        Grid y = out.back();
        if (const auto* act = std::get_if<ActivationLayer>(&layer)) {
            for (Line& row : y)
                for (double& v : row) v = activate(act->kind, v, act->parameters).value;
            return y;
        }
        y = product(y, grid_of(net.parameters()[next++].value));
        if (!std::get<Linear>(layer).bias) return y;
        const Grid b = grid_of(net.parameters()[next++].value);
        return made(y.size(), y[0].size(), [&](auto i, auto j) { return y[i][j] + b[0][j]; });
    }
    template <class T>
    void backward(const Network<T>& net, const Layer& layer, std::size_t l, std::size_t& next) {
        const Grid& in = out[l];
        if (const auto* act = std::get_if<ActivationLayer>(&layer)) {
            dx = made(in.size(), in[0].size(), [&](auto i, auto j) {
                return dx[i][j] * activate(act->kind, in[i][j], act->parameters).slope;
            });
            return;
        }
        if (std::get<Linear>(layer).bias) grads.push_back(product(Grid(1, Line(in.size(), 1)), dx)), --next;
        grads.push_back(product(transposed(in), dx));
        dx = product(dx, transposed(grid_of(net.parameters()[--next].value)));
    }
};

template <class T>
bool same_elements(MatrixView<const T> a, MatrixView<const T> b) {
    if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
    for (Index i = 0; i < a.rows(); ++i)
        if (first_difference(a.row(i).data(), b.row(i).data(), a.cols()) >= 0) return false;
    return true;
}

}  // namespace

TEST_CASE_TEMPLATE("network: parameters lie in flat buffers, on cache lines, named after their layers", T,
                   float, double) {
    Network<T> net(three_layers(), 7);
    const char* names[] = {"0.weight", "0.bias", "2.weight", "4.weight", "4.bias"};
    REQUIRE(net.parameters().size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        const Parameter<T>& p = net.parameters()[i];
        CHECK(p.name == names[i]);
        CHECK(reinterpret_cast<std::uintptr_t>(p.value.data()) % 64 == 0);
        CHECK(p.value.data() == net.values().data() + p.offset);
        CHECK(p.grad.data() == net.grads().data() + p.offset);
        CHECK(p.value.row_stride() == padded_stride<T>(p.value.cols()));
    }
    CHECK(net.parameter_count() == 6 * 20 + 20 + 20 * 33 + 33 * 4 + 4);
    CHECK(net.layer_count() == 5);
    CHECK(net.input_width() == 6);
    CHECK(net.output_width(6, 0, 5) == 4);
    double in_parameters = 0, in_buffer = 0;  // padding is 0
    for (const auto& p : net.parameters()) in_parameters += p.value.cwise_abs().template cast<double>().sum();
    for (const T v : net.values()) in_buffer += std::abs(double(v));
    CHECK(in_buffer == doctest::Approx(in_parameters));
    const Network<T> named({{"encoder.0", Linear{2, 3}}, {"", Linear{3, 1}}});
    CHECK(named.parameters()[0].name == "encoder.0.weight");
    CHECK(named.parameters()[2].name == "weight");
}

TEST_CASE_TEMPLATE("network: forward, every output between, backward and all gradients", T, float, double) {
    Network<T> net(three_layers(), 1);
    const Matrix<T> x = numbers<T>(29, 6, 1), dy = numbers<T>(29, 4, 2);
    const Expected expected(net, x, dy);
    CHECK(difference(net.forward(x), expected.out.back()) < tolerance<T>);
    const auto outputs = net.outputs(0, net.layer_count());
    REQUIRE(outputs.size() == 6);
    for (std::size_t l = 0; l < 6; ++l) CHECK(difference(outputs[l], expected.out[l]) < tolerance<T>);
    CHECK(difference(net.output(), expected.out.back()) < tolerance<T>);

    net.zero_grad();
    CHECK(difference(net.backward(dy), expected.dx) < 4 * tolerance<T>);
    for (std::size_t p = 0; p < 5; ++p)
        CHECK(difference(net.parameters()[p].grad, expected.grads[p]) < 4 * tolerance<T>);
    const std::vector<T> once(net.grads().begin(), net.grads().end());
    net.backward(dy);  // adds
    for (std::size_t i = 0; i < once.size(); ++i) CHECK(net.grads()[i] == 2 * once[i]);
    CHECK(net.backward(dy, 0, 5, false, false).empty());  // sets, without the input's gradient
    CHECK(first_difference(once.data(), net.grads().data(), std::ssize(once)) == -1);
    CHECK(net.pass_count() == 1);
}

TEST_CASE_TEMPLATE("network: ranges of layers one after the other are the complete network", T, float,
                   double) {
    Network<T> complete(three_layers(), 1), parts(three_layers(), 1);
    const Matrix<T> x = numbers<T>(300, 6, 1), dy = numbers<T>(300, 4, 2);
    complete.zero_grad(), parts.zero_grad();
    complete.forward(x);
    const Matrix<T> dx = complete.backward(dy);
    const MatrixView<const T> a = parts.forward(x, 0, 2), b = parts.forward(a, 2, 3),
                              c = parts.forward(b, 3, 5);
    CHECK(same_elements<T>(c, complete.output()));
    const MatrixView<const T> dc = parts.backward(dy, 3, 5), db = parts.backward(dc, 2, 3);
    CHECK(same_elements<T>(parts.backward(db, 0, 2), dx));
    CHECK(first_difference(complete.grads().data(), parts.grads().data(), std::ssize(complete.grads())) ==
          -1);
    Matrix<T> y(300, 33);
    parts.predict_into(x, y, 0, 3);
    CHECK(same_elements<T>(y, b));
}

TEST_CASE_TEMPLATE("network: predictions do not depend on the batch they are in", T, float, double) {
    const Network<T> net(three_layers(), 3);
    const Matrix<T> x = numbers<T>(2500, 6, 1);
    Matrix<T> y(2500, 4);
    net.predict_into(x, y);
    for (const Index size : {1, 7, 1023, 1025}) {
        Matrix<T> part(2500, 4);
        for (Index r = 0; r < 2500; r += size) {
            const Index n = std::min(size, 2500 - r);
            net.predict_into(x.middle_rows(r, n), part.middle_rows(r, n));
        }
        CHECK(same_elements<T>(part, y));
    }
    Matrix<T> wide(2500, 40), out(2502, 9);
    wide.middle_cols(5, 6).assign(x);
    net.predict_into(wide.middle_cols(5, 6), out.block(1, 3, 2500, 4));
    CHECK(same_elements<T>(out.block(1, 3, 2500, 4), y));
    CHECK(out.row(0).cwise_abs().sum() + out.left_cols(3).cwise_abs().sum() +
              out.right_cols(2).cwise_abs().sum() ==
          0);
    Network<T> forward(net);
    forward.set_training(false);
    CHECK(same_elements<T>(forward.forward(x), y));
    CHECK(forward.pass_count() == 0);
}

TEST_CASE_TEMPLATE("network: many threads predict with one network", T, float, double) {
    const RuntimeScope scope;
    set_num_threads(2);
    const Network<T> net({Linear{20, 300}, activation("relu"), Dropout{0.5}, Linear{300, 10}, Softmax{}}, 3);
    const Matrix<T> x = numbers<T>(600, 20, 1);
    Matrix<T> expected(600, 10);
    net.predict_into(x, expected);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
        threads.emplace_back([&, t] {
            Matrix<T> y(600, 10);
            for (int i = 0; i < 10; ++i) {
                const Index first = (t * 37 + i * 11) % 300, n = 300 - i;
                net.predict_into(x.middle_rows(first, n), y.top_rows(n));
                wrong += !same_elements<T>(y.top_rows(n), expected.middle_rows(first, n));
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}
