// Losses against plain loops: every row of the list, reductions, sample and class weights, smoothing, large
// logits, refusals.
#include <cmlp/losses/loss.hpp>

#include <doctest/doctest.h>

#include "matrix_helpers.hpp"
#include "oracle_losses.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

constexpr Reduction reductions[] = {Reduction::mean, Reduction::sum, Reduction::none, Reduction::batchmean};

// One batch with everything a loss may be given.
template <class T>
struct Batch {
    LossKind kind;
    Matrix<T> y, dense;
    std::vector<std::int64_t> label;  // empty: dense targets
    std::vector<T> weight;
    std::vector<double> class_weight;
    Settings settings;

    Target<T> target() const { return label.empty() ? Target<T>{dense.view(), {}} : Target<T>{{}, label}; }
};

template <class T>
Batch<T> make_batch(LossKind kind, bool labels, bool weighted, Index rows = 11, Index cols = 7) {
    const Index width = output_kind(kind) == OutputKind::moments ? 2 : 1;
    Batch<T> batch{kind, numbers<T>(rows, width * cols, 1), numbers<T>(rows, cols, 2), {}, {}, {}, {}};
    for (Index i = 0; i < rows; ++i)  // the variances
        for (Index j = cols; j < width * cols; ++j) batch.y(i, j) = std::abs(batch.y(i, j)) + T(0.25);
    for (Index i = 0; i < rows; ++i) {
        double sum = 0;
        for (Index j = 0; j < cols; ++j) {
            if (output_kind(kind) == OutputKind::probability)
                batch.y(i, j) = std::abs(batch.y(i, j)) * T(0.8) + T(0.05);
            if (output_kind(kind) == OutputKind::class_logits) batch.y(i, j) *= 3;
            if (output_kind(kind) != OutputKind::value)
                batch.dense(i, j) = std::abs(batch.dense(i, j)) / T(1.2) + T(0.01);
            if (target_range(kind) == TargetRange::sign)
                batch.dense(i, j) = batch.dense(i, j) < T(0.5) ? T(-1) : T(1);
            sum += double(batch.dense(i, j));
        }
        if (output_kind(kind) == OutputKind::class_logits) batch.dense.row(i) *= T(1 / sum);
        if (labels) batch.label.push_back(3 * i % cols);
        if (weighted) batch.weight.push_back(T(0.25) + T(i % 4));
    }
    return batch;
}

struct Expected {
    double total = 0, weight = 0;
    Grid gradient, value;
};

// The definition, in plain loops.
template <class T>
Expected expected_of(const Batch<T>& b, Reduction reduction) {
    const Grid y = grid_of(b.y);
    const std::size_t rows = y.size(), all = y[0].size();
    const std::size_t cols = b.label.empty() ? std::size_t(b.dense.cols()) : all;
    const bool row_wise = output_kind(b.kind) == OutputKind::class_logits;
    Expected e{0, 0, grid(rows, all), grid(rows, row_wise ? 1 : cols)};
    for (std::size_t i = 0; i < rows; ++i) {
        const double w = b.weight.empty() ? 1 : double(b.weight[i]);
        losses::Case c{y[i], b.label.empty() ? grid_of(b.dense)[i] : Line(cols), Line(cols, 1),
                       resolve(b.kind, b.settings)};
        if (!b.class_weight.empty()) c.w = b.class_weight;
        if (!b.label.empty()) c.t[std::size_t(b.label[i])] = 1;
        const bool counted =
            !b.label.empty() && (b.kind == LossKind::cross_entropy || b.kind == LossKind::nll);
        const double values = row_wise ? (counted ? c.w[std::size_t(b.label[i])] : 1) : double(cols);
        e.weight += w * (reduction == Reduction::batchmean ? 1 : values);
        const losses::Points points = losses::row(b.kind, c);
        for (std::size_t j = 0; j < all; ++j) e.gradient[i][j] = w * points[j].slope;
        for (std::size_t j = 0; j < cols; ++j) {
            e.total += w * points[j].value;
            if (!row_wise || j == 0) e.value[i][j] = w * points[j].value;
        }
    }
    if (reduction == Reduction::sum || reduction == Reduction::none) return e;
    e.total /= e.weight;
    for (Line& row : e.gradient)
        for (double& v : row) v /= e.weight;
    return e;
}

