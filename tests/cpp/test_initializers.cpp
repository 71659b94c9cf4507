// How weights start: bounds and moments of every initialiser, orthogonality, seeds, precision, what "auto" chooses.
#include <cmlp/network/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using test::message;

constexpr Index outputs = 90, inputs = 160;

// Mean and standard deviation an initialiser promises for (outputs, inputs); largest possible |w|.
struct Promise {
    double mean, deviation, bound;
};

Promise uniform_within(double a) { return {0, a / std::sqrt(3), a}; }
Promise normal_with(double deviation) { return {0, deviation, INFINITY}; }

namespace promise {

Promise zeros(const Settings&) { return {0, 0, 0}; }
Promise constant(const Settings& s) { return {s.at("value"), 0, std::abs(s.at("value"))}; }
Promise normal(const Settings& s) { return {s.at("mean"), s.at("std"), INFINITY}; }
Promise uniform(const Settings& s) {
    const double low = s.at("low"), high = s.at("high");
    return {(low + high) / 2, (high - low) / std::sqrt(12), std::max(std::abs(low), std::abs(high))};
}
Promise xavier_uniform(const Settings& s) {
    return uniform_within(s.at("gain") * std::sqrt(6.0 / (inputs + outputs)));
}
Promise xavier_normal(const Settings& s) {
    return normal_with(s.at("gain") * std::sqrt(2.0 / (inputs + outputs)));
}
double fan(const Settings& s) { return double(s.at("fan_out") != 0 ? outputs : inputs); }
Promise kaiming_uniform(const Settings& s) { return uniform_within(s.at("gain") * std::sqrt(3.0 / fan(s))); }
Promise kaiming_normal(const Settings& s) { return normal_with(s.at("gain") * std::sqrt(1.0 / fan(s))); }
Promise lecun_uniform(const Settings&) { return uniform_within(std::sqrt(3.0 / inputs)); }
Promise lecun_normal(const Settings&) { return normal_with(std::sqrt(1.0 / inputs)); }
Promise orthogonal(const Settings& s) { return normal_with(s.at("gain") * std::sqrt(1.0 / inputs)); }
Promise ones(const Settings&) { return {1, 0, 1}; }
Promise eye(const Settings&) {
    const double share = std::min(inputs, outputs) / (double(inputs) * outputs);
    return {share, std::sqrt(share - share * share), 1};
}
// Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, 1994, 10.1.
Promise trunc_normal(const Settings& s) {
    const double mean = s.at("mean"), std = s.at("std"), a = s.at("a"), b = s.at("b");
    const auto density = [&](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); };
    const double low = (a - mean) / std, high = (b - mean) / std;
    const double share = (std::erf(high / std::sqrt(2)) - std::erf(low / std::sqrt(2))) / 2;
    const double shift = (density(low) - density(high)) / share;
    const double narrowed = 1 + (low * density(low) - high * density(high)) / share - shift * shift;
    const double bound = std < 1 ? INFINITY : std::max(std::abs(a), std::abs(b));
    return {mean + std * shift, std * std::sqrt(narrowed), bound};
}
Promise sparse(const Settings& s) { return normal_with(s.at("std") * std::sqrt(1 - s.at("sparsity"))); }
Promise torch(const Settings&) { return uniform_within(std::sqrt(1.0 / inputs)); }

}  // namespace promise

constexpr Promise (*promises[])(const Settings&) = {
#define CMLP_INITIALIZER(name, ...) promise::name,
#include <cmlp/lists/initializers.def>
};

bool is_drawn(Initializer kind) {
    return kind != Initializer::zeros && kind != Initializer::constant && kind != Initializer::ones &&
           kind != Initializer::eye;
}

template <class T>
Matrix<T> drawn(Index rows, Index cols, Initializer kind, const Settings& settings, std::uint64_t seed) {
    Matrix<T> w(rows, cols);
    Rng rng(seed, Stream::init);
    initialize<T>(w, kind, settings, rng);
    return w;
}

void check_promise(Initializer kind, const Settings& settings) {
    const Promise expected = promises[static_cast<int>(kind)](named_settings(kind, resolve(kind, settings)));
    const Matrix<double> w = drawn<double>(outputs, inputs, kind, settings, 3);
    const double n = double(w.size()), mean = w.view().sum() / n;
    double variance = 0, largest = 0;
    for (Index i = 0; i < outputs; ++i)
        for (Index j = 0; j < inputs; ++j) {
            variance += (w(i, j) - mean) * (w(i, j) - mean) / n;
            largest = std::max(largest, std::abs(w(i, j)));
        }
    CAPTURE(std::string(name(kind)));
    CHECK(std::abs(mean - expected.mean) <= 5 * expected.deviation / std::sqrt(n) + 1e-15);
    CHECK(std::abs(std::sqrt(variance) - expected.deviation) <=
          5 * expected.deviation / std::sqrt(n) + 1e-15);
    CHECK(largest <= expected.bound);
    if (std::isfinite(expected.bound)) CHECK(largest >= 0.99 * expected.bound);
}

}  // namespace

