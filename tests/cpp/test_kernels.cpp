// Every row of every list and the row-wise kernels: each instruction set against the scalar one, bit for bit,
// over tails and strides, at the edge of readable memory.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "kernel_helpers.hpp"
#include "oracle.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

constexpr std::size_t capacity = 1000;

Index extent(Index rows, Index cols, Index stride) { return rows > 0 ? (rows - 1) * stride + cols : 0; }

// f(rows, cols, stride) for shapes with every tail.
void for_shapes(const std::function<void(Index, Index, Index)>& f) {
    for (const Index rows : {0, 1, 2, 5})
        for (Index cols = 0; cols <= 40; ++cols)
            for (const Index gap : {0, 3}) f(rows, cols, cols + gap);
}

template <class T>
T* special(Guarded<T>& memory, Index n, int seed) {
    T* out = memory.last(n);
    fill(out, n, std::uint64_t(seed), true);
    return out;
}

template <class T>
std::vector<T> parameters_of(auto kind) {
    const std::vector<double> values = resolve(kind);
    return {values.begin(), values.end()};
}

// A loss at awkward predictions; which of the factors and class weights there are follows from the shape.
template <class T>
class Losses {
public:
    bool takes_labels(int loss) const { return kernels::losses<T>().kind[loss].takes_labels; }

    std::string check(int loss, kernels::Shape shape, Index stride, bool labels, double smoothing) {
        prepare(static_cast<LossKind>(loss), shape, stride, smoothing);
        const auto& [rows, cols] = shape;
        const auto& facts = kernels::losses<T>().kind[loss];
        if (facts.width > 1 && cols % facts.width) return "";
        const Index columns = facts.width == 0 ? 1 : takes_labels(loss) && cols % 2 ? cols : 0;
        const Index values = facts.joint ? cols / facts.width : cols;
        const std::vector<std::int64_t> label(std::size_t(rows), cols / 2);
        const kernels::LossCall<T> call{shape,
                                        y_,
                                        stride,
                                        labels ? nullptr : t_,
                                        stride,
                                        labels ? label.data() : nullptr,
                                        rows % 2 ? scale_memory_.last(rows, T(0.75)) : nullptr,
                                        T(0.5),
                                        columns ? weight_memory_.last(columns, T(0.75)) : nullptr,
                                        parameters_,
                                        nullptr,
                                        nullptr,
                                        0,
                                        nullptr,
                                        0,
                                        columns};
        std::string error = everywhere_(1, rows, rows, [&](const auto& kernels, T* out) {
            auto own = call;
            own.row_value = out;
            kernels.losses.kind[loss].run(own);
        });
        if (error.empty())
            error = everywhere_(rows, cols, stride, [&](const auto& kernels, T* out) {
                auto own = call;
                own.dy = out, own.dy_row = stride;
                kernels.losses.kind[loss].run(own);
            });
        if (!error.empty() || !facts.elementwise) return error;
        return everywhere_(rows, values, stride, [&](const auto& kernels, T* out) {
            auto own = call;
            own.value = out, own.value_row = stride;
            kernels.losses.kind[loss].run(own);
        });
    }

private:
    void prepare(LossKind kind, kernels::Shape shape, Index stride, double smoothing) {
        const Index size = extent(shape.rows, shape.cols, stride);
        y_ = special(y_memory_, size, static_cast<int>(kind));
        t_ = t_memory_.last(size);
        for (Index i = 0; i < size; ++i) {
            t_[i] = T(i % 4) / 4;
            if (output_kind(kind) == OutputKind::probability) y_[i] = T(i % 9) / 8;
        }
        const std::vector<double> defaults = resolve(kind);
        std::copy(defaults.begin(), defaults.end(), parameters_);
        if (kind == LossKind::cross_entropy) parameters_[0] = T(smoothing);
    }

    Guarded<T> y_memory_{capacity}, t_memory_{capacity}, scale_memory_{64}, weight_memory_{64};
    Everywhere<T> everywhere_{capacity};
    T *y_ = nullptr, *t_ = nullptr;
    T parameters_[kernels::max_loss_parameters] = {};
};

}  // namespace

TEST_CASE_TEMPLATE("kernels: activations forwards and backwards", T, float, double) {
    Guarded<T> z_memory(capacity), dy_memory(capacity);
    Everywhere<T> everywhere(capacity);
    for (int a = 0; a < kernels::activation_count; ++a) {
        const auto kind = static_cast<Activation>(a);
        CAPTURE(std::string(name(kind)));
        const std::vector<T> p = parameters_of<T>(kind);
        for_shapes([&](Index rows, Index cols, Index stride) {
            const T* z = special(z_memory, extent(rows, cols, stride), a);
            const T* dy = special(dy_memory, extent(rows, cols, stride), a + 50);
            const std::string forward = everywhere(rows, cols, stride, [&](const auto& kernels, T* out) {
                kernels.activations.kind[a].forward({rows, cols}, z, stride, nullptr, out, stride, p.data());
            });
            CHECK(forward == "");
            const std::string backward = everywhere(rows, cols, stride, [&](const auto& kernels, T* out) {
                kernels.activations.kind[a].backward({{rows, cols}, z, stride, dy, stride, out, stride},
                                                     p.data());
            });
            CHECK(backward == "");
        });
    }
}

