// The reference trainings have the hashes of trainings.def, for any number of threads of either kind.
#include <cmlp/cmlp.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace cmlp;

std::string hash_with(std::string_view name, int threads, TeamKind kind) {
    std::string hash;
    run_in_team(threads, [&] { hash = training_hash(name); }, kind);
    return hash;
}

}  // namespace

TEST_CASE("reference trainings: the hashes are the published ones") {
    for (const auto& training :
         reference_trainings())  // a subcase each, so that an emulator can leave some out
        SUBCASE(std::string(training.name).c_str()) CHECK(training_hash(training.name) == training.hash);
}

TEST_CASE("reference trainings: the same with any team") {
    for (const auto& training : reference_trainings())
        for (const TeamKind kind : {TeamKind::of_build, TeamKind::std_thread}) {
            CAPTURE(training.name);
            CHECK(hash_with(training.name, 3, kind) == training.hash);
        }
    const auto& first = reference_trainings()[0];
    for (const int threads : {2, 4, 8, 16})
        CHECK(hash_with(first.name, threads, TeamKind::of_build) == first.hash);
}

TEST_CASE("reference trainings: an unknown name is refused") {
    CHECK_THROWS_WITH_AS(training_hash("relu_adan"), doctest::Contains("choose from relu_adam, wide_sgd"),
                         std::invalid_argument);
    CHECK_THROWS_AS(run_in_team(0, [] {}), std::invalid_argument);
}