template <class T>
void check_batch(const Batch<T>& batch) {
    for (const Reduction reduction : reductions) {
        const Expected expected = expected_of(batch, reduction);
        const Loss loss(batch.kind, batch.settings, reduction, batch.class_weight);
        LossResult<T> result;
        for (const bool gradient : {true, false}) {
            result.total = -1;
            loss.evaluate<T>(batch.y, batch.target(), batch.weight, gradient, result);
            CHECK(result.total == doctest::Approx(expected.total).epsilon(tolerance<T>));
        }
        CHECK(difference(result.gradient, expected.gradient) < tolerance<T>);
        if (reduction == Reduction::none) CHECK(difference(result.value, expected.value) < tolerance<T>);
        if (reduction == Reduction::mean) CHECK(result.weight == doctest::Approx(expected.weight));
    }
}

template <class T>
double mean_of(const Batch<T>& batch) {
    LossResult<T> result;
    Loss(batch.kind, batch.settings).evaluate<T>(batch.y, batch.target(), batch.weight, false, result);
    return result.total;
}

}  // namespace

TEST_CASE_TEMPLATE("loss: value and gradient of every loss, reduction and kind of weight", T, float, double) {
    for (std::size_t l = 0; l < rows<LossKind>().size(); ++l) {
        const auto kind = static_cast<LossKind>(l);
        CAPTURE(std::string(name(kind)));
        const bool classes = output_kind(kind) == OutputKind::class_logits;
        for (const bool weighted : {false, true})
            for (const bool labels : {false, true}) {
                if (labels && !classes) continue;
                Batch<T> batch = make_batch<T>(kind, labels, weighted);
                check_batch(batch);
                if (!classes) continue;
                batch.class_weight = {1, 0.5, 2, 0, 1, 3, 0.25};
                check_batch(batch);
                if (kind == LossKind::cross_entropy) batch.settings = {{"label_smoothing", 0.1}};
                check_batch(batch);
                batch.class_weight.clear();
                check_batch(batch);
                check_batch(make_batch<T>(kind, labels, weighted, 1, 1));
            }
    }
}

TEST_CASE("loss: the gradient is the slope of the value") {
    for (std::size_t l = 0; l < rows<LossKind>().size(); ++l) {
        Batch<double> batch = make_batch<double>(static_cast<LossKind>(l), false, true, 4, 5);
        LossResult<double> result;
        const Loss loss(batch.kind);
        loss.evaluate<double>(batch.y, batch.target(), batch.weight, true, result);
        for (Index i = 0; i < 4; ++i)
            for (Index j = 0; j < batch.y.cols(); ++j) {
                const double kept = batch.y(i, j), h = 1e-5;
                batch.y(i, j) = kept + h;
                const double above = mean_of(batch);
                batch.y(i, j) = kept - h;
                CHECK((above - mean_of(batch)) / (2 * h) ==
                      doctest::Approx(result.gradient(i, j)).epsilon(1e-7));
                batch.y(i, j) = kept;
            }
    }
}

TEST_CASE_TEMPLATE("loss: weight 2 is the row twice, weight 0 the row absent", T, float, double) {
    for (std::size_t l = 0; l < rows<LossKind>().size(); ++l) {
        const auto kind = static_cast<LossKind>(l);
        Batch<T> weighted = make_batch<T>(kind, false, false, 6, 3);
        weighted.weight = {1, 2, 0, 1, 3, 0};
        Batch<T> repeated = make_batch<T>(kind, false, false, 7, 3);
        const Index source[] = {0, 1, 1, 3, 4, 4, 4};
        for (Index i = 0; i < 7; ++i) {
            repeated.y.row(i) = weighted.y.row(source[i]);
            repeated.dense.row(i) = weighted.dense.row(source[i]);
        }
        CHECK(mean_of(weighted) == doctest::Approx(mean_of(repeated)).epsilon(tolerance<T>));
    }
    Batch<T> none = make_batch<T>(LossKind::mse, false, false, 2, 3);
    none.weight = {0, 0};
    CHECK(mean_of(none) == 0);
}

