// The layers there are: plain values that say what they are; the numbers belong to the network.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/layers/initializers.hpp>
#include <cmlp/layers/settings.hpp>
#include <cmlp/runtime/registry.hpp>

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace cmlp::inline v0_1 {

/// y = x W^T + b, W (out, in) and b (out); with Parametrization::ntk y = x W^T / sqrt(in) + b.
struct Linear {
    Index in_features = 1, out_features = 1;
    bool bias = true;
    std::optional<Initializer> init = {};  ///< none: by the activation that follows
    Settings init_settings = {};
    Parametrization parametrization = Parametrization::standard;

    static constexpr std::string_view type = "Linear";
    void fields(auto&& f) {
        f("in_features", in_features), f("out_features", out_features), f("bias", bias);
        f("init", init), f("init_settings", init_settings), f("parametrization", parametrization);
    }
};

/// An elementwise function of activations.def.
struct ActivationLayer {
    Activation kind;
    std::vector<double> parameters;  // in the order of its row

    ActivationLayer(Activation k = Activation::identity) : ActivationLayer(k, resolve(k)) {}
    ActivationLayer(Activation k, std::vector<double> values) : kind(k), parameters(std::move(values)) {}
    /// From one of the functions below, so that a list of layers may say `relu`.
    ActivationLayer(ActivationLayer (*named)(const Settings&)) : ActivationLayer(named({})) {}

    static constexpr std::string_view type = "Activation";
    void fields(auto&& f) {
        f("activation", kind);
        Settings settings = named_settings(kind, parameters);
        f("settings", settings);
        parameters = resolve(kind, settings);
    }
};

/// y_j = exp(x_j) / sum exp(x) over each row.
struct Softmax {
    static constexpr std::string_view type = "Softmax";
    void fields(auto&&) {}
};

/// y_j = x_j - log sum exp(x) over each row.
struct LogSoftmax {
    static constexpr std::string_view type = "LogSoftmax";
    void fields(auto&&) {}
};

/// In training each element is 0 with probability p, the others are scaled by 1 / (1 - p); otherwise y = x.
struct Dropout {
    double p = 0.5;

    static constexpr std::string_view type = "Dropout";
    void fields(auto&& f) { f("p", p); }
};

/// Dropout that keeps mean 0 and variance 1: what is dropped becomes SELU's lower limit, then all is scaled
/// and shifted.
struct AlphaDropout {
    double p = 0.5;

    static constexpr std::string_view type = "AlphaDropout";
    void fields(auto&& f) { f("p", p); }
};

/// x if x >= 0 else a x, a ~ U(lower, upper) for each element in training, (lower + upper) / 2 otherwise.
struct RReLU {
    double lower = 1.0 / 8, upper = 1.0 / 3;

    static constexpr std::string_view type = "RReLU";
    void fields(auto&& f) { f("lower", lower), f("upper", upper); }
};

/// x if x > 0 else a x with learned slopes a, one for all columns or one each.
struct PReLU {
    Index num_parameters = 1;
    double init = 0.25;

    static constexpr std::string_view type = "PReLU";
    void fields(auto&& f) { f("num_parameters", num_parameters), f("init", init); }
};

/// y = a * g(b), a and b the left and the right half of the columns, g an activation: sigmoid (GLU), silu, gelu ...
struct Gated {
    Activation gate = Activation::sigmoid;

    static constexpr std::string_view type = "Gated";
    void fields(auto&& f) { f("gate", gate); }
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over each row.
struct LayerNorm {
    Index features = 1;
    double eps = 1e-5;
    bool affine = true, bias = true;

    static constexpr std::string_view type = "LayerNorm";
    void fields(auto&& f) { f("features", features), f("eps", eps), f("affine", affine), f("bias", bias); }
};

/// y = x / sqrt(mean(x^2) + eps) * weight over each row; a negative eps means the default of the precision.
struct RMSNorm {
    Index features = 1;
    double eps = -1;
    bool affine = true;

    static constexpr std::string_view type = "RMSNorm";
    void fields(auto&& f) { f("features", features), f("eps", eps), f("affine", affine); }
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over each column: of the batch in training, running otherwise.
struct BatchNorm1d {
    Index num_features = 1;
    double eps = 1e-5;
    double momentum =
        0.1;  ///< share of a new batch in the running statistics; negative: all batches count the same
    bool affine = true, track_running_stats = true, bias = true;

    static constexpr std::string_view type = "BatchNorm1d";
    void fields(auto&& f) {
        f("num_features", num_features), f("eps", eps), f("momentum", momentum), f("affine", affine);
        f("track_running_stats", track_running_stats), f("bias", bias);
    }
};

/// The two ends of y = x + f(x), f the layers between them.
struct ResidualBegin {
    static constexpr std::string_view type = "ResidualBegin";
    void fields(auto&&) {}
};
struct ResidualEnd {
    static constexpr std::string_view type = "ResidualEnd";
    void fields(auto&&) {}
};

/// The beginning of y = sum_m w_m f_m(x). The layers of each member f_m follow, then EnsembleNext, after the last
/// member EnsembleEnd; all members get the input of the ensemble.
struct EnsembleBegin {
    static constexpr std::string_view type = "EnsembleBegin";
    void fields(auto&&) {}
};
/// Ends a member, whose weight it has, and begins the next.
struct EnsembleNext {
    double weight = 1;

    static constexpr std::string_view type = "EnsembleNext";
    void fields(auto&& f) { f("weight", weight); }
};
/// Ends the last member, whose weight it has; the output is the sum, added in the order of the members.
struct EnsembleEnd {
    double weight = 1;

    static constexpr std::string_view type = "EnsembleEnd";
    void fields(auto&& f) { f("weight", weight); }
};

/// y = x; a row is flat already.
struct Flatten {
    static constexpr std::string_view type = "Flatten";
    void fields(auto&&) {}
};

/// Each of the columns (none named: all) holds codes 0 ... num_embeddings - 1 and becomes the embedding_dim numbers of
/// its code, in place; the other columns pass.
struct Embedding {
    Index num_embeddings = 1, embedding_dim = 1;
    Index padding_idx = -1;  ///< a code that stays 0 and learns nothing; negative: none
    std::vector<Index> columns = {};

    static constexpr std::string_view type = "Embedding";
    void fields(auto&& f) {
        f("num_embeddings", num_embeddings), f("embedding_dim", embedding_dim);
        f("padding_idx", padding_idx), f("columns", columns);
    }
};

/// y_j = s_j x_j with learned factors, 1 at first.
struct Scale {
    Index features = 1;

    static constexpr std::string_view type = "Scale";
    void fields(auto&& f) { f("features", features); }
};

/// y = x + a_j (f(x) - x) with a learned share a_j of the activation in each column, 1 at first.
struct ParametricActivation {
    Index features = 1;
    ActivationLayer activation = {};

    static constexpr std::string_view type = "ParametricActivation";
    void fields(auto&& f) { f("features", features), activation.fields(f); }
};

/// Each of the columns (none named: all) becomes embedding_dim numbers, [cos(2 pi x_i w + phase) W + bias, x_i], every
/// column with its own; in place, the other columns pass.
struct PeriodicEmbedding {
    Index in_features = 1, n_frequencies = 16, embedding_dim = 4;
    double sigma = 0.1;  ///< standard deviation of the frequencies at first
    std::vector<Index> columns = {};

    static constexpr std::string_view type = "PeriodicEmbedding";
    void fields(auto&& f) {
        f("in_features", in_features), f("n_frequencies", n_frequencies);
        f("embedding_dim", embedding_dim), f("sigma", sigma), f("columns", columns);
    }
};

/// Each of the columns (none named: all) becomes embedding_dim numbers: x_i w_i + b_i + e(x_i) V_i, e(x) how far x has
/// come through each of the column's bins: 1 for those left of it, its place in [0, 1] in its own, 0 to the right; the
/// outermost bins have no outer limit. In place, the other columns pass.
struct PiecewiseLinearEmbedding {
    std::vector<std::vector<double>> bins =
        {};  ///< increasing edges of the bins of each column that is embedded
    Index embedding_dim = 16;
    std::vector<Index> columns = {};

    static constexpr std::string_view type = "PiecewiseLinearEmbedding";
    void fields(auto&& f) { f("bins", bins), f("embedding_dim", embedding_dim), f("columns", columns); }
};

/// A linear layer of several members that share W: y_i = ((x_i * r_i) W^T) * s_i + b_i, the members side by side.
struct BatchEnsemble {
    Index in_features = 1, out_features = 1, members = 1;
    bool shared_input = false;               ///< all members get the same in_features columns
    EnsembleInit init = EnsembleInit::ones;  ///< of r

    static constexpr std::string_view type = "BatchEnsemble";
    void fields(auto&& f) {
        f("in_features", in_features), f("out_features", out_features), f("members", members);
        f("shared_input", shared_input), f("init", init);
    }
};

/// Any layer. Adding one: its struct here, its functions in src/layers/, its place in this list.
using Layer = std::variant<Linear, ActivationLayer, Softmax, Dropout, LogSoftmax, LayerNorm, RMSNorm, PReLU,
                           Gated, ResidualBegin, ResidualEnd, BatchNorm1d, AlphaDropout, RReLU, Flatten,
                           Embedding, Scale, ParametricActivation, PeriodicEmbedding, BatchEnsemble,
                           PiecewiseLinearEmbedding, EnsembleBegin, EnsembleNext, EnsembleEnd>;

/// An activation by name: activation("leaky_relu", {{"negative_slope", 0.2}}); throws as parse and resolve do.
inline ActivationLayer activation(std::string_view name, const Settings& settings = {}) {
    const auto kind = parse<Activation>(name);
    return {kind, resolve(kind, settings)};
}

// Each activation by its own name: relu, or with settings leaky_relu({{"negative_slope", 0.2}}). Functions,
// so that they do not conflict with ::tanh and similar functions.
#define CMLP_ACTIVATION(name, ...) \
    inline ActivationLayer name(const Settings& settings = {}) { return activation(#name, settings); }
#include <cmlp/lists/activations.def>

}  // namespace cmlp::inline v0_1
