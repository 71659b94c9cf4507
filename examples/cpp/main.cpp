// Learns to separate two interleaved half moons, saves the network, loads it and predicts two points.
#include <cmlp/cmlp.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

struct Moons {
    cmlp::Matrix<float> x;            // (rows, 2)
    std::vector<std::int64_t> label;  // (rows)
};

Moons make_moons(cmlp::Index rows, std::uint64_t seed) {
    Moons moons{cmlp::Matrix<float>(rows, 2), std::vector<std::int64_t>(rows)};
    cmlp::Rng rng(seed, cmlp::Stream::user);
    for (cmlp::Index i = 0; i < rows; ++i) {
        const bool lower = i % 2;
        const double angle = 3.14159265 * rng.uniform();
        moons.label[i] = lower;
        moons.x(i, 0) = float((lower ? 1 - std::cos(angle) : std::cos(angle)) + 0.1 * rng.normal());
        moons.x(i, 1) = float((lower ? 0.5 - std::sin(angle) : std::sin(angle)) + 0.1 * rng.normal());
    }
    return moons;
}

int main() {
    const Moons train = make_moons(2000, 1), test = make_moons(1000, 2);

    cmlp::Network<float> net({cmlp::Linear{2, 32}, cmlp::relu, cmlp::Linear{32, 2}}, /*seed=*/0);
    cmlp::Optimizer<float> adam(cmlp::OptimizerKind::adam, net, {{"lr", 0.01}});
    const cmlp::Loss loss(cmlp::LossKind::cross_entropy);

    const cmlp::FitReport report =
        cmlp::fit(net, {train.x, cmlp::labels(train.label)}, loss, adam, {.epochs = 20, .batch_size = 64});
    for (const cmlp::EpochRecord& epoch : report.epochs)
        if (epoch.epoch % 5 == 4) std::printf("epoch %2td  loss %.4f\n", epoch.epoch + 1, epoch.loss);

    const auto scores =
        cmlp::evaluate<float>(net, {test.x, cmlp::labels(test.label)}, loss, {cmlp::MetricKind::accuracy});
    std::printf("test accuracy %.1f %% on %s\n", 100 * scores[1], cmlp::isa().c_str());

    cmlp::save(net, "moons.safetensors");
    const auto loaded = cmlp::load<float>("moons.safetensors");
    const cmlp::Matrix<float> points = {{0.0f, 1.0f}, {1.0f, -0.5f}};
    const cmlp::Matrix<float> logits = loaded.predict(points);
    for (cmlp::Index i = 0; i < 2; ++i)
        std::printf("(%g, %g) lies on moon %d\n", points(i, 0), points(i, 1), logits(i, 1) > logits(i, 0));
    return scores[1] > 0.97 ? 0 : 1;
}
