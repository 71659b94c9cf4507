// What the blocks of networks for tables add to a training step: one plain network, and the same with each block.
#pragma once

#include <cmlp/cmlp.hpp>

#include <string>
#include <utility>
#include <vector>

#include "elementwise.hpp"

namespace bench {

using cmlp::Layer, cmlp::Linear, cmlp::Network;

/// The blocks of a network 64-256x3-1; the plain one has none of them.
struct Blocks {
    Activation activation = Activation::relu;
    bool ntk = false, parametric = false, dropout = false, scale = false, periodic = false;
};

inline Network<T> block_network(const Blocks& blocks, Index features, Index width) {
    std::vector<Layer> layers;
    if (blocks.scale) layers.push_back(cmlp::Scale{features});
    if (blocks.periodic) layers.push_back(cmlp::PeriodicEmbedding{features, 16, 4});
    const std::vector<Index> widths = {blocks.periodic ? 4 * features : features, width, width, width, 1};
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
        Linear linear{widths[i], widths[i + 1]};
        if (blocks.ntk) linear.parametrization = cmlp::Parametrization::ntk;
        layers.push_back(linear);
        if (i + 2 == widths.size()) break;
        if (blocks.parametric)
            layers.push_back(cmlp::ParametricActivation{width, blocks.activation});
        else
            layers.push_back(cmlp::ActivationLayer(blocks.activation));
        if (blocks.dropout) layers.push_back(cmlp::Dropout{0.1});
    }
    return Network<T>(std::move(layers), 1);
}

/// Seconds of a training step with Adam and the mean squared error.
inline double block_step(Network<T>& net, const Matrix<T>& x, const Matrix<T>& y) {
    Optimizer<T> adam(OptimizerKind::adam, net);
    const Loss loss(LossKind::mse);
    LossResult<T> result;
    const cmlp::Data<T> data{x.view(), {y.view(), {}}, {}};
    return best_time([&] { cmlp::train_step<T>(net, data, loss, adam, result); });
}

/// Seconds of an embedding's passes, forward and backward, without the network behind it.
inline double embedding_passes(const Matrix<T>& x) {
    Network<T> net({cmlp::PeriodicEmbedding{x.cols(), 16, 4}}, 1);
    const Matrix<T> dy = filled(x.rows(), 4 * x.cols());
    return best_time([&] {
        (void)net.forward(x);
        (void)net.backward(dy);
    });
}

/// Each block's step, and what it adds as a share of the plain step.
inline void block_costs(Index rows, Index features, Index width) {
    Matrix<T> x = filled(rows, features);
    const Matrix<T> y = filled(rows, 1);
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j) x(i, j) -= T(0.5);
    const Activation relu = Activation::relu, mish = Activation::mish, selu = Activation::selu;
    const std::vector<std::pair<std::string, Blocks>> cases = {
        {"plain", {}},
        {"ntk", {.ntk = true}},
        {"mish", {.activation = mish}},
        {"selu", {.activation = selu}},
        {"parametric relu", {.activation = relu, .parametric = true}},
        {"parametric mish", {.activation = mish, .parametric = true}},
        {"dropout", {.dropout = true}},
        {"scale", {.scale = true}},
        {"periodic", {.periodic = true}},
        {"all but periodic", {mish, true, true, true, true, false}},
        {"all", {mish, true, true, true, true, true}}};
    std::vector<double> best(cases.size(), 1e30);
    double embedding = 1e30;
    for (int turn = 0; turn < 5; ++turn) {
        for (size_t i = 0; i < cases.size(); ++i) {
            Network<T> net = block_network(cases[i].second, features, width);
            best[i] = std::min(best[i], block_step(net, x, y));
        }
        embedding = std::min(embedding, embedding_passes(x));
    }
    const std::string shape =
        std::to_string(features) + "-" + std::to_string(width) + "x3-1," + std::to_string(rows);
    for (size_t i = 0; i < cases.size(); ++i)
        add("blocks", cases[i].first, shape, best[i] * 1e6, "us", best[i] / best[0] - 1);
    add("blocks", "embedding alone", shape, embedding * 1e6, "us", embedding / best[0]);
}

}  // namespace bench
