// Levenberg-Marquardt: Gauss-Newton's equations, damped until their step leads downhill.
#include <cmlp/train/full_batch.hpp>

#include <algorithm>
#include <cmath>

#include "ops/cholesky.hpp"
#include "ops/ops.hpp"
#include "optim/lbfgs_search.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index block_rows = 256;  // of the Jacobian at once
constexpr double smallest_damping = 1e-20;

// Whether a row's output depends on that row and the weights alone.
bool is_function_of_row(const Layer& layer) {
    return !(std::holds_alternative<Dropout>(layer) || std::holds_alternative<AlphaDropout>(layer) ||
             std::holds_alternative<RReLU>(layer) || std::holds_alternative<BatchNorm1d>(layer));
}

// Rows of the Jacobian of the errors, each times the root of its row's weight, summed up as J^T J and J^T e.
template <class T>
class Normal {
public:
    Normal(const ParameterVector<T>& parameters, Matrix<double>& curvature, Matrix<double>& slope)
        : parameters_(parameters),
          curvature_(curvature),
          slope_(slope),
          j_(block_rows, parameters.size()),
          e_(block_rows, 1) {
        for (Matrix<double>* const sum : {&curvature, &slope}) sum->view().set_zero();
    }

    // The parameters' gradients are those of an output whose error is e.
    void add(double root, double e) {
        const auto row = j_.view().row(filled_);
        parameters_.gradient({row.data(), size_t(row.cols())});
        row *= root;
        e_(filled_, 0) = root * e;
        if (++filled_ == block_rows) finish();
    }
    void finish() {
        if (filled_ == 0) return;
        const MatrixView<const double> j = j_.view().top_rows(filled_), e = e_.view().top_rows(filled_);
        ops::linear_backward_weight<double>(j, j, curvature_, true);
        ops::linear_backward_weight<double>(j, e, slope_, true);
        filled_ = 0;
    }

private:
    const ParameterVector<T>& parameters_;
    Matrix<double>&curvature_, &slope_;
    Matrix<double> j_, e_;  // (block_rows, parameters), (block_rows, 1)
    Index filled_ = 0;
};

}  // namespace

template <class T>
LevenbergMarquardtRule<T>::LevenbergMarquardtRule(std::vector<Parameter<T>> parameters)
    : FullBatchRule<T>({std::move(parameters), "LevenbergMarquardt"}) {
    const Index size = this->parameters_.size();
    require(size <= max_parameters, "LevenbergMarquardt: there are ", size, " parameters, it takes at most ",
            Index(max_parameters));
}

template <class T>
void LevenbergMarquardtRule<T>::check(const Network<T>& network, const Loss& loss) const {
    const auto& [damping, factor, max_damping, tolerance_grad] = settings;
    const auto require_above = [](const char* setting, double value, double least) {
        require(value > least && std::isfinite(value), "LevenbergMarquardt: ", setting, " is ", value,
                ", it must be in (", least, ",inf)");
    };
    require_above("damping", damping, 0);
    require_above("factor", factor, 1);
    require_above("max_damping", max_damping, 0);
    require(tolerance_grad >= 0, "LevenbergMarquardt: tolerance_grad is ", tolerance_grad,
            ", it must be in [0,inf)");
    require(loss.kind() == LossKind::mse, "LevenbergMarquardt: it minimises squares; the loss is '",
            cmlp::name(loss.kind()), "', it must be 'mse'");
    for (const NamedLayer& layer : network.layers())
        require(is_function_of_row(layer.layer), "LevenbergMarquardt: the output of layer '", layer.name,
                "' depends on chance or on other rows; leave it out");
}

// J^T W J and J^T W (y - t): one backward pass for each row and output.
template <class T>
void LevenbergMarquardtRule<T>::linearize(FullBatch<T>& rows) {
    const Index size = this->parameters_.size();
    curvature_.resize(size, size);
    slope_.resize(size, 1);
    Normal<T> normal(this->parameters_, curvature_, slope_);
    Matrix<T> dy(1, rows.network.output().cols());
    const auto& x = rows.data.x;
    const auto& weight = rows.data.weight;
    for (Index r = 0; r < x.rows(); ++r) {
        if (r % block_rows == 0) rows.poll();
        if (!weight.empty() && weight[size_t(r)] == 0) continue;
        const double root = weight.empty() ? 1 : std::sqrt(double(weight[size_t(r)]));
        const MatrixView<const T> y = rows.network.forward(x.middle_rows(r, 1));
        for (Index k = 0; k < y.cols(); ++k) {
            dy.view().set_zero();
            dy(0, k) = 1;
            rows.network.backward(dy.view(), 0, rows.network.layer_count(), false, false);
            normal.add(root, double(y(0, k)) - double(rows.data.target.dense(r, k)));
        }
    }
    normal.finish();
}

// (J^T W J + damping I) step = -J^T W (y - t)
template <class T>
bool LevenbergMarquardtRule<T>::solve(std::vector<double>& step) const {
    Matrix<double> damped = curvature_;
    for (Index i = 0; i < damped.rows(); ++i) damped(i, i) += settings.damping;
    step.resize(size_t(damped.rows()));
    for (Index i = 0; i < damped.rows(); ++i) step[size_t(i)] = -slope_(i, 0);
    if (!cholesky(damped)) return false;
    cholesky_solve(damped.view(), step);
    return std::isfinite(largest(step));
}

// Hagan and Menhaj, IEEE Transactions on Neural Networks 5(6), 1994: the damping is divided by the factor after a step
// that leads downhill, else multiplied by it and the step is tried again.
template <class T>
void LevenbergMarquardtRule<T>::epoch(FullBatch<T>& rows) {
    const auto& parameters = this->parameters_;
    const std::vector<double> x = parameters.values();
    const double before = rows.value();
    const double scale = rows.loss.reduction() == Reduction::sum ? 2 : 2 / rows.result.weight;
    linearize(rows);
    const double steepest = scale * largest({slope_.data(), size_t(slope_.rows())});
    if (!std::isfinite(before + steepest)) rows.fail_non_finite();
    this->converged_ = steepest <= settings.tolerance_grad;
    const double damping = settings.damping;
    std::vector<double> step;
    try {
        while (!this->converged_) {
            if (solve(step)) {
                for (size_t i = 0; i < x.size(); ++i) step[i] += x[i];
                parameters.place(step);
                if (rows.value() < before) break;
            }
            settings.damping *= settings.factor;
            this->converged_ = settings.damping > settings.max_damping;
        }
    } catch (...) {
        parameters.place(x);
        settings.damping = damping;
        throw;
    }
    if (this->converged_) parameters.place(x);
    settings.damping =
        this->converged_ ? damping : std::max(settings.damping / settings.factor, smallest_damping);
}

template class LevenbergMarquardtRule<float>;
template class LevenbergMarquardtRule<double>;

}  // namespace cmlp::inline v0_1