TEST_CASE("initializers: bounds, means and deviations are those of the list") {
    for (std::size_t i = 0; i < rows<Initializer>().size(); ++i) {
        const auto kind = static_cast<Initializer>(i);
        const Settings others = named_settings(kind, resolve(kind));
        check_promise(kind, {});
        for (const ParameterRow& p : parameters(kind))
            for (const double value : {2.5, 1.0, 0.25})
                if (p.name != "low" && p.name != "a" && p.allows(value, others))
                    check_promise(kind, {{p.name, value}});
    }
    check_promise(Initializer::uniform, {{"low", -3}, {"high", -1}});
    check_promise(Initializer::normal, {{"mean", -3}, {"std", 0}});
    check_promise(Initializer::trunc_normal, {{"a", -1}, {"b", 3}});
}

TEST_CASE_TEMPLATE("initializers: orthogonal rows, or columns where there are fewer", T, float, double) {
    for (const auto& [rows, cols] :
         {std::pair<Index, Index>{20, 50}, {50, 20}, {30, 30}, {1, 7}, {7, 1}, {1, 1}}) {
        const Matrix<T> w = drawn<T>(rows, cols, Initializer::orthogonal, {{"gain", 2}}, 5);
        Matrix<T> gram;
        if (rows <= cols)
            gram = w * w.transpose();
        else
            gram = w.transpose() * w;
        for (Index i = 0; i < gram.rows(); ++i)
            for (Index j = 0; j < gram.cols(); ++j)
                CHECK(std::abs(double(gram(i, j)) - (i == j ? 4 : 0)) < (sizeof(T) == 4 ? 3e-6 : 1e-13));
    }
}

TEST_CASE(
    "initializers: seeds decide, float32 is float64 rounded, stored weights are the shown ones transposed") {
    for (std::size_t i = 0; i < rows<Initializer>().size(); ++i) {
        const auto kind = static_cast<Initializer>(i);
        const Matrix<double> w = drawn<double>(7, 9, kind, {}, 1), again = drawn<double>(7, 9, kind, {}, 1);
        const Matrix<float> narrow = drawn<float>(7, 9, kind, {}, 1);
        Matrix<double> stored(9, 7);
        Rng rng(1, Stream::init);
        initialize_transposed<double>(stored, kind, {}, rng);
        Index wrong = 0;
        for (Index r = 0; r < 7; ++r)
            for (Index c = 0; c < 9; ++c)
                wrong += w(r, c) != again(r, c) || narrow(r, c) != float(w(r, c)) || stored(c, r) != w(r, c);
        CHECK(wrong == 0);
        const Matrix<double> other = drawn<double>(7, 9, kind, {}, 2);
        Index same = 0;
        for (Index r = 0; r < 7; ++r)
            for (Index c = 0; c < 9; ++c) same += other(r, c) == w(r, c);
        CHECK((same == 63) == !is_drawn(kind));
    }
}

TEST_CASE("initializers: auto goes by the activation that follows, dropout not counted") {
    const auto first_weights = [](std::vector<Layer> layers) {
        const Network<double> net(std::move(layers), 4);
        return Matrix<double>(net.parameters()[0].value);
    };
    for (std::size_t a = 0; a < rows<Activation>().size(); ++a) {
        const ActivationLayer act = activation(rows<Activation>()[a].name);
        const Initializer chosen = initializer_for(act.kind);
        const Matrix<double> automatic = first_weights({Linear{8, 6}, Dropout{0.2}, act, Linear{6, 2}});
        const Matrix<double> named = first_weights({Linear{8, 6, true, chosen}, act, Linear{6, 2}});
        CHECK((automatic - named).eval().view().cwise_abs().sum() == 0);
    }
    const Matrix<double> last = first_weights({Linear{8, 6}});
    CHECK((last - first_weights({Linear{8, 6, true, Initializer::xavier_uniform}}))
              .eval()
              .view()
              .cwise_abs()
              .sum() == 0);
}

TEST_CASE("initializers: biases are 0, but for torch's") {
    for (const Row& row : rows<Initializer>()) {
        const Network<double> net({Linear{16, 300, true, parse<Initializer>(row.name)}}, 1);
        const MatrixView<const double> bias = net.parameters()[1].value;
        double largest = 0;
        for (Index j = 0; j < 300; ++j) largest = std::max(largest, std::abs(bias(0, j)));
        if (row.name == "torch") {
            CHECK(largest <= 0.25);
            CHECK(largest > 0.2);
        } else {
            CHECK(largest == 0);
        }
    }
}

TEST_CASE("initializers: unknown names and settings are refused when the network is made") {
    CHECK(message([] { (void)parse_or_auto("he"); }).starts_with("unknown initializer 'he'; choose from "));
    CHECK(message([] { Network<float>({Linear{2, 3, true, Initializer::normal, {{"sigma", 1}}}}); }) ==
          "initializer 'normal' has no parameter 'sigma'; it takes: mean, std");
    CHECK(message([] { Network<float>({Linear{2, 3, true, Initializer::normal, {{"std", -1}}}}); }) ==
          "normal: std is -1, it must be in [0,inf)");
}
