// Ensembles of networks: the bits of the members one by one for any threads and instruction set, sparse input, what is
// refused.
#include <cmlp/network/network.hpp>

#include <doctest/doctest.h>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;
using Layers = std::vector<Layer>;

const std::vector<double> weights = {0.3, -1.5, 0.7};

// The last is itself an ensemble.
std::vector<Layers> members() {
    return {{Linear{6, 40}, relu, Linear{40, 3}},
            {LayerNorm{6}, Linear{6, 3}, BatchNorm1d{3}},
            {EnsembleBegin{}, Linear{6, 3}, EnsembleNext{0.5}, Gated{}, EnsembleEnd{2}}};
}

Layers joined(const std::vector<Layers>& all) {
    Layers layers{EnsembleBegin{}};
    for (size_t m = 0; m < all.size(); ++m) {
        layers.insert(layers.end(), all[m].begin(), all[m].end());
        if (m + 1 < all.size())
            layers.push_back(EnsembleNext{weights[m]});
        else
            layers.push_back(EnsembleEnd{weights[m]});
    }
    return layers;
}

template <class T>
void copy_members(Network<T>& ensemble, const std::vector<Network<T>>& singles) {
    size_t at = 0;
    for (const auto& single : singles)
        for (const auto& p : single.parameters()) ensemble.parameters()[at++].value.assign(p.value);
}

template <class T>
std::vector<Network<T>> singles(bool training) {
    std::vector<Network<T>> all;
    for (const Layers& layers : members()) {
        all.emplace_back(layers, all.size() + 1);
        all.back().set_training(training);
    }
    return all;
}

template <class T>
bool same_bits(MatrixView<const T> a, MatrixView<const T> b) {
    for (Index i = 0; i < a.rows(); ++i)
        if (first_difference(a.row(i).data(), b.row(i).data(), a.cols()) >= 0) return false;
    return a.rows() == b.rows();
}

}  // namespace

TEST_CASE_TEMPLATE("ensemble: passes have the bits of the members one by one", T, float, double) {
    const RuntimeScope scope;
    const Matrix<T> x = numbers<T>(400, 6, 1), dy = numbers<T>(400, 3, 2);
    for (const bool training : {true, false}) {
        auto all = singles<T>(training);
        Network<T> net(joined(members()));
        net.set_training(training);
        copy_members(net, all);
        Matrix<T> y(400, 3), dx(400, 6);
        for (size_t m = 0; m < all.size(); ++m) {
            const T w = T(weights[m]);
            y.view().assign(m == 0 ? Matrix<T>(all[m].forward(x) * w) : Matrix<T>(y + all[m].forward(x) * w));
            const auto back = all[m].backward(Matrix<T>(dy * w).view());
            dx.view().assign(m == 0 ? Matrix<T>(back) : Matrix<T>(dx + back));
        }
        for (const std::string_view isa : isas())
            for (const int threads : {1, 3}) {
                set_isa(isa), set_num_threads(threads);
                net.zero_grad();
                CHECK(same_bits<T>(net.forward(x), y));
                CHECK(same_bits<T>(net.backward(dy), dx));
                size_t at = 0;
                for (const auto& single : all)
                    for (const auto& p : single.parameters())
                        CHECK(same_bits<T>(net.parameters()[at++].grad, p.grad));
                if (!training) CHECK(same_bits<T>(net.predict(x), y));
            }
    }
}

TEST_CASE_TEMPLATE("ensemble: gradients of parameters do not depend on whether that of the input is wanted",
                   T, float, double) {
    Network<T> net(joined(members()), 1);
    const Matrix<T> x = numbers<T>(30, 6, 1), dy = numbers<T>(30, 3, 2);
    net.forward(x);
    net.backward(dy);
    const std::vector<T> grads(net.grads().begin(), net.grads().end());
    CHECK(net.backward(dy, 0, net.layer_count(), false, false).empty());
    CHECK(std::equal(grads.begin(), grads.end(), net.grads().begin()));
}

TEST_CASE("ensemble: brackets that do not match and members that do not fit are refused") {
    const auto refusal = [](Layers layers) { return message([&] { Network<float>(std::move(layers)); }); };
    CHECK(refusal({EnsembleBegin{}, Linear{2, 2}}) == "Network: an ensemble does not end");
    CHECK(refusal({Linear{2, 2}, EnsembleNext{}}) ==
          "Network: layer '1' is of an ensemble that did not begin");
    CHECK(refusal({ResidualBegin{}, Linear{2, 2}, EnsembleEnd{}}) ==
          "Network: layer '2' is of an ensemble that did not begin");
    CHECK(refusal({EnsembleBegin{}, Linear{2, 2}, ResidualEnd{}}) ==
          "Network: layer '2' is of a residual that did not begin");
    CHECK(refusal({EnsembleBegin{}, relu, EnsembleNext{}, EnsembleEnd{}}) ==
          "Ensemble: member 1 has no layers");
    CHECK(refusal({EnsembleBegin{}, relu, EnsembleNext{NAN}, relu, EnsembleEnd{}}) ==
          "Ensemble: a weight is nan, it must be finite");
    CHECK(refusal({EnsembleBegin{}, Linear{2, 3}, EnsembleNext{}, Linear{4, 3}, EnsembleEnd{}}) ==
          "Ensemble: member 1 takes 4 columns, member 0 takes 2; all members get the same input");
    CHECK(refusal({EnsembleBegin{}, Linear{2, 3}, EnsembleNext{}, Linear{2, 4}, EnsembleEnd{}}) ==
          "Ensemble: member 1 turns 2 columns into 4, member 0 into 3; the sum needs the same");
    CHECK(refusal(Layers(200'000, EnsembleBegin{})) ==
          "Network: layer '100' begins an ensemble within 100 others, these are too many");
    Network<float> net(joined(members()));
    const Matrix<float> x(3, 6);
    CHECK(message([&] { net.forward(x, 0, 4); }) == "forward: layers 0 to 4 are only a part of an ensemble");
    CHECK(message([&] { net.forward(x, 3, 8); }) == "forward: layers 3 to 8 are only a part of an ensemble");
    CHECK(net.forward(x, 1, 4).cols() == 3);
}

TEST_CASE("ensemble: the weight of a member can be set") {
    Network<double> net({EnsembleBegin{}, relu, EnsembleNext{1}, cmlp::tanh, EnsembleEnd{0}});
    const Matrix<double> x = numbers<double>(4, 3, 1);
    const Matrix<double> before = net.predict(x);
    net.set_layer(2, EnsembleNext{2});
    CHECK(same_bits<double>(net.predict(x), Matrix<double>(before * 2.0)));
    CHECK_THROWS_AS(net.set_layer(2, EnsembleNext{INFINITY}), std::invalid_argument);
}
