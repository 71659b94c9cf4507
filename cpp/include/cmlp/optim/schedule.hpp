// Schedules: a learning rate, or any setting, as a function of the step.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

enum class ScheduleKind : int {
#define CMLP_SCHEDULE(name, ...) name,
#include <cmlp/lists/schedules.def>
};

/// One row of schedules.def.
struct ScheduleRow {
    std::string_view name, type, parameters, definition, source;
};

/// All rows in enum order.
std::span<const ScheduleRow> schedule_rows();

/// The entry with that name; throws std::invalid_argument listing the valid names.
ScheduleKind parse_schedule(std::string_view name);

/// One closed form of schedules.def with its parameters, in the order of its row.
class Schedule {
public:
    /// Throws std::invalid_argument for another number of parameters, or one that is not finite, or for no steps where
    /// the form divides by a number of them.
    Schedule(ScheduleKind kind, std::vector<double> parameters);

    /// The value at a step from 0 on, for a setting that is `base` without a schedule.
    double operator()(double base, std::int64_t step) const;

    /// The values of so many steps from `first` on.
    std::vector<double> table(double base, std::int64_t first, Index count) const;

private:
    ScheduleKind kind_;
    std::vector<double> parameters_;
};

}  // namespace cmlp::inline v0_1