TEST_CASE_TEMPLATE("loss: logits of any size give finite values and gradients", T, float, double) {
    for (const LossKind kind : {LossKind::bce_with_logits, LossKind::cross_entropy})
        for (const T size : {T(1e2), T(1e4), T(1e30)}) {
            Batch<T> batch = make_batch<T>(kind, kind == LossKind::cross_entropy, false, 4, 3);
            for (Index i = 0; i < 4; ++i)
                for (Index j = 0; j < 3; ++j) batch.y(i, j) = (i + j) % 2 ? size : -size;
            LossResult<T> result;
            Loss(kind).evaluate<T>(batch.y, batch.target(), {}, true, result);
            CHECK(std::isfinite(result.total));
            CHECK(result.total > 0.1 * double(size));
            for (Index i = 0; i < 4; ++i)
                for (Index j = 0; j < 3; ++j) CHECK(std::abs(result.gradient(i, j)) <= 1);
        }
    Batch<T> batch = make_batch<T>(LossKind::bce, false, false, 1, 2);
    batch.y(0, 0) = 0, batch.y(0, 1) = 1, batch.dense(0, 0) = 1, batch.dense(0, 1) = 0;
    CHECK(mean_of(batch) == 100);
    batch.dense(0, 0) = 0, batch.dense(0, 1) = 1;
    CHECK(mean_of(batch) == 0);
}

TEST_CASE_TEMPLATE("loss: a NaN or a value outside the domain shows", T, float, double) {
    for (std::size_t l = 0; l < rows<LossKind>().size(); ++l) {
        Batch<T> batch = make_batch<T>(static_cast<LossKind>(l), false, false, 3, 4);
        batch.y(1, 2) = std::numeric_limits<T>::quiet_NaN();
        CAPTURE(std::string(name(batch.kind)));
        CHECK(std::isnan(mean_of(batch)));
    }
}

TEST_CASE_TEMPLATE("loss: what does not fit is refused", T, float, double) {
    LossResult<T> result;
    const Matrix<T> y = numbers<T>(3, 4, 1), other = numbers<T>(3, 5, 1);
    const auto refused = [&](const Loss& loss, MatrixView<const T> p, const Target<T>& t,
                             std::vector<T> weight = {}) {
        return message([&] { loss.evaluate<T>(p, t, weight, true, result); });
    };
    const Loss mse(LossKind::mse), entropy(LossKind::cross_entropy);
    const std::vector<std::int64_t> label = {0, 3, 1}, high = {0, 3, 4}, low = {0, -1, 9}, few = {0, 1};
    CHECK(refused(mse, y, {other.view(), {}}) == "mse: predictions are 3x4, targets 3x5");
    CHECK(refused(mse, y, {y.top_rows(2), {}}) == "mse: predictions are 3x4, targets 2x4");
    CHECK(refused(mse, y, {{}, label}) == "mse: targets are class indices, the loss takes a matrix");
    CHECK(refused(mse, y, {y.view(), {}}, {1, 2}) == "mse: there are 2 weights for 3 rows");
    CHECK(refused(mse, y.top_rows(0), {y.top_rows(0), {}}).starts_with("mse: "));
    CHECK(refused(entropy, y.left_cols(0), {y.left_cols(0), {}}).starts_with("cross_entropy: "));
    CHECK(refused(entropy, y, {{}, high}) == "cross_entropy: label 4 at row 2 is not in 0..3");
    CHECK(refused(entropy, y, {{}, low}) == "cross_entropy: label -1 at row 1 is not in 0..3");
    CHECK(refused(entropy, y, {{}, few}) == "cross_entropy: predictions are 3x4, targets 2");
    CHECK(refused(Loss(LossKind::cross_entropy, {}, Reduction::mean, {1, 2}), y, {{}, label}) ==
          "cross_entropy: there are 2 class weights for 4 classes");
    CHECK(message([] { Loss(LossKind::mse, {}, Reduction::mean, {1, 2}); }) ==
          "mse: the loss takes no class weights");
    CHECK(message([] { Loss(LossKind::cross_entropy, {}, Reduction::mean, {1, -2}); }) ==
          "cross_entropy: class weight -2 must be finite and not negative");
    for (const double quantile : {0.0, 1.0, -0.5, 1.5})
        CHECK(message([&] { Loss(LossKind::quantile, {}, Reduction::mean, {quantile}); }).find("in (0,1)") !=
              std::string::npos);
    CHECK(message([] { Loss(LossKind::mse, {{"delta", 1}}); }) ==
          "loss 'mse' has no parameter 'delta'; it takes: ");
    CHECK(message([] { Loss(LossKind::cross_entropy, {{"label_smoothing", 1.5}}); }) ==
          "CrossEntropyLoss: label_smoothing is 1.5, it must be in [0,1]");
}
