// One struct a schedule: how many parameters, how many of the first count steps, and its value at a step.
#include <cmlp/ops/functions.hpp>
#include <cmlp/optim/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace cmlp::inline v0_1 {
namespace {

constexpr double pi = 3.14159265358979323846;
using Parameters = std::span<const double>;

// The project's own functions, so that a run has the same rates on every system.
double applied(Function f, double x) {
    double y = 0;
    apply<double>(f, {&x, 1}, {&y, 1});
    return y;
}
double power(double x, std::int64_t n) {
    double result = 1;
    for (; n > 0; n /= 2, x *= x)
        if (n % 2) result *= x;
    return result;
}
double real_power(double x, double p) {
    if (p == 1 || x == 1) return x;
    if (p == 0) return 1;
    return x > 0 ? applied(Function::exp, p * applied(Function::log, x)) : 0;
}
// From 1 to 0 while t goes from 0 to 1.
double falling_cosine(double t) { return (1 + applied(Function::cos, pi * t)) / 2; }
double share(double n, double total) { return std::min(n / total, 1.0); }

namespace schedule {

struct step {
    static constexpr size_t count = 2, steps = 1;
    static double at(Parameters p, double base, double n) {
        return base * power(p[1], std::int64_t(std::floor(n / p[0])));
    }
};
struct multi_step {
    static constexpr size_t count = 1, steps = 0;
    static double at(Parameters p, double base, double n) {
        const auto passed = std::count_if(p.begin() + 1, p.end(), [n](double m) { return m >= 0 && m <= n; });
        return base * power(p[0], passed);
    }
};
struct constant {
    static constexpr size_t count = 2, steps = 0;
    static double at(Parameters p, double base, double n) { return n < p[1] ? base * p[0] : base; }
};
struct linear {
    static constexpr size_t count = 3, steps = 0;
    static double at(Parameters p, double base, double n) {
        return base * (p[2] > 0 ? p[0] + (p[1] - p[0]) * share(n, p[2]) : p[1]);
    }
};
struct exponential {
    static constexpr size_t count = 1, steps = 0;
    static double at(Parameters p, double base, double n) { return base * power(p[0], std::int64_t(n)); }
};
struct polynomial {
    static constexpr size_t count = 2, steps = 1;
    static double at(Parameters p, double base, double n) {
        return base * real_power(1 - share(n, p[0]), p[1]);
    }
};
struct cosine {
    static constexpr size_t count = 2, steps = 1;
    static double at(Parameters p, double base, double n) {
        return p[1] + (base - p[1]) * falling_cosine(std::fmod(n, 2 * p[0]) / p[0]);
    }
};
struct cosine_restarts {
    static constexpr size_t count = 3, steps = 1;
    static double at(Parameters p, double base, double n) {
        double length = p[0];
        if (p[1] > 1)
            for (; n >= length; length *= p[1]) n -= length;
        else
            n = std::fmod(n, length);
        return p[2] + (base - p[2]) * falling_cosine(n / length);
    }
};
struct one_cycle {
    static constexpr size_t count = 7, steps = 1;
    static double at(Parameters p, double, double n) {
        const double total = p[0], rise = p[1] * total - 1, first = p[4], top = p[5], last = p[6];
        if (n <= rise) return between(p, first, top, rise > 0 ? n / rise : 1);
        if (p[3] == 0) return between(p, top, last, (n - rise) / (total - 1 - rise));
        const double back = 2 * p[1] * total - 2;
        if (n <= back) return between(p, top, first, (n - rise) / (back - rise));
        return between(p, first, last, (n - back) / (total - 1 - back));
    }
    static double between(Parameters p, double from, double to, double t) {
        t = std::min(t, 1.0);
        return p[2] != 0 ? from + (to - from) * t : to + (from - to) * falling_cosine(t);
    }
};
struct cyclic {
    static constexpr size_t count = 6, steps = 2;
    static double at(Parameters p, double, double n) {
        const double total = p[0] + p[1], cycle = std::floor(n / total), x = n - cycle * total;
        const double height = x <= p[0] ? x / p[0] : (total - x) / p[1];
        const double scale = p[2] == 0   ? 1
                             : p[2] == 1 ? power(0.5, std::int64_t(cycle))
                                         : power(p[3], std::int64_t(n));
        return p[4] + (p[5] - p[4]) * height * scale;
    }
};
struct coslog4 {
    static constexpr size_t count = 1, steps = 1;
    static double at(Parameters p, double base, double n) {
        const double log2 = applied(Function::log, 1 + 15 * share(n, p[0])) / applied(Function::log, 2.0);
        return base * (1 - falling_cosine(2 * log2));
    }
};
struct flat_cos {
    static constexpr size_t count = 2, steps = 1;
    static double at(Parameters p, double base, double n) {
        const double t = share(n, p[0]);
        return t < p[1] || p[1] >= 1 ? base : base * falling_cosine((t - p[1]) / (1 - p[1]));
    }
};

}  // namespace schedule

struct Form {
    size_t count, steps;
    double (*at)(Parameters, double, double);
};
constexpr Form forms[] = {
#define CMLP_SCHEDULE(name, ...) {schedule::name::count, schedule::name::steps, schedule::name::at},
#include <cmlp/lists/schedules.def>
};
constexpr ScheduleRow list[] = {
#define CMLP_SCHEDULE(name, type, parameters, definition, source) \
    {#name, #type, parameters, definition, source},
#include <cmlp/lists/schedules.def>
};

}  // namespace

std::span<const ScheduleRow> schedule_rows() { return list; }

ScheduleKind parse_schedule(std::string_view name) {
    std::string names;
    for (size_t i = 0; i < std::size(list); ++i) {
        if (list[i].name == name) return static_cast<ScheduleKind>(i);
        names += (i ? ", " : "") + std::string(list[i].name);
    }
    fail("unknown schedule '", name, "'; choose from ", names);
}

Schedule::Schedule(ScheduleKind kind, std::vector<double> parameters)
    : kind_(kind), parameters_(std::move(parameters)) {
    const size_t i = static_cast<size_t>(kind);
    const bool open = kind == ScheduleKind::multi_step;
    require(open ? parameters_.size() >= forms[i].count : parameters_.size() == forms[i].count, "schedule '",
            list[i].name, "' has ", parameters_.size(), " parameters, it takes: ", list[i].parameters);
    for (size_t k = 0; k < parameters_.size(); ++k) {
        require(std::isfinite(parameters_[k]), "schedule '", list[i].name, "': parameter ", k, " is ",
                parameters_[k], ", it must be finite");
        require(k >= forms[i].steps || parameters_[k] >= 1, "schedule '", list[i].name, "': parameter ", k,
                " is ", parameters_[k], ", it must be at least 1");
    }
}

double Schedule::operator()(double base, std::int64_t step) const {
    return forms[static_cast<size_t>(kind_)].at(parameters_, base, double(std::max<std::int64_t>(step, 0)));
}

std::vector<double> Schedule::table(double base, std::int64_t first, Index count) const {
    std::vector<double> values(static_cast<size_t>(count));
    for (Index i = 0; i < count; ++i) values[size_t(i)] = (*this)(base, first + i);
    return values;
}

}  // namespace cmlp::inline v0_1
