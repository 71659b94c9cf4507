// A fit that continues another one, and what a file holds beside a network.
#include <cmlp/files/serialize.hpp>
#include <cmlp/train/trainer.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>

#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

FitOptions stopping(Index epochs) {
    FitOptions options;
    options.epochs = epochs;
    options.batch_size = 16;
    options.patience = 3;
    options.restore_best = true;
    return options;
}

TEST_CASE("a fit from the start of another continues it, best weights and patience included") {
    const Problem<double> problem(64), other(40, 2);
    const Data<double> validation = other.data();
    const Loss loss(LossKind::cross_entropy);
    Network<double> complete = network<double>(0.2), parts = network<double>(0.2);
    Optimizer<double> one(OptimizerKind::adam, complete, {{"lr", 0.1}}),
        two(OptimizerKind::adam, parts, {{"lr", 0.1}});
    const FitReport all = fit(complete, problem.data(), loss, one, stopping(30), &validation);
    REQUIRE(all.stop == Stop::early_stopping);
    REQUIRE(all.best_epoch > 0);

    FitOptions options = stopping(all.best_epoch + 1);  // ends with the weights of its last epoch
    const FitReport first = fit(parts, problem.data(), loss, two, options, &validation);
    CHECK(first.epochs.back().ends == Stop::completed);
    options.first_epoch = options.epochs;
    options.epochs = 30;
    options.start = {first.steps, first.best_epoch, first.best_value, {}};
    options.start.best_weights.assign(parts.state().begin(), parts.state().end());
    const FitReport rest = fit(parts, problem.data(), loss, two, options, &validation);
    CHECK(rest.stop == Stop::early_stopping);
    CHECK(rest.epochs.back().ends == Stop::early_stopping);
    CHECK(rest.steps == all.steps);
    CHECK(rest.best_epoch == all.best_epoch);
    CHECK(std::ranges::equal(parts.state(), complete.state()));
}

TEST_CASE("best weights of another network are refused") {
    const Problem<float> problem(20);
    Network<float> net = network<float>();
    Optimizer<float> adam(OptimizerKind::adam, net);
    FitOptions options = stopping(1);
    options.start.best_weights = {1, 2, 3};
    CHECK(message([&] {
              (void)fit(net, problem.data(), Loss(LossKind::cross_entropy), adam, options);
          }).find("best weights") != std::string::npos);
}

TEST_CASE("a file holds text and arrays beside a network") {
    const auto path = std::filesystem::temp_directory_path() /
                      ("cmlp-state-" + std::to_string(::getpid()) + ".safetensors");
    const Network<float> net({NamedLayer{"cmlp.state.a", Linear{2, 1}}},
                             1);  // a name like those of the arrays
    const FileState state{"text \xC3\xA9", {{"b", "I64", {1}, std::vector<std::byte>(8, std::byte{3})}}};
    save(net, path, state);
    const NetworkAndState file = load_with_state(path);
    CHECK(file.state.text == state.text);
    CHECK(file.state.arrays == state.arrays);
    CHECK(to_bytes(std::get<Network<float>>(file.network)) == to_bytes(net));
    CHECK(to_bytes(std::get<Network<float>>(load(path))) == to_bytes(net));
    std::filesystem::remove(path);
}

}  // namespace
