// From a loss's values and gradients by row to one number: weights, reductions and the checks.
#include <cmlp/loss.hpp>

#include <array>
#include <cmath>
#include <string>

#include "ops.hpp"

namespace cmlp {

Loss::Loss(LossKind kind, const Settings& settings, Reduction reduction, std::vector<double> class_weight)
    : kind_(kind),
      parameters_(resolve(kind, settings)),
      reduction_(reduction),
      class_weight_(std::move(class_weight)) {
    require(class_weight_.empty() || ops::loss_takes_labels(kind), name(kind),
            ": the loss takes no class weights");
    for (const double w : class_weight_)
        require(w >= 0 && std::isfinite(w), name(kind_), ": class weight ", w,
                " must be finite and not negative");
}

template <class T>
void Loss::check(Index rows, Index cols, const Target<T>& target, std::span<const T> weight,
                 std::string_view what) const {
    const bool labels = !target.label.empty();
    require(rows > 0 && cols > 0, what, ": predictions are ", rows, "x", cols, ", there is nothing in them");
    require(!labels || ops::loss_takes_labels(kind_), what,
            ": targets are class indices, the loss takes a matrix");
    require(target.rows() == rows && (labels || target.dense.cols() == cols), what, ": predictions are ",
            rows, "x", cols, ", targets ", target.rows(), labels ? "" : "x",
            labels ? "" : std::to_string(target.dense.cols()));
    for (size_t i = 0; i < target.label.size(); ++i)
        require(target.label[i] >= 0 && target.label[i] < cols, what, ": label ", target.label[i], " at row ",
                i, " is not in 0..", cols - 1);
    require(weight.empty() || std::ssize(weight) == rows, what, ": there are ", weight.size(),
            " weights for ", rows, " rows");
    require(class_weight_.empty() || std::ssize(class_weight_) == cols, what, ": there are ",
            class_weight_.size(), " class weights for ", cols, " classes");
}

template <class T>
void Loss::evaluate(MatrixView<const T> y, const Target<T>& target, std::span<const T> weight, bool gradient,
                    LossResult<T>& result) const {
    check<T>(y.rows(), y.cols(), target, weight, name(kind_));
    const Index rows = y.rows();
    const bool elementwise = ops::loss_is_elementwise(kind_);
    result.row_value.resize(rows);
    const std::vector<T> class_weight(class_weight_.begin(), class_weight_.end());
    std::array<T, 4> parameters{};
    std::copy(parameters_.begin(), parameters_.end(), parameters.begin());

    // What the mean divides by: the rows' weights, times the weight of the row's class, times the columns averaged over.
    double total = weight.empty() ? double(rows) : ops::weighted_sum<T>(weight, nullptr);
    if (!class_weight.empty() && !target.label.empty()) {
        total = 0;
        for (Index r = 0; r < rows; ++r)
            total += (weight.empty() ? 1.0 : double(weight[size_t(r)])) *
                     class_weight_[size_t(target.label[size_t(r)])];
    }
    result.weight = elementwise ? total * double(y.cols()) : total;
    const double factor = reduction_ == Reduction::mean ? (result.weight > 0 ? 1 / result.weight : 0) : 1;
    if (!weight.empty()) {
        result.row_scale.resize(rows);
        for (Index r = 0; r < rows; ++r)
            result.row_scale[r] = static_cast<T>(double(weight[size_t(r)]) * factor);
    }

    const bool all_values = reduction_ == Reduction::none && elementwise;
    if (gradient) result.gradient.resize(rows, y.cols());
    if (reduction_ == Reduction::none) result.value.resize(rows, elementwise ? y.cols() : 1);
    ops::loss<T>(kind_, {y, target.dense, target.label.empty() ? nullptr : target.label.data(),
                         weight.empty() ? nullptr : result.row_scale.data(), static_cast<T>(factor),
                         class_weight.empty() ? nullptr : class_weight.data(), parameters,
                         result.row_value.data(), all_values ? result.value.view() : MatrixView<T>(),
                         gradient ? result.gradient.view() : MatrixView<T>()});
    const std::span<const T> row_value(result.row_value.data(), size_t(rows));
    result.total = ops::weighted_sum<T>(row_value, weight.empty() ? nullptr : weight.data()) * factor;
    if (reduction_ != Reduction::none) return;
    for (Index r = 0; r < rows; ++r) {
        if (!elementwise) result.value(r, 0) = result.row_value[r];
        if (!weight.empty()) result.value.view().row(r) *= weight[size_t(r)];
    }
}

template void Loss::check<float>(Index, Index, const Target<float>&, std::span<const float>,
                                 std::string_view) const;
template void Loss::check<double>(Index, Index, const Target<double>&, std::span<const double>,
                                  std::string_view) const;
template void Loss::evaluate<float>(MatrixView<const float>, const Target<float>&, std::span<const float>,
                                    bool, LossResult<float>&) const;
template void Loss::evaluate<double>(MatrixView<const double>, const Target<double>&, std::span<const double>,
                                     bool, LossResult<double>&) const;

}  // namespace cmlp
