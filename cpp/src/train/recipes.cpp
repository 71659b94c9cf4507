// The recipes of the reference trainings, one struct a row of trainings.def.
#include "train/recipes.hpp"

#include <cmlp/optim/schedule.hpp>

#include <iterator>

namespace cmlp::inline v0_1 {
namespace {

using Recipes = std::vector<Recipe>;

// The same in float32 and in float64.
Recipes in_both(const Recipes& recipes) {
    Recipes all = recipes;
    for (Recipe recipe : recipes) {
        recipe.in_double = true;
        all.push_back(std::move(recipe));
    }
    return all;
}

// A row of a list for each of which a network is trained.
template <class E>
Recipes each(auto&& recipe) {
    Recipes recipes;
    for (std::size_t i = 0; i < rows<E>().size(); ++i) recipes.push_back(recipe(static_cast<E>(i)));
    return in_both(recipes);
}

namespace training {

struct relu_adam {
    static Recipes recipes() {
        return {{.layers = {Linear{64, 128}, relu, Linear{128, 128}, relu, Linear{128, 10}},
                 .options = {.epochs = 3, .batch_size = 128},
                 .rows = 500,
                 .in = 64,
                 .targets = 10}};
    }
};

struct wide_sgd {
    static Recipes recipes() {
        return {{.layers = {Linear{784, 256}, relu, Linear{256, 10}},
                 .rule = "sgd",
                 .settings = {{"lr", 0.05}, {"momentum", 0.9}},
                 .options = {.epochs = 1, .batch_size = 256},
                 .rows = 512,
                 .in = 784,
                 .targets = 10}};
    }
};

struct gelu_adamw {
    static Recipes recipes() {
        Recipe recipe{.layers = {Linear{12, 96}, LayerNorm{96}, gelu, Dropout{0.2}, Linear{96, 96}, gelu,
                                 Linear{96, 4}},
                      .rule = "adamw"};
        const Schedule cosine(ScheduleKind::cosine, {8, 1e-4});
        recipe.options.schedules = {{"lr", 0, cosine.table(0.01, 0, 8), true}};
        return {recipe};
    }
};

struct tanh_double {
    static Recipes recipes() {
        Recipe recipe{.layers = {Linear{12, 70}, tanh, Linear{70, 33}, tanh, Linear{33, 4}},
                      .loss = LossKind::mse,
                      .rule = "sgd",
                      .settings = {{"lr", 0.02}, {"momentum", 0.9}, {"nesterov", 1}},
                      .in_double = true,
                      .weighted = true};
        recipe.options.step = {
            .clip_grad_norm = 0.5, .clip_grad_value = 0.1, .l1 = 1e-3, .l2 = 0.01, .max_norm = 1.5};
        return {recipe};
    }
};

struct batch_norm {
    static Recipes recipes() {
        Recipe recipe{.layers = {BatchNorm1d{12}, Linear{12, 60}, BatchNorm1d{60}, mish, Linear{60, 4}},
                      .loss = LossKind::huber,
                      .rule = "rmsprop"};
        recipe.options.mixup = 0.4, recipe.options.input_noise = 0.1;
        return {recipe};
    }
};

struct residual_muon {
    static Recipes recipes() {
        Recipe recipe{.layers = {Linear{12, 48}, ResidualBegin{}, RMSNorm{48}, Linear{48, 48}, silu,
                                 Linear{48, 48}, ResidualEnd{}, Linear{48, 4}},
                      .rule = "muon"};
        recipe.options.accumulate_steps = 2;
        return {recipe};
    }
};

struct gated_bf16 {
    static Recipes recipes() {
        Recipe recipe{
            .layers = {Linear{12, 128}, Gated{Activation::silu}, Linear{64, 100}, Gated{}, Linear{50, 4}},
            .rule = "lion",
            .in_bf16 = true};
        const Schedule one_cycle(ScheduleKind::one_cycle, {8, 0.3, 0, 0, 1e-4, 0.01, 1e-6});
        recipe.options.schedules = {{"lr", 0, one_cycle.table(0.01, 0, 8), true}};
        return {recipe};
    }
};

struct embeddings {
    static Recipes recipes() {
        const std::vector<std::vector<double>> bins(2, {-0.8, -0.25, 0.1, 0.6});
        return {
            {.layers = {PiecewiseLinearEmbedding{bins, 6, {3, 4}}, PeriodicEmbedding{22, 8, 5, 0.5, {1, 2}},
                        Embedding{9, 7, -1, {0}}, Linear{7 + 10 + 12 + 7, 40}, relu, Linear{40, 4}},
             .rule = "adan",
             .codes = 9}};
    }
};

struct sparse {
    static Recipes recipes() {
        return in_both({{.layers = {Linear{500, 40}, elu, Linear{40, 4}},
                         .loss = LossKind::bce_with_logits,
                         .rule = "adagrad",
                         .in = 500,
                         .sparse = true}});
    }
};

struct ensemble {
    static Recipes recipes() {
        return {{.layers = {EnsembleBegin{}, Linear{12, 20}, PReLU{20}, AlphaDropout{0.1}, EnsembleNext{0.25},
                            BatchEnsemble{12, 10, 2, true}, RReLU{}, EnsembleEnd{0.75}, Scale{20},
                            ParametricActivation{20, softsign}, Linear{20, 4}, LogSoftmax{}},
                 .loss = LossKind::nll,
                 .rule = "radam"}};
    }
};

struct lbfgs {
    static Recipes recipes() {
        return {{.layers = {Linear{12, 20}, softplus, Linear{20, 4}},
                 .rule = "lbfgs",
                 .options = {.epochs = 2, .batch_size = 200},
                 .in_double = true}};
    }
};

struct levenberg_marquardt {
    static Recipes recipes() {
        return {{.layers = {Linear{12, 8}, tanh, Linear{8, 2}},
                 .loss = LossKind::mse,
                 .rule = "levenberg_marquardt",
                 .options = {.epochs = 5, .batch_size = 200},
                 .targets = 2,
                 .in_double = true}};
    }
};

struct activations {
    static Recipes recipes() {
        return each<Activation>([](Activation kind) {
            const ActivationLayer layer(kind);
            return Recipe{.layers = {Linear{12, 19}, layer, Linear{19, 11}, layer, Linear{11, 4}}};
        });
    }
};

struct losses {
    static Recipes recipes() {
        return each<LossKind>([](LossKind kind) {
            const Index outputs = output_kind(kind) == OutputKind::moments ? 8 : 4;
            Recipe recipe{.layers = {Linear{12, 17}, relu, Linear{17, outputs}}, .loss = kind};
            recipe.options.step.clip_grad_norm = 1;
            if (output_kind(kind) == OutputKind::probability) recipe.layers.push_back(sigmoid());
            if (output_kind(kind) == OutputKind::log_probability) recipe.layers.push_back(LogSoftmax{});
            if (output_kind(kind) == OutputKind::moments) recipe.layers.push_back(softplus());
            return recipe;
        });
    }
};

struct optimizers {
    static Recipes recipes() {
        return each<OptimizerKind>([](OptimizerKind kind) {
            return Recipe{.layers = {Linear{12, 23}, gelu_tanh, Linear{23, 4}}, .rule = name(kind)};
        });
    }
};

}  // namespace training

constexpr Recipes (*all[])() = {
#define CMLP_TRAINING(name, ...) training::name::recipes,
#include <cmlp/lists/trainings.def>
};

}  // namespace

std::vector<Recipe> recipes_of(std::size_t row) { return all[row](); }

}  // namespace cmlp::inline v0_1
