// The vector functions against long double, in units in the last place, and at the edges of the number line.
#include <cmlp/ops/functions.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using Real = long double;

constexpr Real pi = std::numbers::pi_v<Real>;

namespace formula {

Real exp(Real x) { return std::exp(x); }
Real expm1(Real x) { return std::expm1(x); }
Real log(Real x) { return std::log(x); }
Real log1p(Real x) { return std::log1p(x); }
Real tanh(Real x) { return std::tanh(x); }
Real tanhshrink(Real x) {
    if (!(std::abs(x) < 2)) return x - std::tanh(x);
    Real fraction = 0;  // Lambert: tanh(x) = x / (1 + x^2 / (3 + x^2 / (5 + ...)))
    for (int odd = 51; odd > 1; odd -= 2) fraction = x * x / (odd + fraction);
    return x * (fraction / (1 + fraction));
}
Real sigmoid(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Real softplus(Real x) { return std::max(x, Real(0)) + std::log1p(std::exp(-std::abs(x))); }
Real log_sigmoid(Real x) { return -softplus(-x); }
Real erf(Real x) { return std::erf(x); }
Real erfc(Real x) { return std::erfc(x); }
Real normal_cdf(Real x) { return std::erfc(-x / std::sqrt(Real(2))) / 2; }
Real gelu(Real x) { return std::isinf(x) ? (x > 0 ? x : 0) : x * normal_cdf(x); }
Real gelu_derivative(Real x) {
    return std::isinf(x) ? x > 0 : normal_cdf(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi);
}
// (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps its digits in the negative tail
Real gelu_tanh(Real x) {
    if (std::isinf(x)) return x > 0 ? x : 0;
    return x * sigmoid(2 * std::sqrt(2 / pi) * (x + 0.044715L * x * x * x));
}
Real gelu_tanh_derivative(Real x) {
    if (std::isinf(x)) return x > 0;
    const Real root = std::sqrt(2 / pi), u = 2 * root * (x + 0.044715L * x * x * x);
    return sigmoid(u) + x * sigmoid(u) * sigmoid(-u) * 2 * root * (1 + 3 * 0.044715L * x * x);
}
Real silu(Real x) { return std::isinf(x) ? (x > 0 ? x : 0) : x * sigmoid(x); }
Real silu_derivative(Real x) { return std::isinf(x) ? x > 0 : sigmoid(x) * (1 + x * sigmoid(-x)); }
Real mish(Real x) { return std::isinf(x) ? (x > 0 ? x : 0) : x * std::tanh(softplus(x)); }
Real mish_derivative(Real x) {
    if (std::isinf(x)) return x > 0;
    const Real t = std::tanh(softplus(x));
    return t + x * (1 - t * t) * sigmoid(x);
}
Real sin(Real x) { return std::sin(x); }
Real cos(Real x) { return std::cos(x); }

}  // namespace formula

struct Expected {
    Function function;
    Real (*value)(Real);
    double bound;  // in ULP, of the list
};
constexpr Expected all[] = {
#define CMLP_FUNCTION(name, definition, bound) {Function::name, formula::name, bound},
#include <cmlp/lists/functions.def>
#undef CMLP_FUNCTION
};

// Distance of two neighbours of type T at this magnitude.
template <class T>
Real ulp(Real magnitude) {
    const T x = std::max(T(std::min(std::abs(magnitude), Real(std::numeric_limits<T>::max()))),
                         std::numeric_limits<T>::min());
    const T scaled = std::ldexp(T(1), std::ilogb(x));
    return Real(scaled) * std::numeric_limits<T>::epsilon();
}

bool is_derivative(Function f) { return name(f).ends_with("_derivative"); }

// Errors of sin and cos are bounded up to 1e4; near a derivative's zero its own magnitude is no measure.
template <class T>
double error_in_ulp(const Expected& expected, T x, T y) {
    if ((expected.function == Function::sin || expected.function == Function::cos) &&
        !(std::abs(x) <= T(1e4)))
        return 0;
    const Real value = expected.value(x);
    if (std::isnan(value)) return std::isnan(y) ? 0 : INFINITY;
    if (std::isnan(y)) return INFINITY;
    const T rounded = static_cast<T>(value);
    if (rounded == y || (std::isinf(rounded) && y == std::copysign(std::numeric_limits<T>::max(), rounded)))
        return 0;
    if (std::isinf(y) || std::isinf(rounded)) return INFINITY;
    const bool near_zero = is_derivative(expected.function) && x < -0.4 && x > -2.5;
    return double(std::abs(value - Real(y)) /
                  ulp<T>(near_zero ? std::max(std::abs(value), Real(0.25)) : value));
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
    for (const Expected& expected : all) {
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

// FNV-1a over the bits of the results for every 16411th float32; any NaN counts as the same one.
std::uint64_t hash_of(Function function) {
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits < std::uint64_t(1) << 32; bits += 16411)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    std::vector<float> y(x.size());
    apply<float>(function, x, y);
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const float value : y)
        hash =
            (hash ^ (std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value))) * 0x100000001b3u;
    return hash;
}

