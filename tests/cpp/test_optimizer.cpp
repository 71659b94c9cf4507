// Update rules against their formulas, twenty steps; groups, segments, memory and what is refused.
#include <cmlp/network/network.hpp>
#include <cmlp/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

// One weight and what the rule remembers of it.
struct Weight {
    double w = 0, first = 0, second = 0;
};

namespace rule {

double of(const Settings& s, const char* name) { return s.find(name)->second; }

void sgd(Weight& p, double g, int step, const Settings& s) {
    g = (of(s, "maximize") ? -g : g) + of(s, "weight_decay") * p.w;
    if (const double momentum = of(s, "momentum"); momentum != 0) {
        const double lr = of(s, "lr"), inside = of(s, "velocity_mode") ? lr : 1;
        p.first = step == 1 ? inside * g : momentum * p.first + inside * (1 - of(s, "dampening")) * g;
        const double velocity = lr / inside * p.first;
        p.w -= of(s, "nesterov") ? lr * g + momentum * velocity : velocity;
        return;
    }
    p.w -= of(s, "lr") * g;
}

void adam_step(Weight& p, double g, int step, const Settings& s) {
    const double beta1 = of(s, "beta1"), beta2 = of(s, "beta2"), eps = of(s, "eps");
    p.first = beta1 * p.first + (1 - beta1) * g;
    p.second = beta2 * p.second + (1 - beta2) * g * g;
    const double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
    if (of(s, "eps_mode") == 0)
        p.w -= of(s, "lr") * (p.first / correction1) / (std::sqrt(p.second / correction2) + eps);
    else
        p.w -= of(s, "lr") * std::sqrt(correction2) / correction1 * p.first / (std::sqrt(p.second) + eps);
}

void adam(Weight& p, double g, int step, const Settings& s) {
    adam_step(p, (of(s, "maximize") ? -g : g) + of(s, "weight_decay") * p.w, step, s);
}

void adamw(Weight& p, double g, int step, const Settings& s) {
    p.w *= 1 - of(s, "lr") * of(s, "weight_decay");
    adam_step(p, of(s, "maximize") ? -g : g, step, s);
}

}  // namespace rule

using Rule = void (*)(Weight&, double, int, const Settings&);
constexpr Rule rules[] = {rule::sgd, rule::adam, rule::adamw};  // the first rows; the Python tests hold all

// Largest error of 37 weights over 20 steps with gradients that change sign.
template <class T>
double worst_error(OptimizerKind kind, const Settings& settings) {
    std::vector<T> w(37), g(37);
    fill(w.data(), 37, 1);
    std::vector<Weight> expected(37);
    for (std::size_t i = 0; i < 37; ++i) expected[i].w = double(w[i]);
    Optimizer<T> optimizer(kind, {{{{w, g}}, resolve(kind, settings)}});
    const Settings all = named_settings(kind, resolve(kind, settings));
    double worst = 0;
    for (int step = 1; step <= 20; ++step) {
        fill(g.data(), 37, std::uint64_t(step + 1));
        optimizer.step();
        for (std::size_t i = 0; i < 37; ++i) {
            rules[static_cast<int>(kind)](expected[i], double(g[i]), step, all);
            worst = std::max(worst, std::abs(double(w[i]) - expected[i].w) / (1 + std::abs(expected[i].w)));
        }
    }
    CHECK(optimizer.steps() == 20);
    return worst;
}

