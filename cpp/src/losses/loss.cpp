// From a loss's values and gradients by row to one number: weights, reductions and the checks.
#include <cmlp/losses/loss.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {
namespace {

ops::LossColumn column_of(LossKind kind) { return ops::loss_facts(kind).column; }

// What the numbers of `column` are called in messages.
const char* column_name(LossKind kind) {
    constexpr const char* names[] = {"class weights", "class weights", "class weights", "positive weights",
                                     "quantiles"};
    return names[static_cast<int>(column_of(kind))];
}

void check_numbers(LossKind kind, const std::vector<double>& column) {
    const bool quantiles = column_of(kind) == ops::LossColumn::quantile;
    require(column.empty() || column_of(kind) != ops::LossColumn::none, name(kind),
            ": the loss takes no class weights");
    for (const double w : column) {
        require(quantiles || (w >= 0 && std::isfinite(w)), name(kind), ": ",
                column_of(kind) == ops::LossColumn::positive ? "positive" : "class", " weight ", w,
                " must be finite and not negative");
        require(!quantiles || (w > 0 && w < 1), name(kind), ": quantile ", w, " must be in (0,1)");
    }
}

// The numbers of `column` in the kernel's precision; one for all becomes one a column.
template <class T>
std::vector<T> column_numbers(LossKind kind, const std::vector<double>& column, Index cols) {
    std::vector<T> numbers(column.begin(), column.end());
    if (column_of(kind) == ops::LossColumn::positive && numbers.size() == 1)
        numbers.resize(static_cast<size_t>(cols), numbers[0]);
    return numbers;
}

// The factor of each row's gradient, where rows have weights.
template <class T>
void scale_rows(std::span<const T> weight, double factor, LossResult<T>& result) {
    if (weight.empty()) return;
    result.row_scale.resize(std::ssize(weight));
    for (size_t r = 0; r < weight.size(); ++r)
        result.row_scale[Index(r)] = static_cast<T>(double(weight[r]) * factor);
}

// The values of reduction `none`: from the rows', where the loss has one a row; times the rows' weights.
template <class T>
void finish_values(std::span<const T> weight, bool elementwise, LossResult<T>& result) {
    for (Index r = 0; r < result.value.rows(); ++r) {
        if (!elementwise) result.value(r, 0) = result.row_value[r];
        if (!weight.empty()) result.value.view().row(r) *= weight[size_t(r)];
    }
}

}  // namespace

Loss::Loss(LossKind kind, const Settings& settings, Reduction reduction, std::vector<double> column)
    : kind_(kind),
      parameters_(resolve(kind, settings)),
      reduction_(reduction),
      column_(std::move(column)),
      targets_(target_range(kind)) {
    check_numbers(kind, column_);
    if (column_of(kind) == ops::LossColumn::quantile && column_.empty()) column_ = {0.5};
    const auto named = this->settings();
    if (const auto log = named.find("log_target"); log != named.end() && log->second != 0)
        targets_ = TargetRange::any;
    const auto found = named.find("ignore_index");
    if (found == named.end()) return;
    require(found->second == std::floor(found->second) && std::abs(found->second) < 9e15, row(kind).type,
            ": ignore_index is ", found->second, ", it must be an integer");
    ignore_index_ = static_cast<std::int64_t>(found->second);
}

Index Loss::target_columns(Index cols, std::string_view what) const {
    const int fixed = ops::loss_facts(kind_).width;
    const Index width = fixed ? fixed : std::ssize(column_);
    require(cols % width == 0, what, ": predictions have ", cols, " columns, the loss takes ", width,
            " for each column of targets");
    return cols / width;
}

void Loss::check_column(Index cols, std::string_view what) const {
    const ops::LossColumn column = column_of(kind_);
    if (column_.empty() || column == ops::LossColumn::quantile) return;
    const bool positive = column == ops::LossColumn::positive;
    require(std::ssize(column_) == cols || (positive && column_.size() == 1), what, ": there are ",
            column_.size(), " ", column_name(kind_), " for ", cols, positive ? " columns" : " classes");
}

template <class T>
void check_weights(std::span<const T> weight, std::string_view what) {
    for (size_t r = 0; r < weight.size(); ++r)
        require(weight[r] >= 0 && std::isfinite(weight[r]), what, ": sample_weight is ", weight[r],
                " at row ", r, ", it must ", std::isfinite(weight[r]) ? "not be negative" : "be finite");
}

template <class T>
void Loss::check_shapes(Index rows, Index cols, const Target<T>& target, std::string_view what) const {
    const bool labels = !target.label.empty();
    require(rows > 0 && cols > 0, what, ": predictions are ", rows, "x", cols, ", there is nothing in them");
    require(!labels || ops::loss_facts(kind_).takes_labels, what,
            ": targets are class indices, the loss takes a matrix");
    const Index columns = target_columns(cols, what);
    require(target.rows() == rows && (labels || target.dense.cols() == columns), what, ": predictions are ",
            rows, "x", cols, ", targets ", target.rows(), labels ? "" : "x",
            labels ? "" : std::to_string(target.dense.cols()),
            labels || columns == cols ? "" : ", they should have " + std::to_string(columns) + " columns");
}

