// What the reference trainings are made of, as plain values.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <string_view>
#include <vector>

namespace cmlp::inline v0_1 {

/// A network, its data and how it is trained.
struct Recipe {
    std::vector<Layer> layers;
    LossKind loss = LossKind::cross_entropy;
    std::string_view rule = "adam";  ///< of optimizers.def, lbfgs or levenberg_marquardt
    Settings settings = {{"lr", 0.01}};
    FitOptions options = {.epochs = 2, .batch_size = 64};
    Index rows = 200, in = 12, targets = 4;
    Index codes = 0;  ///< the first column holds codes 0 ... codes - 1
    bool in_double = false, in_bf16 = false, weighted = false, sparse = false;
};

/// The recipes of a row of trainings.def, by its place.
std::vector<Recipe> recipes_of(std::size_t row);

}  // namespace cmlp::inline v0_1