const std::vector<Settings> variants = {
    {},
    {{"lr", 0.1}},
    {{"lr", 0.1}, {"weight_decay", 0.2}},
    {{"lr", 0.1}, {"maximize", 1}, {"weight_decay", 0.1}},
    {{"lr", 0.05}, {"momentum", 0.9}},
    {{"lr", 0.05}, {"momentum", 0.9}, {"dampening", 0.5}},
    {{"lr", 0.05}, {"momentum", 0.9}, {"nesterov", 1}, {"weight_decay", 0.1}},
    {{"lr", 0.05}, {"momentum", 0.5}, {"maximize", 1}},
    {{"lr", 0.05}, {"velocity_mode", 1}},
    {{"lr", 0.05}, {"momentum", 0.9}, {"dampening", 0.5}, {"velocity_mode", 1}},
    {{"lr", 0.05}, {"momentum", 0.9}, {"nesterov", 1}, {"velocity_mode", 1}},
    {{"lr", 0.1}, {"beta1", 0.5}, {"beta2", 0.9}},
    {{"lr", 0.1}, {"beta1", 0}, {"beta2", 0}},
    {{"lr", 0.1}, {"eps", 0.5}},
    {{"lr", 0.1}, {"eps", 0.5}, {"eps_mode", 1}},
    {{"lr", 0.1}, {"eps_mode", 1}, {"weight_decay", 0.3}},
    {{"lr", 0}}};

bool takes_all(OptimizerKind kind, const Settings& settings) {
    for (const auto& [name, value] : settings) {
        bool known = false;
        for (const ParameterRow& p : parameters(kind)) known |= p.name == name;
        if (!known) return false;
    }
    return true;
}

}  // namespace

TEST_CASE_TEMPLATE("optimizer: SGD and Adam with every setting, twenty steps", T, float, double) {
    for (std::size_t o = 0; o < std::size(rules); ++o) {
        const auto kind = static_cast<OptimizerKind>(o);
        CAPTURE(std::string(name(kind)));
        for (std::size_t v = 0; v < variants.size(); ++v) {
            if (!takes_all(kind, variants[v])) continue;
            CAPTURE(v);
            CHECK(worst_error<T>(kind, variants[v]) < (sizeof(T) == 4 ? 2e-6 : 1e-14));
        }
    }
}

TEST_CASE_TEMPLATE("optimizer: groups have their own settings, segments follow one another in the state", T,
                   float, double) {
    std::vector<T> a(5, 1), b(70, 1), c(9, 1), ga(5, 1), gb(70, 2), gc(9, 4);
    const auto kind = OptimizerKind::adam;
    Optimizer<T> both(kind, {{{{a, ga}, {b, gb}}, resolve(kind, {{"lr", 0.1}})},
                             {{{c, gc}}, resolve(kind, {{"lr", 0.01}})}});
    both.step();
    for (const T v : a) CHECK(double(v) == doctest::Approx(0.9).epsilon(1e-6));
    for (const T v : b) CHECK(double(v) == doctest::Approx(0.9).epsilon(1e-6));
    for (const T v : c) CHECK(double(v) == doctest::Approx(0.99).epsilon(1e-6));
    REQUIRE(both.state().size() == 2);
    CHECK(both.state()[0].size() == 84);
    CHECK(double(both.state()[0][4]) == doctest::Approx(0.1));
    CHECK(double(both.state()[0][5]) == doctest::Approx(0.2));
    CHECK(double(both.state()[0][75]) == doctest::Approx(0.4));
    CHECK(double(both.state()[1][75]) == doctest::Approx(0.016));
    both.set_setting("lr", 0, 1);
    CHECK(both.setting("lr", 1) == 0);
    CHECK(both.setting("lr") == 0.1);
    const std::vector<T> before = c;
    both.step();
    CHECK(c == before);
    CHECK(a[0] < T(0.9));
}

TEST_CASE("optimizer: state and step count put back continue the run") {
    std::vector<double> w(20, 1), g(20), v(20), h(20);
    Optimizer<double> one(OptimizerKind::adam, {{{{w, g}}, resolve(OptimizerKind::adam)}});
    Optimizer<double> other(OptimizerKind::adam, {{{{v, h}}, resolve(OptimizerKind::adam)}});
    for (int step = 0; step < 6; ++step) {
        fill(g.data(), 20, std::uint64_t(step));
        if (step == 3) {
            v = w;
            for (std::size_t s = 0; s < 2; ++s) other.state()[s] = one.state()[s];
            other.set_steps(one.steps());
        }
        one.step();
        h = g;
        if (step >= 3) other.step();
    }
    CHECK(v == w);
}

