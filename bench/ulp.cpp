// Errors of the vector functions in ULP, as a Markdown table: every float32 input, or a sample of float64.
//
//   g++ -std=gnu++20 -O2 -march=native -ffp-contract=off -fopenmp bench/ulp.cpp -lquadmath -o ulp
//   ./ulp [float|double] [stride of float32 bit patterns | millions of float64 samples] [function ...]
//
// float32 is compared with the C library's double precision, float64 with libquadmath. An error is
// |result - exact| over the spacing of floats at the exact value; derivatives are left out around their zeros.
#define CMLP_ISA native
#include "../cpp/src/kernels/math.hpp"

#include <quadmath.h>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace kernels = cmlp::kernels::CMLP_ISA;
using Quad = __float128;

namespace exact {

using std::exp, std::expm1, std::log, std::log1p, std::tanh, std::cosh, std::erf, std::erfc, std::sin,
    std::cos;
Quad exp(Quad x) { return expq(x); }
Quad expm1(Quad x) { return expm1q(x); }
Quad log(Quad x) { return logq(x); }
Quad log1p(Quad x) { return log1pq(x); }
Quad tanh(Quad x) { return tanhq(x); }
Quad cosh(Quad x) { return coshq(x); }
Quad erf(Quad x) { return erfq(x); }
Quad erfc(Quad x) { return erfcq(x); }
Quad sin(Quad x) { return sinq(x); }
Quad cos(Quad x) { return cosq(x); }

const Quad pi = 3.14159265358979323846264338327950288Q;
template <class R>
const R root_half = R(sqrtq(0.5Q));
template <class R>
const R two_root_two_over_pi = R(2 * sqrtq(2 / pi));

template <class R>
R sigmoid(R x) {
    const R e = exp(x < 0 ? x : -x);
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}
template <class R>
R softplus(R x) {
    return (x > 0 ? x : 0) + log1p(exp(x < 0 ? x : -x));
}
/// x f(x) with its limit 0 at -infinity
template <class R>
R times(R x, R f) {
    return f == 0 ? (x < 0 ? -R(0) : x) : x * f;
}
template <class R>
R normal_cdf(R x) {
    return erfc(-x * root_half<R>) / 2;
}
template <class R>
R gelu_argument(R x) {
    return two_root_two_over_pi<R> * (x + R(0.044715Q) * x * x * x);
}
/// By Lambert's tanh(x) = x / (1 + x^2 / (3 + x^2 / (5 + ...))) where the difference would cancel
template <class R>
R tanhshrink(R x) {
    if (!(x > -2 && x < 2)) return x - tanh(x);
    R fraction = 0;
    for (int odd = 51; odd > 1; odd -= 2) fraction = x * x / (odd + fraction);
    return x * (fraction / (1 + fraction));
}
auto log_sigmoid(auto x) { return -softplus(-x); }
auto gelu(auto x) { return times(x, normal_cdf(x)); }
auto gelu_tanh(auto x) { return times(x, sigmoid(gelu_argument(x))); }
auto silu(auto x) { return times(x, sigmoid(x)); }
auto mish(auto x) { return times(x, tanh(softplus(x))); }

template <class R>
R gelu_derivative(R x) {
    if (x > 60 || x < -60) return x > 0;
    return normal_cdf(x) + x * exp(-x * x / 2) * two_root_two_over_pi<R> / 4;
}
template <class R>
R gelu_tanh_derivative(R x) {
    if (x > 60 || x < -60) return x > 0;
    const R s = sigmoid(gelu_argument(x)), other = sigmoid(-gelu_argument(x));
    return s + x * s * other * two_root_two_over_pi<R> * (1 + 3 * R(0.044715Q) * x * x);
}
template <class R>
R silu_derivative(R x) {
    if (x > 1000 || x < -1000) return x > 0;
    return sigmoid(x) * (1 + x * sigmoid(-x));
}
template <class R>
R mish_derivative(R x) {
    if (x > 1000 || x < -1000) return x > 0;
    const R c = cosh(softplus(x));
    return tanh(softplus(x)) + x * sigmoid(x) / (c * c);
}

}  // namespace exact

template <class T>
struct Function {
    using Reference = std::conditional_t<sizeof(T) == 4, double, Quad>;
    const char* name;
    double bound;
    kernels::Vec<T> (*vector)(kernels::Vec<T>);
    Reference (*reference)(Reference);
    bool derivative, periodic;
};

