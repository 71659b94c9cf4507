// Central differences for every parameter and the input.
#include <cmlp/network/gradcheck.hpp>

#include <algorithm>
#include <cmath>

namespace cmlp::inline v0_1 {
namespace {

// The largest step for which kinks are looked for: with larger ones curvature looks like them.
constexpr double small_step = 1e-4;
// The relative difference up to which a gradient agrees with its difference quotient.
constexpr double smooth = 1e-6;

// Whether the slopes to the right and to the left are further apart than curvature makes them, with the gradient
// between them, or the loss jumps.
bool may_be_kink(double analytic, double right, double left) {
    const double size = std::max({std::abs(right), std::abs(left), std::abs(analytic)});
    const double apart = std::abs(right - left), slack = 1e-3 * size;
    const auto [low, high] = std::minmax(right, left);
    const bool between = low - slack <= analytic && analytic <= high + slack;
    return apart > slack && (between || apart > 1e3 * std::abs(analytic));
}

// Compares `analytic` with differences of value() under steps of each element of w; `middle` is the value without a
// step.
template <class Value>
GradcheckRow compare(std::string name, MatrixView<double> w, MatrixView<const double> analytic, double h,
                     double middle, Value value) {
    double difference = 0, largest = 0, scale = 0;
    std::vector<double> doubtful;  // differences where there may be a kink
    for (Index i = 0; i < w.rows(); ++i)
        for (Index j = 0; j < w.cols(); ++j) {
            const double kept = w(i, j), up = kept + h, down = kept - h, slope = analytic(i, j);
            w(i, j) = up;
            const double above = value();
            w(i, j) = down;
            const double below = value();
            w(i, j) = kept;
            const double numeric = (above - below) / (up - down);
            largest = std::max(largest, std::abs(slope));
            if (h <= small_step &&
                may_be_kink(slope, (above - middle) / (up - kept), (middle - below) / (kept - down))) {
                doubtful.push_back(std::abs(slope - numeric));
                continue;
            }
            difference = std::max(difference, std::abs(slope - numeric));
            scale = std::max(scale, std::abs(numeric));
        }
    scale = std::max(scale, largest);
    const auto is_kink = [&](double apart) { return apart > smooth * scale; };
    return {std::move(name), scale > 0 ? difference / scale : 0, largest, w.size(),
            std::ranges::count_if(doubtful, is_kink)};
}

// Puts the random state and the buffers back.
struct LeftAsFound {
    explicit LeftAsFound(Network<double>& n)
        : network(n), step(n.pass_count()), state(n.state().begin(), n.state().end()) {}
    LeftAsFound(const LeftAsFound&) = delete;
    ~LeftAsFound() {
        network.set_pass_count(step);
        std::copy(state.begin(), state.end(), network.state().begin());
    }
    Network<double>& network;
    const Network<double>::ForgetAtEnd after{network};
    std::uint64_t step;
    std::vector<double> state;
};

}  // namespace

std::vector<GradcheckRow> gradcheck(Network<double>& network, const Data<double>& data, const Loss& loss,
                                    double h, Execution execution) {
    const ExecutionScope limit(execution);
    const Network<double>::Exclusive only(network, "gradcheck");
    check_data(data, "gradcheck");
    const LeftAsFound left(network);
    const std::uint64_t step = network.pass_count();
    Matrix<double> x(data.x.dense("gradcheck"));
    LossResult<double> result;
    const auto value = [&]() -> double {
        network.set_pass_count(step);
        loss.evaluate<double>(network.forward(x), data.target, data.weight, true, result);
        return result.total;
    };
    const double middle = value();
    network.zero_grad();
    const Matrix<double> dx(network.backward(result.gradient.view()));
    std::vector<GradcheckRow> rows;
    for (const auto& p : network.parameters())
        rows.push_back(compare(p.name, p.value, p.grad, h, middle, value));
    rows.push_back(compare("input", x.view(), dx.view(), h, middle, value));
    return rows;
}

}  // namespace cmlp::inline v0_1