TEST_CASE("optimizer: a group that is added later starts there, and the others continue") {
    std::vector<float> w(6, 1), g(6, 0.5f), alone(6, 1);
    const auto group = [&](std::vector<float>& values, size_t begin) {
        const auto settings = resolve(OptimizerKind::adam, {{"lr", 0.1}});
        return ParameterGroup<float>{{{std::span(values).subspan(begin, 3), std::span(g).subspan(begin, 3)}},
                                     settings};
    };
    Optimizer<float> grouped(OptimizerKind::adam, {group(w, 0)}),
        first(OptimizerKind::adam, {group(alone, 0)});
    for (int step = 0; step < 3; ++step) grouped.step(), first.step();
    grouped.add_group(group(w, 3));
    Optimizer<float> second(OptimizerKind::adam, {group(alone, 3)});
    for (int step = 0; step < 3; ++step) grouped.step(), first.step(), second.step();
    CHECK(w == alone);
    CHECK(grouped.joined(1) == 3);
    CHECK_THROWS_AS(grouped.add_group({{}, {0.1}}), std::invalid_argument);
    CHECK(grouped.groups().size() == 2);
}

TEST_CASE("optimizer: a network's padding stays 0") {
    for (std::size_t o = 0; o < rows<OptimizerKind>().size(); ++o) {
        Network<float> net({Linear{3, 17}, activation("relu"), Linear{17, 1}}, 0);
        const auto kind = static_cast<OptimizerKind>(o);
        const bool decays = takes_all(kind, {{"weight_decay", 0.1}});
        Optimizer<float> optimizer(kind, net, decays ? Settings{{"weight_decay", 0.1}} : Settings{});
        for (const auto& p : net.parameters()) p.grad.fill(1);
        for (int i = 0; i < 3; ++i) optimizer.step();
        double in_parameters = 0, in_buffer = 0;
        for (const auto& p : net.parameters()) in_parameters += double(p.value.cwise_abs().sum());
        for (const float v : net.values()) in_buffer += std::abs(double(v));
        CHECK(in_buffer == doctest::Approx(in_parameters));
        CHECK(optimizer.is_over(net.values()));
        CHECK_FALSE(optimizer.is_over(Network<float>(net).values()));
    }
}

TEST_CASE("optimizer: what is refused") {
    std::vector<float> w(3), g(3);
    const auto made = [&](const Settings& settings) {
        return message([&] {
            Optimizer<float>(OptimizerKind::sgd, {{{{w, g}}, resolve(OptimizerKind::sgd, settings)}});
        });
    };
    CHECK(made({{"lr", -1}}) == "SGD: lr is -1, it must be in [0,inf)");
    CHECK(made({{"lr", NAN}}) == "SGD: lr is nan, it must be in [0,inf)");
    CHECK(made({{"lr", INFINITY}}) == "SGD: lr is inf, it must be in [0,inf)");
    CHECK(made({{"rate", 1}}) ==
          "optimizer 'sgd' has no parameter 'rate'; it takes: lr, momentum, dampening, "
          "weight_decay, nesterov, maximize, velocity_mode");
    CHECK(message([] { Optimizer<float>(OptimizerKind::adam, std::vector<ParameterGroup<float>>{}); }) ==
          "adam: there are no parameters");
    CHECK(message([&] { Optimizer<float>(OptimizerKind::adam, {{{{w, g}}, {0.1}}}); }) ==
          "adam: a group has 1 settings, the rule takes 9");
    Optimizer<float> adam(OptimizerKind::adam, {{{{w, g}}, resolve(OptimizerKind::adam)}});
    CHECK(message([&] { adam.set_setting("beta1", 1); }) == "Adam: beta1 is 1, it must be in [0,1)");
    CHECK(message([&] {
              adam.setting("momentum");
          }).starts_with("optimizer 'adam' has no parameter 'momentum'"));
    CHECK(adam.setting("beta1") == 0.9);
}

