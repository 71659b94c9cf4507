// Training from C++: reports that are returned, labels of any integer type, threads that are refused, files by value.
#include <doctest/doctest.h>

#include <future>
#include <sstream>

#include <cmlp/files/serialize.hpp>
#include "trainer_helpers.hpp"

using namespace cmlp;
using namespace cmlp::test;

TEST_CASE("reports: fit returns what it did, and a report that is passed starts empty") {
    const Problem<float> problem(40);
    Network<float> net = network<float>();
    Optimizer<float> adam(OptimizerKind::adam, net);
    const Loss loss(LossKind::cross_entropy);
    const FitReport first = fit(net, problem.data(), loss, adam, {.epochs = 3});
    CHECK(first.epochs.size() == 3);
    FitReport report = first;
    fit(net, problem.data(), loss, adam, {.epochs = 2}, report);
    CHECK(report.epochs.size() == 2);
    CHECK(report.steps == 4);
    Hooks hooks;
    hooks.epoch_end = [](const EpochRecord& record) { return record.epoch < 1 ? true : throw 5; };
    CHECK_THROWS_AS(fit<float>(net, problem.data(), loss, adam, {.epochs = 9}, report, nullptr, hooks), int);
    CHECK(report.epochs.size() == 2);  // what happened before
}

TEST_CASE("reports: labels of any integer type, borrowed or converted once") {
    const Problem<float> problem(40);
    const std::vector<int> ints(problem.label.begin(), problem.label.end());
    const std::vector<std::uint8_t> bytes(problem.label.begin(), problem.label.end());
    CHECK(labels(problem.label).view.data() == problem.label.data());
    CHECK(labels(std::vector<std::int64_t>(problem.label)).converted);
    const auto trained = [&](const Target<float>& target) {
        Network<float> net = network<float>();
        Optimizer<float> adam(OptimizerKind::adam, net);
        return fit(net, {problem.x, target}, Loss(LossKind::cross_entropy), adam, {.epochs = 2})
            .epochs.back()
            .loss;
    };
    const double expected = trained(problem.data().target);
    CHECK(trained(labels(problem.label)) == expected);
    CHECK(trained(labels(ints)) == expected);
    CHECK(trained(labels(bytes)) == expected);
    const std::vector<float> values(40, 1.5f);
    CHECK(targets(values).rows() == 40);
}

TEST_CASE("reports: a second thread that trains a network is refused") {
    const Problem<float> problem(40);
    Network<float> net = network<float>();
    Optimizer<float> adam(OptimizerKind::adam, net);
    const Loss loss(LossKind::cross_entropy);
    LossResult<float> result;
    std::vector<std::string> refusals;
    Hooks hooks;
    hooks.epoch_end = [&](const EpochRecord&) {
        const auto elsewhere = [&](auto call) {
            refusals.push_back(std::async(std::launch::async, [&]() -> std::string {
                                   try {
                                       call();
                                   } catch (const std::runtime_error& error) {
                                       return error.what();
                                   }
                                   return "";
                               }).get());
        };
        elsewhere([&] { fit(net, problem.data(), loss, adam); });
        elsewhere([&] { train_step(net, problem.data(), loss, adam, result); });
        elsewhere([&] { net.forward(problem.x); });
        elsewhere([&] { net.backward(problem.x); });
        elsewhere([&] { (void)net.predict(problem.x); });
        return true;
    };
    FitReport report;
    fit<float>(net, problem.data(), loss, adam, {}, report, nullptr, hooks);
    const std::string rest = ": another thread is training this network";
    CHECK(refusals == std::vector<std::string>{"fit" + rest, "train_step" + rest, "forward" + rest,
                                               "backward" + rest, ""});
}

TEST_CASE("reports: a model is returned by value from streams, and what no option allows is rejected") {
    Network<float> net = network<float>();
    std::stringstream stream;
    save(net, stream);
    const std::string bytes = stream.str();
    CHECK(to_bytes(load<float>(stream)) == to_bytes(net));
    std::istringstream again(bytes), third(bytes);
    CHECK_THROWS_AS((void)load<double>(again), FileError);
    CHECK(load<double>(third, {.convert = true}).layer_count() == 4);
    net.parameters()[0].value(0, 0) = NAN;
    CHECK_THROWS_AS((void)from_bytes(to_bytes(net)), FileError);
    CHECK(from_bytes(to_bytes(net), {.non_finite = true}).index() == 0);
    CHECK_THROWS_AS((void)load(std::filesystem::path("/nowhere/at all")), FileError);
}