namespace {

// A NaN is in every range: it makes the loss NaN.
template <class T>
bool is_in(TargetRange range, T t) {
    switch (range) {
        case TargetRange::unit:
            return !(t < 0) && !(t > 1);
        case TargetRange::sign:
            return t == 1 || t == -1 || t != t;
        case TargetRange::nonnegative:
            return !(t < 0);
        case TargetRange::positive:
            return !(t <= 0);
        case TargetRange::any:
            break;
    }
    return true;
}

const char* text_of(TargetRange range) {
    constexpr const char* texts[] = {"", "in [0,1]", "-1 or 1", "at least 0", "above 0"};
    return texts[static_cast<int>(range)];
}

}  // namespace

template <class T>
void Loss::check_targets(MatrixView<const T> targets, std::string_view what) const {
    if (targets_ == TargetRange::any) return;
    for (Index r = 0; r < targets.rows(); ++r)
        for (Index c = 0; c < targets.cols(); ++c)
            if (!is_in(targets_, targets(r, c)))
                fail(what, ": the target is ", targets(r, c), " at row ", r,
                     targets.cols() > 1 ? ", column " + std::to_string(c) : "", "; of ", name(kind_),
                     " it must be ", text_of(targets_),
                     targets_ == TargetRange::sign ? " (2 * y - 1 makes that of 0 and 1)" : "");
}

template <class T>
void Loss::check(Index rows, Index cols, const Target<T>& target, std::span<const T> weight,
                 std::string_view what) const {
    check_shapes(rows, cols, target, what);
    for (size_t i = 0; i < target.label.size(); ++i)
        require((target.label[i] >= 0 && target.label[i] < cols) || target.label[i] == ignore_index_, what,
                ": label ", target.label[i], " at row ", i, " is not in 0..", cols - 1);
    if (target.label.empty()) check_targets<T>(target.dense, what);
    require(weight.empty() || std::ssize(weight) == rows, what, ": there are ", weight.size(),
            " weights for ", rows, " rows");
    check_weights<T>(weight, what);
    check_column(cols, what);
}

// What the mean divides by: the rows' weights, times the weight of the row's class, times the values averaged over.
template <class T>
double Loss::mean_weight(Index values, const Target<T>& target, std::span<const T> weight) const {
    const double all = weight.empty() ? double(target.rows()) : ops::weighted_sum<T>(weight, nullptr);
    if (reduction_ == Reduction::batchmean) return all;
    if (target.label.empty()) return all * double(values);
    const bool counted = !column_.empty() && column_of(kind_) == ops::LossColumn::class_weight;
    if (!counted && ignore_index_ == no_label) return all;
    if (!counted && weight.empty()) return all - double(std::ranges::count(target.label, ignore_index_));
    double total = 0;
    for (size_t r = 0; r < target.label.size(); ++r) {
        if (target.label[r] == ignore_index_) continue;
        total +=
            (weight.empty() ? 1.0 : double(weight[r])) * (counted ? column_[size_t(target.label[r])] : 1.0);
    }
    return total;
}

template <class T>
void Loss::evaluate(MatrixView<const T> y, const Target<T>& target, std::span<const T> weight, bool gradient,
                    LossResult<T>& result) const {
    check<T>(y.rows(), y.cols(), target, weight, name(kind_));
    evaluate_checked<T>(y, target, weight, gradient, result);
}

template <class T>
void Loss::evaluate_checked(MatrixView<const T> y, const Target<T>& target, std::span<const T> weight,
                            bool gradient, LossResult<T>& result) const {
    const ops::LossFacts facts = ops::loss_facts(kind_);
    const Index values = !facts.elementwise ? 1 : facts.joint ? y.cols() / facts.width : y.cols();
    const bool none = reduction_ == Reduction::none;
    const std::vector<T> column = column_numbers<T>(kind_, column_, y.cols());
    std::array<T, ops::max_loss_parameters> parameters{};
    std::copy(parameters_.begin(), parameters_.end(), parameters.begin());
    result.weight = mean_weight(values, target, weight);
    const bool mean = reduction_ == Reduction::mean || reduction_ == Reduction::batchmean;
    const double factor = mean ? (result.weight > 0 ? 1 / result.weight : 0) : 1;
    scale_rows<T>(weight, factor, result);

    result.row_value.resize(y.rows());
    if (gradient) result.gradient.resize(y.rows(), y.cols());
    if (none) result.value.resize(y.rows(), values);
    ops::loss<T>(kind_, {y, target.dense, target.label.empty() ? nullptr : target.label.data(),
                         weight.empty() ? nullptr : result.row_scale.data(), static_cast<T>(factor), column,
                         parameters, result.row_value.data(),
                         none && facts.elementwise ? result.value.view() : MatrixView<T>(),
                         gradient ? result.gradient.view() : MatrixView<T>(), ignore_index_});
    const std::span<const T> row_value(result.row_value.data(), size_t(y.rows()));
    result.total = ops::weighted_sum<T>(row_value, weight.empty() ? nullptr : weight.data()) * factor;
    if (none) finish_values<T>(weight, facts.elementwise, result);
}

#define CMLP_LOSS_OF(T)                                                                                      \
    template void check_weights<T>(std::span<const T>, std::string_view);                                    \
    template void Loss::check<T>(Index, Index, const Target<T>&, std::span<const T>, std::string_view)       \
        const;                                                                                               \
    template void Loss::evaluate<T>(MatrixView<const T>, const Target<T>&, std::span<const T>, bool,         \
                                    LossResult<T>&) const;                                                   \
    template void Loss::evaluate_checked<T>(MatrixView<const T>, const Target<T>&, std::span<const T>, bool, \
                                            LossResult<T>&) const;
CMLP_LOSS_OF(float)
CMLP_LOSS_OF(double)
#undef CMLP_LOSS_OF

}  // namespace cmlp::inline v0_1
