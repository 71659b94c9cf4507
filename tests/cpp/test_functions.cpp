// The vector functions against long double, in units in the last place, and at the edges of the number line.
#include <cmlp/functions.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
// Formulas in a type R with digits to spare: double for float32, long double for float64.

namespace formula {

template <class R>
R exp(R x) {
    return std::exp(x);
}
template <class R>
R expm1(R x) {
    return std::expm1(x);
}
template <class R>
R log(R x) {
    return std::log(x);
}
template <class R>
R log1p(R x) {
    return std::log1p(x);
}
template <class R>
R tanh(R x) {
    return std::tanh(x);
}
template <class R>
R sigmoid(R x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class R>
R softplus(R x) {
    return std::max(x, R(0)) + std::log1p(std::exp(-std::abs(x)));
}
template <class R>
R log_sigmoid(R x) {
    return -softplus(-x);
}
template <class R>
R erf(R x) {
    return std::erf(x);
}
template <class R>
R erfc(R x) {
    return std::erfc(x);
}
template <class R>
R normal_cdf(R x) {
    return std::erfc(-x / std::sqrt(R(2))) / 2;
}
template <class R>
R gelu(R x) {
    return std::isinf(x) ? (x > 0 ? x : 0) : x * normal_cdf(x);
}
template <class R>
R gelu_derivative(R x) {
    return std::isinf(x) ? x > 0
                         : normal_cdf(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<R>);
}
// (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps its digits in the negative tail
template <class R>
R gelu_tanh(R x) {
    if (std::isinf(x)) return x > 0 ? x : 0;
    return x * sigmoid(2 * std::sqrt(2 / std::numbers::pi_v<R>) * (x + R(0.044715L) * x * x * x));
}
template <class R>
R gelu_tanh_derivative(R x) {
    if (std::isinf(x)) return x > 0;
    const R root = std::sqrt(2 / std::numbers::pi_v<R>), u = 2 * root * (x + R(0.044715L) * x * x * x);
    return sigmoid(u) + x * sigmoid(u) * sigmoid(-u) * 2 * root * (1 + 3 * R(0.044715L) * x * x);
}
template <class R>
R silu(R x) {
    return std::isinf(x) ? (x > 0 ? x : 0) : x * sigmoid(x);
}
template <class R>
R silu_derivative(R x) {
    return std::isinf(x) ? x > 0 : sigmoid(x) * (1 + x * sigmoid(-x));
}
template <class R>
R mish(R x) {
    return std::isinf(x) ? (x > 0 ? x : 0) : x * std::tanh(softplus(x));
}
template <class R>
R mish_derivative(R x) {
    if (std::isinf(x)) return x > 0;
    const R t = std::tanh(softplus(x));
    return t + x * (1 - t * t) * sigmoid(x);
}
template <class R>
R sin(R x) {
    return std::sin(x);
}
template <class R>
R cos(R x) {
    return std::cos(x);
}

}  // namespace formula

template <class T>
using Reference = std::conditional_t<sizeof(T) == 4, double, long double>;

template <class T>
struct Expected {
    Function function;
    Reference<T> (*value)(Reference<T>);
    double bound;  // in ULP, of the list
};
template <class T>
constexpr Expected<T> all[] = {
#define CMLP_FUNCTION(name, definition, bound) {Function::name, formula::name<Reference<T>>, bound},
#include <cmlp/functions.def>
#undef CMLP_FUNCTION
};

// Distance of two neighbours of type T at this magnitude.
template <class T>
Reference<T> ulp(Reference<T> magnitude) {
    using Limits = std::numeric_limits<T>;
    const auto x = std::clamp<Reference<T>>(std::abs(magnitude), Limits::min(), Limits::max());
    return Reference<T>(std::ldexp(T(1), std::ilogb(x))) * Limits::epsilon();
}

bool is_derivative(Function f) { return name(f).ends_with("_derivative"); }

// Errors of sin and cos are bounded up to 1e4; near a derivative's zero its own magnitude is no measure.
template <class T>
double error_in_ulp(const Expected<T>& expected, T x, T y) {
    if ((expected.function == Function::sin || expected.function == Function::cos) &&
        !(std::abs(x) <= T(1e4)))
        return 0;
    const Reference<T> value = expected.value(x);
    if (std::isnan(value)) return std::isnan(y) ? 0 : INFINITY;
    if (std::isnan(y)) return INFINITY;
    const T rounded = static_cast<T>(value);
    if (rounded == y || (std::isinf(rounded) && y == std::copysign(std::numeric_limits<T>::max(), rounded)))
        return 0;
    if (std::isinf(y) || std::isinf(rounded)) return INFINITY;
    const bool near_zero = is_derivative(expected.function) && x < -0.4 && x > -2.5;
    return double(std::abs(value - Reference<T>(y)) /
                  ulp<T>(near_zero ? std::max<Reference<T>>(std::abs(value), 0.25) : value));
}

// Every `step`-th number by its bits, negative ones too.
template <class T, class Bits>
std::vector<T> spread(Bits step) {
    std::vector<T> x;
    const Bits top = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    for (Bits bits = 0; bits < top - step; bits += step)
        for (const T value : {std::bit_cast<T>(bits), -std::bit_cast<T>(bits)}) x.push_back(value);
    for (int i = -4000; i <= 4000; ++i) x.push_back(T(i) / T(97));
    return x;
}

// Holds the largest error of each function against its bound.
template <class T>
void check_errors(const std::vector<T>& x, double slack) {
    std::vector<T> y(x.size());
    for (const Expected<T>& expected : all<T>) {
        apply<T>(expected.function, x, y);
        double worst = 0;
        std::size_t where = 0;
        for (std::size_t i = 0; i < x.size(); ++i)
            if (const double error = error_in_ulp<T>(expected, x[i], y[i]); error > worst)
                worst = error, where = i;
        CAPTURE(std::string(name(expected.function)));
        CAPTURE(x[where]);
        CAPTURE(y[where]);
        CHECK(worst <= expected.bound * slack);
    }
}

}  // namespace