TEST_CASE_TEMPLATE("kernels: activations of many elements against one element in double", T, float, double) {
    for (const Kernels<T>& table : all_kernels<T>())
        for (int a = 0; a < kernels::activation_count; ++a) {
            const auto kind = static_cast<Activation>(a);
            CAPTURE(table.isa);
            CAPTURE(std::string(name(kind)));
            const std::vector<T> p = parameters_of<T>(kind);
            std::vector<T> z(801), y(801), dz(801);
            const std::vector<T> dy(801, T(3));
            for (std::size_t i = 0; i < z.size(); ++i) z[i] = T(double(i) / 40 - 10);
            const auto& kernel = table.activations.kind[a];
            kernel.forward({1, 801}, z.data(), 801, nullptr, y.data(), 801, p.data());
            const std::vector<T>& kept = kernel.keep == kernels::Keep::input ? z : y;
            kernel.backward({{1, 801}, kept.data(), 801, dy.data(), 801, dz.data(), 801}, p.data());
            double worst = 0;
            for (std::size_t i = 0; i < z.size(); ++i) {
                const Point point = activate(kind, double(z[i]), {p.begin(), p.end()});
                worst = std::max({worst, std::abs(double(y[i]) - point.value) / (1 + std::abs(point.value)),
                                  std::abs(double(dz[i]) - 3 * point.slope)});
            }
            CHECK(worst < 8 * double(std::numeric_limits<T>::epsilon()));
        }
}

TEST_CASE("kernels: slopes of activations against differences") {
    constexpr double h = 1e-5;
    for (int a = 0; a < kernels::activation_count; ++a) {
        const auto kind = static_cast<Activation>(a);
        CAPTURE(std::string(name(kind)));
        double worst = 0;
        for (int i = -300; i < 300; ++i) {
            const double z = i / 40.0 + 0.0123;  // no slope jumps within h of these
            const double up = activate(kind, z + h, resolve(kind)).value,
                         down = activate(kind, z - h, resolve(kind)).value;
            worst = std::max(worst, std::abs((up - down) / (2 * h) - activate(kind, z, resolve(kind)).slope));
        }
        CHECK(worst < 1e-9);
    }
}

TEST_CASE_TEMPLATE("kernels: losses, every output alone", T, float, double) {
    Losses<T> losses;
    for (int l = 0; l < kernels::loss_count; ++l)
        for_shapes([&](Index rows, Index cols, Index stride) {
            if (cols == 0) return;
            CAPTURE(std::string(name(static_cast<LossKind>(l))));
            CHECK(losses.check(l, {rows, cols}, stride, false, 0) == "");
            if (!losses.takes_labels(l)) return;
            CHECK(losses.check(l, {rows, cols}, stride, false, 0.125) == "");
            CHECK(losses.check(l, {rows, cols}, stride, true, 0) == "");
            CHECK(losses.check(l, {rows, cols}, stride, true, 0.125) == "");
        });
}

TEST_CASE_TEMPLATE("kernels: update rules, weights and state", T, float, double) {
    Guarded<T> w_memory(capacity), g_memory(capacity);
    Everywhere<T> everywhere(capacity);
    for (int o = 0; o < kernels::optimizer_count; ++o) {
        const auto kind = static_cast<OptimizerKind>(o);
        CAPTURE(std::string(name(kind)));
        for (const auto& parameter : parameters(kind))
            for (const double value : {parameter.value, 0.0, 0.5, 1.0}) {
                if (!parameter.allows(value)) continue;
                const std::vector<double> settings = resolve(kind, {{parameter.name, value}});
                T c[kernels::max_coefficients] = {};
                double memory[2] = {};  // what a rule keeps from step to step
                const int slots = kernels::updates<T>().kind[o].slots(settings.data());
                kernels::updates<T>().kind[o].prepare(settings.data(), 3, memory, c);
                for (Index n = 0; n <= 40; ++n) {
                    T *w = w_memory.last(n), *g = g_memory.last(n);
                    fill(w, n, 1);
                    fill(g, n, 2);
                    // out (1 + slots, n): the weights, then the state
                    const std::string error = everywhere(1 + slots, n, n, [&](const auto& kernels, T* out) {
                        std::copy_n(w, n, out);
                        for (Index i = n; i < (1 + slots) * n; ++i) out[i] = T(0.25);
                        T* state[kernels::max_slots] = {};
                        for (int s = 0; s < slots; ++s) state[s] = out + (1 + s) * n;
                        T own[kernels::max_coefficients] = {};
                        double own_memory[2] = {};
                        kernels.updates.kind[o].prepare(settings.data(), 3, own_memory, own);
                        if (first_difference(own, c, kernels::max_coefficients) >= 0) out[0] = T(1e9);
                        kernels.updates.kind[o].update(slots, n, out, g, state, own);
                    });
                    CHECK(error == "");
                }
            }
    }
}
