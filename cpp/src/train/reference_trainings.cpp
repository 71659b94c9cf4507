// Runs recipes on data from the counter-based generator and hashes the bits: no function of the system's libm is used.
#include <cmlp/base/error.hpp>
#include <cmlp/train/full_batch.hpp>
#include <cmlp/train/reference_trainings.hpp>

#include "base/crc64.hpp"
#include "train/recipes.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr ReferenceTraining list[] = {
#define CMLP_TRAINING(name, hash, definition) {#name, hash, definition},
#include <cmlp/lists/trainings.def>
};

// The rows that a recipe is trained on.
template <class T>
class Rows {
public:
    explicit Rows(const Recipe& recipe)
        : x_(recipe.rows, recipe.in), target_(recipe.rows, recipe.targets), label_(size_t(recipe.rows)) {
        draw_inputs(recipe);
        for (Index i = 0; i < recipe.rows; ++i) make_targets(recipe, i);
        if (recipe.sparse) sparse_.assign(x_);
    }

    Input<T> input(const Recipe& recipe) const { return recipe.sparse ? Input<T>(sparse_.view()) : x_; }
    Data<T> data(const Recipe& recipe) const {
        const bool classes = output_kind(recipe.loss) == OutputKind::class_logits;
        return {input(recipe), classes ? Target<T>({}, label_) : Target<T>(target_), weight_};
    }

private:
    // Uniform in [-1, 1); of a sparse recipe 19 of 20 are 0.
    void draw_inputs(const Recipe& recipe) {
        Rng rng(1, Stream::user);
        for (Index i = 0; i < recipe.rows; ++i) {
            for (Index j = 0; j < recipe.in; ++j) {
                const T drawn = T(2 * rng.uniform() - 1);
                x_(i, j) = recipe.sparse && rng.below(20) != 0 ? T(0) : drawn;
            }
            if (recipe.codes > 0) x_(i, 0) = T(rng.below(recipe.codes));
            if (recipe.weighted) weight_.push_back(T(2 * rng.uniform()));
        }
    }
    // Products of neighbouring inputs, brought into the range of the loss; the label is that of the largest.
    void make_targets(const Recipe& recipe, Index i) {
        T largest = -2;
        for (Index j = 0; j < recipe.targets; ++j) {
            const T product = x_(i, j + 1) * x_(i, j + 2);
            if (product > largest) largest = product, label_[size_t(i)] = j;
            const bool sign = target_range(recipe.loss) == TargetRange::sign;
            target_(i, j) = sign ? T(product < 0 ? -1 : 1) : (product + T(1.25)) * T(0.4375);
        }
    }

    Matrix<T> x_;                      // (rows, in)
    Matrix<T> target_;                 // (rows, targets)
    std::vector<std::int64_t> label_;  // (rows)
    std::vector<T> weight_;            // (rows) or empty
    SparseMatrix<T> sparse_;           // x_ again, of a sparse recipe
};

template <class T>
FitReport train(Network<T>& network, const Recipe& recipe, const Data<T>& data) {
    const Loss loss(recipe.loss);
    if (recipe.rule == "lbfgs") {
        LbfgsRule<T> rule(network.parameters());
        rule.limits.strong_wolfe = true;
        return fit(network, data, loss, rule, recipe.options);
    }
    if (recipe.rule == "levenberg_marquardt") {
        LevenbergMarquardtRule<T> rule(network.parameters());
        return fit(network, data, loss, rule, recipe.options);
    }
    Optimizer<T> optimizer(parse<OptimizerKind>(recipe.rule), network, recipe.settings);
    return fit(network, data, loss, optimizer, recipe.options);
}

template <class V>
void add(Crc64& crc, const V* values, Index count) {
    crc.add({reinterpret_cast<const char*>(values), sizeof(V) * static_cast<size_t>(count)});
}

template <class T>
void add_matrix(Crc64& crc, MatrixView<const T> matrix) {
    for (Index i = 0; i < matrix.rows(); ++i) add(crc, &matrix(i, 0), matrix.cols());
}

// Adds weights and buffers as they are stored, the loss of each epoch, and the predictions.
template <class T>
void add_training(Crc64& crc, const Recipe& recipe) {
    const Rows<T> rows(recipe);
    Network<T> network(recipe.layers, 7);
    if (recipe.in_bf16) network.set_precision(Precision::bf16);
    const FitReport report = train(network, recipe, rows.data(recipe));
    for (const auto& parameter : network.parameters()) add_matrix<T>(crc, parameter.value);
    for (const auto& buffer : network.buffers()) add_matrix<T>(crc, buffer.value);
    for (const EpochRecord& epoch : report.epochs) add(crc, &epoch.loss, 1);
    add_matrix<T>(crc, network.predict(rows.input(recipe)).view());
}

}  // namespace

std::span<const ReferenceTraining> reference_trainings() { return list; }

std::string training_hash(std::string_view name) {
    std::string names;
    for (size_t row = 0; row < std::size(list); ++row) {
        names += (row ? ", " : "") + std::string(list[row].name);
        if (list[row].name != name) continue;
        Crc64 crc;
        for (const Recipe& recipe : recipes_of(row))
            recipe.in_double ? add_training<double>(crc, recipe) : add_training<float>(crc, recipe);
        return crc.text();
    }
    throw std::invalid_argument("unknown training '" + std::string(name) + "'; choose from " + names);
}

}  // namespace cmlp::inline v0_1