// What bench/hash.cpp is for all inputs: the same number on every machine until a coefficient changes.
struct Recorded {
    Function function;
    std::uint64_t hash;
};
constexpr Recorded recorded[] = {
    {Function::exp, 0x5bc563b0c3c74970u},         {Function::expm1, 0x78b185ea23382806u},
    {Function::log, 0x83b33a381fa6b146u},         {Function::log1p, 0x466bcf8f36db86dbu},
    {Function::tanh, 0x4907e2b5bb0662a6u},        {Function::tanhshrink, 0x14660ab767c6d07fu},
    {Function::sigmoid, 0xc1b0da16bbfcb60fu},     {Function::softplus, 0x553562513174c043u},
    {Function::log_sigmoid, 0x70530951c07d472eu}, {Function::erf, 0x5906f0c785059809u},
    {Function::erfc, 0xb5ad66cfcd9c5dcbu},        {Function::normal_cdf, 0x452bfe96e9f588e2u},
    {Function::gelu, 0xd3856327b6fc8216u},        {Function::gelu_derivative, 0x62bae47181b11155u},
    {Function::gelu_tanh, 0x15b81287c151e2f6u},   {Function::gelu_tanh_derivative, 0xbea213be9fad4dcdu},
    {Function::silu, 0x586e764eca5d5e58u},        {Function::silu_derivative, 0x2593d9e30ba27dd7u},
    {Function::mish, 0xbecbd8f56d3cdbc2u},        {Function::mish_derivative, 0x5fd2ea13bf209da4u},
    {Function::sin, 0xf8b9f93ba5382d9bu},         {Function::cos, 0x1ac34e860b3ac485u},
};

}  // namespace

TEST_CASE("functions: the results have the bits on record, on every instruction set") {
    const test::RuntimeScope scope;
    CHECK(std::size(recorded) == rows<Function>().size());
    for (const std::string& isa : isas()) {
        set_isa(isa);
        for (const Recorded& one : recorded) {
            CAPTURE(isa);
            CAPTURE(std::string(name(one.function)));
            CHECK(hash_of(one.function) == one.hash);
        }
    }
}

TEST_CASE("functions: float32 stays within the bounds of the list") {
    check_errors(spread<float, std::uint32_t>(49157), 1);
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
    for (const Expected& e : all) {
        CAPTURE(std::string(name(e.function)));
        CHECK(std::isnan(at(e.function, std::numeric_limits<T>::quiet_NaN())));
        for (const T x : {inf, -inf, T(0), T(-0.0)}) {
            const Real value = e.value(x);
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

TEST_CASE_TEMPLATE("functions: apply works in place and needs equal sizes", T, float, double) {
    std::vector<T> x(19, T(0.5)), y(19), z(18);
    apply<T>(Function::tanh, x, y);
    apply<T>(Function::tanh, x, x);
    CHECK(x == y);
    CHECK(test::message([&] { apply<T>(Function::exp, x, z); }) == "apply: x has 19 elements, y 18");
}
