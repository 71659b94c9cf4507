// Schedules from C++: values, tables, schedules in a fit, and what is refused.
#include <cmlp/cmlp.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

using namespace cmlp;

std::string message(auto&& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("schedule: closed forms") {
    const Schedule step(ScheduleKind::step, {3, 0.5}), cosine(ScheduleKind::cosine, {10, 0.1});
    CHECK(step(1, 0) == 1);
    CHECK(step(1, 3) == 0.5);
    CHECK(step(2, 8) == 0.5);
    CHECK(cosine(1, 5) == doctest::Approx(0.55).epsilon(1e-14));
    CHECK(cosine(1, 10) == doctest::Approx(0.1).epsilon(1e-14));
    CHECK(Schedule(ScheduleKind::polynomial, {4, 2})(1, 1) == doctest::Approx(0.5625).epsilon(1e-14));
    const std::vector<double> table = step.table(1, 2, 3);
    CHECK(table == std::vector<double>{1, 0.5, 0.5});
}

TEST_CASE("schedule: names and refusals") {
    for (const ScheduleRow& row : schedule_rows())
        CHECK(schedule_rows()[size_t(parse_schedule(row.name))].name == row.name);
    CHECK(
        message([] { parse_schedule("steep"); }).starts_with("unknown schedule 'steep'; choose from step, "));
    CHECK(message([] { Schedule(ScheduleKind::step, {1}); }) ==
          "schedule 'step' has 1 parameters, it takes: step_size, gamma");
    CHECK(message([] { Schedule(ScheduleKind::step, {0, 1}); }) ==
          "schedule 'step': parameter 0 is 0, it must be at least 1");
    CHECK(message([] { Schedule(ScheduleKind::exponential, {std::nan("")}); }) ==
          "schedule 'exponential': parameter 0 is nan, it must be finite");
}

TEST_CASE("schedule: scheduled values are followed by fit, and must be long enough") {
    Network<double> net({Linear{1, 1}}, 0);
    Optimizer<double> sgd(OptimizerKind::sgd, net, {{"lr", 0.5}});
    const Matrix<double> x{{1}, {2}, {3}}, y{{1}, {2}, {3}};
    const Data<double> data{x.view(), {y.view(), {}}, {}};
    FitOptions options;
    options.epochs = 3, options.batch_size = 2;
    options.schedules = {{"lr", 0, Schedule(ScheduleKind::exponential, {0.5}).table(0.01, 0, 3), false}};
    FitReport report;
    fit(net, data, Loss(LossKind::mse), sgd, options, report);
    for (size_t epoch = 0; epoch < 3; ++epoch) CHECK(report.epochs[epoch].lr == 0.01 / double(1 << epoch));
    options.schedules[0].every_step = true;
    CHECK(message([&] { fit(net, data, Loss(LossKind::mse), sgd, options, report); }) ==
          "fit: the schedule of 'lr' has 3 values, 6 are needed");
    options.epochs = std::numeric_limits<Index>::max() / 2 + 1;  // of 2 steps: a product that wraps around
    CHECK(message([&] { fit(net, data, Loss(LossKind::mse), sgd, options, report); }) ==
          "fit: the steps of a schedule: 4611686018427387904 x 2 numbers are more than any memory holds");
}

TEST_CASE("schedule: restarts and the one cycle, value by value") {
    const Schedule longer(ScheduleKind::cosine_restarts, {2, 2, 0}),
        same(ScheduleKind::cosine_restarts, {2, 1, 0});
    const double longer_values[] = {1, 0.5, 1, (2 + std::sqrt(2.0)) / 4, 0.5, (2 - std::sqrt(2.0)) / 4, 1};
    for (int n = 0; n < 7; ++n) {
        CHECK(longer(1, n) == doctest::Approx(longer_values[n]).epsilon(1e-13));
        CHECK(same(1, n) == doctest::Approx(n % 2 ? 0.5 : 1).epsilon(1e-13));
    }
    // total, share of the rise, straight lines, three phases, first, top, last
    const Schedule straight(ScheduleKind::one_cycle, {11, 4.0 / 11, 1, 1, 1, 4, 0});
    const double straight_values[] = {1, 2, 3, 4, 3, 2, 1, 0.75, 0.5, 0.25, 0};
    const Schedule curved(ScheduleKind::one_cycle, {5, 0.6, 0, 0, 1, 3, 0});
    const double curved_values[] = {1, 2, 3, 1.5, 0};
    for (int n = 0; n < 11; ++n) CHECK(straight(1, n) == doctest::Approx(straight_values[n]).epsilon(1e-13));
    for (int n = 0; n < 5; ++n) CHECK(curved(1, n) == doctest::Approx(curved_values[n]).epsilon(1e-13));
}
