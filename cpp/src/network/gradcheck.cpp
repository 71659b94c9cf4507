// Central differences for every parameter and the input.
#include <cmlp/network/gradcheck.hpp>

#include <algorithm>
#include <cmath>

namespace cmlp::inline v0_1 {
namespace {

// Compares `analytic` with differences of value() under steps of each element of w.
template <class Value>
GradcheckRow compare(std::string name, MatrixView<double> w, MatrixView<const double> analytic, double h,
                     Value value) {
    double difference = 0, largest = 0, scale = 0;
    for (Index i = 0; i < w.rows(); ++i)
        for (Index j = 0; j < w.cols(); ++j) {
            const double kept = w(i, j), up = kept + h, down = kept - h;
            w(i, j) = up;
            const double above = value();
            w(i, j) = down;
            const double numeric = (above - value()) / (up - down);
            w(i, j) = kept;
            difference = std::max(difference, std::abs(analytic(i, j) - numeric));
            largest = std::max(largest, std::abs(analytic(i, j)));
            scale = std::max({scale, std::abs(analytic(i, j)), std::abs(numeric)});
        }
    return {std::move(name), scale > 0 ? difference / scale : 0, largest, w.size()};
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
    const auto value = [&] {
        network.set_pass_count(step);
        loss.evaluate<double>(network.forward(x), data.target, data.weight, true, result);
        return result.total;
    };
    value();
    network.zero_grad();
    const Matrix<double> dx(network.backward(result.gradient.view()));
    std::vector<GradcheckRow> rows;
    for (const auto& p : network.parameters()) rows.push_back(compare(p.name, p.value, p.grad, h, value));
    rows.push_back(compare("input", x.view(), dx.view(), h, value));
    return rows;
}

}  // namespace cmlp::inline v0_1
