// The lists: every row has a name that can be parsed, and settings; an unknown name gives an error with all names.
#include <cmlp/runtime/registry.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

#include "matrix_helpers.hpp"

#define CMLP_TEST_LISTS Activation, LossKind, Initializer, OptimizerKind, MetricKind, Function

namespace {

using namespace cmlp;
using test::message;

template <class E>
std::string names() {
    std::string text;
    for (const Row& row : rows<E>()) text += (text.empty() ? "" : ", ") + std::string(row.name);
    return text;
}

// A value the parameter may have that is not its default.
double another(const ParameterRow& parameter, const Settings& others) {
    for (const double value : {0.25, 1.0, 2.0, 1.75, 0.0})
        if (value != parameter.value && parameter.allows(value, others)) return value;
    return NAN;
}

}  // namespace

TEST_CASE_TEMPLATE("registry: names are unique and lead back to their entry", E, CMLP_TEST_LISTS) {
    REQUIRE_FALSE(rows<E>().empty());
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < rows<E>().size(); ++i) {
        const auto entry = static_cast<E>(i);
        CAPTURE(std::string(name(entry)));
        CHECK(names.insert(name(entry)).second);
        CHECK(parse<E>(name(entry)) == entry);
        CHECK_FALSE(row(entry).definition.empty());
    }
}

TEST_CASE_TEMPLATE("registry: an unknown name lists the valid ones", E, CMLP_TEST_LISTS) {
    for (const char* wrong : {"nosuch", "", "RELU", " mse", "adam "})
        CHECK(message([&] { parse<E>(wrong); }) ==
              "unknown " + std::string(kind_name<E>()) + " '" + wrong + "'; choose from " + names<E>());
}

TEST_CASE_TEMPLATE("registry: settings overlay the defaults", E, CMLP_TEST_LISTS) {
    for (std::size_t i = 0; i < rows<E>().size(); ++i) {
        const auto entry = static_cast<E>(i);
        const auto& known = parameters(entry);
        CAPTURE(std::string(name(entry)));
        std::vector<double> defaults;
        std::string list;
        for (const ParameterRow& p : known) {
            CHECK_FALSE(p.name.empty());
            defaults.push_back(p.value);
            list += (list.empty() ? "" : ", ") + p.name;
        }
        CHECK(resolve(entry) == defaults);
        for (std::size_t k = 0; k < known.size(); ++k) {
            std::vector<double> changed = defaults;
            changed[k] = another(known[k], named_settings(entry, defaults));
            CHECK(resolve(entry, {{known[k].name, changed[k]}}) == changed);
            CHECK(resolve(entry, named_settings(entry, changed)) == changed);
        }
        const std::string text = "has no parameter 'nosuch'; it takes: " + list;
        CHECK(message([&] { resolve(entry, {{"nosuch", 1}}); }) ==
              std::string(kind_name<E>()) + " '" + std::string(name(entry)) + "' " + text);
        Settings mixed = named_settings(entry, defaults);
        mixed["nosuch"] = 0;
        CHECK(message([&] { resolve(entry, mixed); }).ends_with(text));
    }
}

TEST_CASE_TEMPLATE("registry: a value outside its range is refused, and so is NaN", E, CMLP_TEST_LISTS) {
    for (std::size_t i = 0; i < rows<E>().size(); ++i) {
        const auto entry = static_cast<E>(i);
        const std::string who(row(entry).type.empty() ? row(entry).name : row(entry).type);
        const Settings others = named_settings(entry, resolve(entry));
        for (const ParameterRow& p : parameters(entry)) {
            CHECK(p.allows(p.value, others));
            CHECK_FALSE(p.allows(NAN, others));
            const std::string must = p.range.empty() ? "a number" : "in " + p.range;
            CHECK(message([&] { resolve(entry, {{p.name, NAN}}); }) ==
                  who + ": " + p.name + " is nan, it must be " + must);
            const bool any = p.range.empty() || p.range == "(-inf,inf)";
            CHECK(p.allows(-3, others) == any);
            if (!any)
                CHECK(message([&] { resolve(entry, {{p.name, -3}}); }) ==
                      who + ": " + p.name + " is -3, it must be " + must);
        }
    }
}

TEST_CASE("registry: ranges have open and closed ends") {
    const ParameterRow half{"p", 0, "[0,1)"}, closed{"p", 0, "[0,1]"}, open{"p", 1, "(0,inf)"},
        any{"p", 0, ""};
    CHECK(half.allows(0));
    CHECK_FALSE(half.allows(1));
    CHECK(half.allows(std::nextafter(1.0, 0.0)));
    CHECK_FALSE(half.allows(-1e-300));
    CHECK(closed.allows(1));
    CHECK_FALSE(closed.allows(1.5));
    CHECK_FALSE(open.allows(0));
    CHECK(open.allows(1e300));
    CHECK_FALSE(open.allows(INFINITY));
    CHECK(any.allows(-INFINITY));
    const ParameterRow above{"high", 1, "[low,inf]"};
    CHECK(above.allows(2, {{"low", 2}}));
    CHECK_FALSE(above.allows(1.5, {{"low", 2}}));
}

TEST_CASE("registry: defaults are those of the papers and of PyTorch") {
    CHECK(resolve(OptimizerKind::adam) == std::vector<double>{0.001, 0.9, 0.999, 1e-8, 0, 0, 0, 0, 0});
    CHECK(resolve(OptimizerKind::adamw) == std::vector<double>{0.001, 0.9, 0.999, 1e-8, 0.01, 0, 0, 0});
    CHECK(resolve(OptimizerKind::sgd) == std::vector<double>{0.001, 0, 0, 0, 0, 0, 0});
    CHECK(resolve(Activation::leaky_relu) == std::vector<double>{0.01});
    CHECK(resolve(LossKind::cross_entropy) == std::vector<double>{0, -100});
    CHECK(row(Activation::relu).type == "ReLU");
    CHECK(row(LossKind::bce_with_logits).type == "BCEWithLogitsLoss");
}

TEST_CASE("registry: what follows from a row") {
    CHECK(output_kind(LossKind::mse) == OutputKind::value);
    CHECK(output_kind(LossKind::bce) == OutputKind::probability);
    CHECK(output_kind(LossKind::bce_with_logits) == OutputKind::logit);
    CHECK(output_kind(LossKind::cross_entropy) == OutputKind::class_logits);
    CHECK(output_kind(LossKind::kl_div) == OutputKind::log_probability);
    CHECK(output_kind(LossKind::poisson_nll) == OutputKind::log_mean);
    CHECK(output_kind(LossKind::gaussian_nll) == OutputKind::moments);
    CHECK(output_kind(LossKind::quantile) == OutputKind::quantiles);
    CHECK(larger_is_better(MetricKind::accuracy));
    CHECK(larger_is_better(MetricKind::r2));
    CHECK_FALSE(larger_is_better(MetricKind::mse));
    CHECK_FALSE(larger_is_better(MetricKind::mae));
    CHECK(initializer_for(Activation::relu) == Initializer::kaiming_uniform);
    CHECK(initializer_for(Activation::leaky_relu) == Initializer::kaiming_uniform);
    CHECK(initializer_for(Activation::tanh) == Initializer::xavier_uniform);
    CHECK(initializer_for(Activation::sigmoid) == Initializer::xavier_uniform);
    CHECK(initializer_for(Activation::selu) == Initializer::lecun_normal);
    CHECK(initializer_for(Activation::identity) == Initializer::xavier_uniform);
}