template <class T>
std::vector<Function<T>> functions() {
    using R = typename Function<T>::Reference;
    using V = kernels::Vec<T>;
    std::vector<Function<T>> list;
#define CMLP_FUNCTION(name, definition, bound)                                                          \
    list.push_back({#name, bound, [](V x) { return kernels::math::name(x); },                           \
                    [](R x) { return R(exact::name(x)); }, std::strstr(#name, "derivative") != nullptr, \
                    !std::strcmp(#name, "sin") || !std::strcmp(#name, "cos")});
#include "../cpp/include/cmlp/lists/functions.def"
#undef CMLP_FUNCTION
    return list;
}

struct Tally {
    double worst = 0, worst_at = 0, sum = 0;
    int64_t count = 0, correct = 0, wrong_ends = 0;

    void add(const Tally& other) {
        if (other.worst > worst) worst = other.worst, worst_at = other.worst_at;
        sum += other.sum, count += other.count, correct += other.correct, wrong_ends += other.wrong_ends;
    }
};

/// The spacing of T around a finite value.
template <class T>
double spacing(double value) {
    constexpr int lowest = sizeof(T) == 4 ? -149 : -1074, digits = sizeof(T) == 4 ? 24 : 53;
    const int exponent = value == 0 ? lowest : std::ilogb(value) + 1 - digits;
    return std::ldexp(1.0, exponent < lowest ? lowest : exponent);
}

template <class T>
void measure(const Function<T>& f, T x, T y, Tally& tally) {
    using R = typename Function<T>::Reference;
    if (f.periodic && !(std::abs(x) <= T(1e4))) return;
    const R exact = f.reference(R(x));
    const T rounded = T(exact);
    if (std::isnan(rounded) || std::isinf(rounded)) {
        // Beside the overflow threshold infinity and the largest float are both right.
        const bool same = std::isnan(rounded) ? std::isnan(y) : y == rounded;
        tally.wrong_ends += !same && !(exact < R(y) * (1 + 4 * R(std::numeric_limits<T>::epsilon())));
        return;
    }
    if (f.derivative && std::abs(rounded) < T(0.125) && std::abs(x) < T(3)) return;
    const R error = (R(y) - exact) / spacing<T>(double(exact));
    const double ulp = std::abs(double(error));
    ++tally.count;
    tally.sum += ulp;
    tally.correct += y == rounded;
    if (!(ulp <= tally.worst)) tally.worst = ulp, tally.worst_at = double(x);
}

constexpr int block = 4096;

template <class T, class Input>
Tally sweep(const Function<T>& f, int64_t blocks, Input input) {
    Tally total;
#pragma omp parallel
    {
        Tally mine;
        std::vector<T> x(block), y(block);
#pragma omp for schedule(dynamic, 16)
        for (int64_t b = 0; b < blocks; ++b) {
            for (int i = 0; i < block; ++i) x[i] = input(b * block + i);
            for (int i = 0; i < block; i += kernels::Vec<T>::size)
                f.vector(kernels::Vec<T>::load(&x[i])).store(&y[i]);
            for (int i = 0; i < block; ++i) measure(f, x[i], y[i], mine);
        }
#pragma omp critical
        total.add(mine);
    }
    return total;
}

/// Bit pattern i * stride of the 2^32 floats.
float every(int64_t i, int64_t stride) {
    const uint32_t bits = uint32_t(i * stride);
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// Three quarters spread over [-40, 40] and [-750, 750], one quarter over all bit patterns (Splitmix64).
double sampled(int64_t i) {
    uint64_t z = (uint64_t(i) + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    const double unit = double(int64_t(z)) * 0x1p-63;
    if (i % 4 < 2) return (i % 4 ? 40 : 4) * unit;
    if (i % 4 == 2) return 750 * unit;
    double x;
    std::memcpy(&x, &z, sizeof x);
    return x;
}

template <class T, class Run>
int table(int argc, char** argv, Run run) {
    bool good = true;
    std::puts("| function | bound | max ULP | at | mean ULP | correctly rounded | inputs |");
    std::puts("|---|---|---|---|---|---|---|");
    for (const auto& f : functions<T>()) {
        bool selected = argc <= 3;
        for (int i = 3; i < argc; ++i) selected = selected || f.name == std::string(argv[i]);
        if (!selected) continue;
        const Tally t = run(f);
        const double count = double(t.count);
        std::printf("| %s | %g | %.3f | %.9g | %.3f | %.2f%% | %.0f |", f.name, f.bound, t.worst, t.worst_at,
                    t.sum / count, 100 * double(t.correct) / count, count);
        if (t.wrong_ends) std::printf(" %lld wrong NaN or infinities", static_cast<long long>(t.wrong_ends));
        std::printf("\n");
        std::fflush(stdout);
        good = good && t.worst <= f.bound && !t.wrong_ends;
    }
    return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const bool doubles = argc > 1 && argv[1] == std::string("double");
    const int64_t amount = argc > 2 ? std::atoll(argv[2]) : (doubles ? 20 : 1);
    if (doubles)
        return table<double>(argc, argv,
                             [&](auto& f) { return sweep(f, amount * 1000000 / block, sampled); });
    return table<float>(argc, argv, [&](auto& f) {
        return sweep(f, (int64_t(1) << 32) / amount / block, [&](int64_t i) { return every(i, amount); });
    });
}