TEST_CASE("functions: float32 stays within the bounds of the list") {
    check_errors(spread<float, std::uint32_t>(16411), 1);
}

TEST_CASE("functions: float64 stays within the same bounds") {
    check_errors(spread<double, std::uint64_t>(0x000fff3b9aca0107),
                 1.05);  // the long double formula errs a little itself
}

TEST_CASE_TEMPLATE("functions: infinities, NaN and signed zeros as IEEE 754 has them", T, float, double) {
    const T inf = std::numeric_limits<T>::infinity();
    const auto at = [](Function f, T x) {
        T y = 0;
        apply<T>(f, {&x, 1}, {&y, 1});
        return y;
    };
    for (const Expected<T>& e : all<T>) {
        CAPTURE(std::string(name(e.function)));
        CHECK(std::isnan(at(e.function, std::numeric_limits<T>::quiet_NaN())));
        for (const T x : {inf, -inf, T(0), T(-0.0)}) {
            const Reference<T> value = e.value(x);
            const T rounded = static_cast<T>(value), y = at(e.function, x);
            CAPTURE(x);
            CAPTURE(y);
            CHECK((test::same(y, rounded) ||
                   std::abs(y - rounded) <= T(e.bound) * std::numeric_limits<T>::epsilon()));
        }
    }
    for (const Function odd :
         {Function::expm1, Function::log1p, Function::tanh, Function::erf, Function::sin, Function::gelu})
        CHECK_MESSAGE(std::signbit(at(odd, T(-0.0))), std::string(name(odd)));
    CHECK(at(Function::log, T(0)) == -inf);
    CHECK(std::isnan(at(Function::log, T(-1))));
    CHECK(at(Function::log1p, T(-1)) == -inf);
    CHECK(at(Function::exp, inf) == inf);
    CHECK(at(Function::exp, -inf) == 0);
}

TEST_CASE_TEMPLATE("functions: apply works in place and wants equal sizes", T, float, double) {
    std::vector<T> x(19, T(0.5)), y(19), z(18);
    apply<T>(Function::tanh, x, y);
    apply<T>(Function::tanh, x, x);
    CHECK(x == y);
    CHECK(test::message([&] { apply<T>(Function::exp, x, z); }) == "apply: x has 19 elements, y 18");
}