TEST_CASE("optimizer: a step that would overflow is taken back, for every rule, weight, state and count") {
    for (std::size_t k = 0; k < rows<OptimizerKind>().size(); ++k) {
        const auto kind = static_cast<OptimizerKind>(k);
        CAPTURE(std::string(name(kind)));
        std::vector<float> w(40, 0.5f), g(40, 1.0f);
        Settings settings{{"lr", 1e38}};
        if (kind == OptimizerKind::rprop) settings = {{"lr", 1e38}, {"step_min", 1}, {"step_max", 1e38}};
        Optimizer<float> optimizer(kind, {{{{w, g}}, resolve(kind, settings)}});
        bool overflowed = false;
        for (int step = 0; step < 2000 && !overflowed; ++step) {
            const std::vector<float> before = w;
            const auto memory = optimizer.memory();
            const auto state = optimizer.state();
            const auto steps = optimizer.steps();
            overflowed = !optimizer.try_step(true);
            for (const float v : w) CHECK(std::isfinite(v));
            if (!overflowed) continue;
            CHECK(w == before);
            CHECK(optimizer.memory() == memory);
            CHECK(optimizer.steps() == steps);
            for (std::size_t s = 0; s < state.size(); ++s)
                CHECK(first_difference(state[s].data(), optimizer.state()[s].data(), 40) == -1);
        }
        CHECK(overflowed);
    }
}

TEST_CASE("optimizer: a step with a check of its numbers has the bits of one without") {
    for (const bool small : {true, false}) {
        std::vector<double> w(40, 0.5), g(40, 3.0), v = w;
        Optimizer<double> one(OptimizerKind::adam, {{{{w, g}}, resolve(OptimizerKind::adam)}});
        Optimizer<double> two(OptimizerKind::adam, {{{{v, g}}, resolve(OptimizerKind::adam)}});
        for (int step = 0; step < 40; ++step) {
            CHECK(one.try_step(small));
            two.step();
        }
        CHECK(w == v);
        CHECK(one.steps() == 40);
    }
}

TEST_CASE(
    "optimizer: a step that overflows is taken back, whatever has changed since the numbers were checked") {
    using Sgd = Optimizer<float>;
    const auto settings = resolve(OptimizerKind::sgd, {{"lr", 0.01}, {"weight_decay", 100}});
    const std::vector<float> large(40, 3e38f);  // overflows when the decay is added to its gradient
    std::vector<float> w(40), g(40, 1), v = large, h(40, 1);
    const std::pair<const char*, std::function<void(Sgd&)>> changes[] = {
        {"another group", [&](Sgd& sgd) { sgd.add_group({{{v, h}}, settings}); }},
        {"weights", [&](Sgd& sgd) { sgd.expect_other_weights(), w = large; }},
        {"steps without a check", [&](Sgd& sgd) { sgd.step(), w = large; }},
        {"the count", [&](Sgd& sgd) { sgd.set_steps(0), w = large; }},
    };
    for (const auto& [what, change] : changes) {
        CAPTURE(what);
        w.assign(40, 0.5f);
        Sgd sgd(OptimizerKind::sgd, {{{{w, g}}, settings}});
        REQUIRE(sgd.try_step(true));
        change(sgd);
        const std::vector<float> before = w;
        CHECK_FALSE(sgd.try_step(true));
        CHECK(w == before);
        CHECK(v == large);
    }
}

TEST_CASE("optimizer: the state of a rule outside its arrays continues where it was restored") {
    std::vector<double> w(9, 1), g(9, 0.5), v(9, 1), h(9, 0.5);
    Optimizer<double> one(OptimizerKind::nadam, {{{{w, g}}, resolve(OptimizerKind::nadam)}});
    Optimizer<double> other(OptimizerKind::nadam, {{{{v, h}}, resolve(OptimizerKind::nadam)}});
    one.step();
    CHECK(one.memory()[0] == doctest::Approx(0.9 * (1 - 0.5 * std::pow(0.96, 0.004))).epsilon(1e-14));
    v = w;
    for (std::size_t s = 0; s < 2; ++s) other.state()[s] = one.state()[s];
    other.memory() = one.memory();
    other.set_steps(1);
    one.step();
    other.step();
    CHECK(v == w);
}
