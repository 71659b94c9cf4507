// Losses: value and gradient of a batch, with reductions, sample weights and class weights.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/losses/target.hpp>
#include <cmlp/runtime/registry.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

/// How a batch's values become one: weighted mean over all elements, weighted sum, not at all, or the sum
/// over the weight of the rows alone (PyTorch's batchmean).
enum class Reduction { mean, sum, none, batchmean };

/// Memory of one evaluation, reused from batch to batch.
template <class T>
struct LossResult {
    double total = 0;     ///< the reduced value
    double weight = 0;    ///< what a mean divides by
    Matrix<T> gradient;   ///< (batch, out) of the reduced value by the predictions; of the sum for `none`
    Matrix<T> value;      ///< `none`: (batch, values) of an elementwise loss, else (batch, 1)
    Buffer<T> row_value;  ///< (batch) unweighted
    Buffer<T> row_scale;  ///< (batch) factor of each row's gradient
};

/// A loss with its settings. The mean divides by the sum of the weights: weight 2 is the row twice, 0 the row absent.
class Loss {
public:
    /// `column` holds a number for each column where the loss takes one: class weights, factors of the
    /// positive part (or one for all), or the quantiles predicted (0.5 when none are given). Throws
    /// std::invalid_argument on a setting the loss does not take, or numbers out of range.
    explicit Loss(LossKind kind, const Settings& settings = {}, Reduction reduction = Reduction::mean,
                  std::vector<double> column = {});

    /// Fills result.total (or result.value) and, if requested, result.gradient.
    /// Throws std::invalid_argument as check() does; `weight` is (batch) or empty.
    template <class T>
    void evaluate(MatrixView<const T> y, const Target<T>& target, std::span<const T> weight, bool gradient,
                  LossResult<T>& result) const;
    /// The same for targets and weights that check() has taken, such as the batches of a fit.
    template <class T>
    void evaluate_checked(MatrixView<const T> y, const Target<T>& target, std::span<const T> weight,
                          bool gradient, LossResult<T>& result) const;

    LossKind kind() const { return kind_; }
    Reduction reduction() const { return reduction_; }
    /// Its parameters by name.
    Settings settings() const { return named_settings(kind_, parameters_); }
    const std::vector<double>& column() const { return column_; }
    /// Columns of targets for so many columns of predictions; throws std::invalid_argument, `what` first,
    /// when there is no such number.
    Index target_columns(Index cols, std::string_view what) const;
    /// The label whose rows count as absent; the least number where there is none.
    std::int64_t ignore_index() const { return ignore_index_; }

    /// Throws std::invalid_argument unless targets and weights fit predictions (rows, cols): names the first label or
    /// target that the loss is not defined for, or the first weight that is negative or not finite; `what` begins the
    /// message.
    template <class T>
    void check(Index rows, Index cols, const Target<T>& target, std::span<const T> weight,
               std::string_view what) const;

private:
    static constexpr std::int64_t no_label = std::numeric_limits<std::int64_t>::min();

    void check_column(Index cols, std::string_view what) const;
    template <class T>
    void check_shapes(Index rows, Index cols, const Target<T>& target, std::string_view what) const;
    template <class T>
    void check_targets(MatrixView<const T> targets, std::string_view what) const;
    template <class T>
    double mean_weight(Index values, const Target<T>& target, std::span<const T> weight) const;

    LossKind kind_;
    std::vector<double> parameters_;
    Reduction reduction_;
    std::vector<double> column_;
    std::int64_t ignore_index_ = no_label;
    TargetRange targets_;
};

/// Throws std::invalid_argument naming the first weight that is negative or not finite.
template <class T>
void check_weights(std::span<const T> weight, std::string_view what);

}  // namespace cmlp::inline v0_1
