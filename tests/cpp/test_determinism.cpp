// The same bits for any number of threads and every instruction set: training runs of random configurations.
#include <doctest/doctest.h>

#include <sstream>

#include "runtime/team.hpp"
#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// What one run is made of, drawn from a number.
struct Configuration {
    std::vector<Layer> layers;
    LossKind loss;
    OptimizerKind optimizer;
    Index batch, in, out, targets, rows;  // `out` columns of predictions, `targets` of targets
    bool clip, weighted, more;

    // `large`: enough work that several threads take part.
    explicit Configuration(std::uint64_t number, bool large) {
        Rng rng(number, Stream::user, large);
        const auto pick = [&](Index low, Index high) { return low + rng.below(high - low + 1); };
        const auto any = [&](auto list) { return pick(0, std::ssize(list) - 1); };
        const Index widest = large ? 120 : 60;
        loss = static_cast<LossKind>(any(cmlp::rows<LossKind>()));
        optimizer = static_cast<OptimizerKind>(any(cmlp::rows<OptimizerKind>()));
        in = pick(1, widest), targets = pick(1, 20);
        out = targets * (output_kind(loss) == OutputKind::moments ? 2 : 1);
        batch = large ? pick(130, 300) : pick(1, 80);
        rows = batch + pick(1, batch);
        clip = pick(0, 1), weighted = pick(0, 1);
        Index width = in;
        for (Index depth = pick(0, 2); depth >= 0; --depth) {
            const Index next = large ? pick(64, widest) : pick(1, widest);
            layers.push_back(Linear{width, next, pick(0, 3) > 0});
            layers.push_back(
                activation(cmlp::rows<Activation>()[std::size_t(any(cmlp::rows<Activation>()))].name));
            if (pick(0, 2) == 0) layers.push_back(Dropout{0.25});
            if (pick(0, 4) == 0) layers.push_back(Softmax{});
            width = next;
        }
        layers.push_back(Linear{width, out});
        more = pick(0, 2) == 0;
        if (output_kind(loss) == OutputKind::probability) layers.push_back(activation("sigmoid"));
    }
    std::string text() const {
        std::ostringstream text;
        for (const Layer& layer : layers) text << type_name(layer) << " ";
        text << name(loss) << " " << name(optimizer) << " batch " << batch << " in " << in << " out " << out;
        return text.str();
    }
};

// Weights, losses and predictions after two epochs.
template <class T>
std::vector<T> trained(const Configuration& c) {
    Network<T> net(c.layers, 7);
    Optimizer<T> optimizer(c.optimizer, net, {{"lr", 0.01}});
    Matrix<T> x(c.rows, c.in), y(c.rows, c.out), t(c.rows, c.targets);
    Rng rng(1, Stream::user);
    for (Index i = 0; i < c.rows; ++i) {
        for (Index j = 0; j < c.in; ++j) x(i, j) = T(rng.normal());
        for (Index j = 0; j < c.targets; ++j) {
            const double drawn = rng.uniform();
            t(i, j) = T(target_range(c.loss) != TargetRange::sign ? drawn : drawn < 0.5 ? -1 : 1);
        }
    }
    std::vector<T> weight;
    for (Index i = 0; i < c.rows && c.weighted; ++i) weight.push_back(T(rng.uniform()));
    FitReport report;
    FitOptions options{.epochs = 2, .batch_size = c.batch};
    options.step.clip_grad_norm = c.clip ? 0.5 : 0.0;
    if (c.more) {
        options.step.l1 = 1e-3, options.step.l2 = 0.01, options.step.max_norm = 1.5;
        options.accumulate_steps = 2, options.mixup = 0.4, options.input_noise = 0.1;
    }
    fit(net, {x, {t, {}}, weight}, Loss(c.loss), optimizer, options, report);
    net.predict_into(x, y);
    std::vector<T> all(net.values().begin(), net.values().end());
    for (const EpochRecord& record : report.epochs) all.push_back(T(record.loss));
    for (Index i = 0; i < c.rows; ++i) all.insert(all.end(), &y(i, 0), &y(i, 0) + c.out);
    return all;
}

// "" when each instruction set gives the same with each number of threads.
template <class T>
std::string difference_of(const Configuration& c, const std::vector<int>& threads) {
    const RuntimeScope scope;
    std::vector<T> expected;
    for (const std::string& isa : isas())
        for (const int count : threads) {
            set_isa(isa);
            std::vector<T> got;
            auto run = [&] { got = trained<T>(c); };
            run_with_team(count, [](void* f) { (*static_cast<decltype(run)*>(f))(); }, &run);
            if (expected.empty()) expected = got;
            if (got.size() != expected.size() ||
                first_difference(got.data(), expected.data(), std::ssize(got)) >= 0)
                return isa + " with " + std::to_string(count) + " threads: " + c.text();
        }
    return "";
}

}  // namespace

TEST_CASE_TEMPLATE("determinism: sixty small runs give the same bits on every instruction set", T, float,
                   double) {
    for (std::uint64_t number = 0; number < 60; ++number)
        CHECK(difference_of<T>(Configuration(number, false), {1, 3}) == "");
}

TEST_CASE_TEMPLATE("determinism: large runs give the same bits with 1 to 4 threads", T, float, double) {
    for (std::uint64_t number = 0; number < 6; ++number)
        CHECK(difference_of<T>(Configuration(number, true), {1, 2, 3, 4}) == "");
}

TEST_CASE_TEMPLATE("determinism: a run twice is the same run, another seed is another", T, float, double) {
    const Configuration c(3, false);
    CHECK(trained<T>(c) == trained<T>(c));
}
