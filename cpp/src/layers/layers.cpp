// Any layer: each question goes to the functions of its kind in layers/.
#include <cmlp/layers/layers.hpp>

#include "layers/basic.hpp"
#include "layers/embeddings.hpp"
#include "layers/gated.hpp"
#include "layers/groups.hpp"
#include "layers/norms.hpp"
#include "layers/piecewise.hpp"
#include "layers/tabular.hpp"

namespace cmlp::inline v0_1 {
namespace {

template <size_t... I>
Layer make_layer(std::string_view type, std::index_sequence<I...>) {
    Layer layer;
    const bool found =
        ((std::variant_alternative_t<I, Layer>::type == type && (layer.emplace<I>(), true)) || ...);
    if (!found) {
        std::string there;
        ((there +=
          std::string(there.empty() ? "" : ", ") + std::string(std::variant_alternative_t<I, Layer>::type)),
         ...);
        fail("unknown layer '", type, "'; choose from ", there);
    }
    return layer;
}

}  // namespace

std::string_view type_name(const Layer& any) {
    return std::visit([](const auto& l) { return std::decay_t<decltype(l)>::type; }, any);
}

Layer make_layer(std::string_view type) {
    return make_layer(type, std::make_index_sequence<std::variant_size_v<Layer>>());
}

std::vector<ParameterSpec> parameter_specs(const Layer& any) {
    auto all = std::visit([](const auto& l) { return layer::specs(l); }, any);
    for (const ParameterSpec& spec : all) (void)size_product(type_name(any), spec.rows, spec.cols);
    return all;
}

Index output_width(const Layer& any, Index in, std::string_view name) {
    return std::visit([&](const auto& l) { return layer::width(l, in, name); }, any);
}

Index input_width(const Layer& any) {
    return std::visit([](const auto& l) { return layer::required_width(l); }, any);
}

Index narrowing(const Layer& any) {
    return std::visit([](const auto& l) { return layer::narrowing(l); }, any);
}

std::optional<Activation> activation_of(const Layer& any) {
    return std::visit([](const auto& l) { return layer::activation_of(l); }, any);
}

namespace {

constexpr std::array<std::string_view, 2> parametrizations = {"standard", "ntk"};
constexpr std::array<std::string_view, 3> ensemble_inits = {"ones", "signs", "normal"};

template <class E>
E find_name(const char* what, std::span<const std::string_view> names, std::string_view text) {
    std::string there;
    for (size_t i = 0; i < names.size(); ++i) {
        if (names[i] == text) return static_cast<E>(i);
        there += (there.empty() ? "" : ", ") + std::string(names[i]);
    }
    fail(what, " '", text, "'; choose from ", there);
}

}  // namespace

std::string_view name(Parametrization value) { return parametrizations[static_cast<size_t>(value)]; }
std::string_view name(EnsembleInit value) { return ensemble_inits[static_cast<size_t>(value)]; }
template <>
Parametrization parse<Parametrization>(std::string_view text) {
    return find_name<Parametrization>("Linear: unknown parametrization", parametrizations, text);
}
template <>
EnsembleInit parse<EnsembleInit>(std::string_view text) {
    return find_name<EnsembleInit>("BatchEnsemble: unknown init", ensemble_inits, text);
}

std::string_view name_or_auto(const std::optional<Initializer>& initializer) {
    return initializer ? name(*initializer) : "auto";
}
std::optional<Initializer> parse_or_auto(std::string_view text) {
    if (text == "auto") return {};
    return parse<Initializer>(text);
}

template <class T>
void reset_parameters(const Layer& any, std::span<const MatrixView<T>> values, std::uint64_t seed,
                      Index index, Activation next) {
    std::visit([&](const auto& l) { layer::reset<T>(l, values, seed, index, next); }, any);
}

template <class T>
MatrixView<const T> forward(const Layer& any, const LayerCall<T>& call, MatrixView<const T> x, Matrix<T>& y) {
    return std::visit([&](const auto& l) { return layer::forward<T>(l, call, x, y); }, any);
}

template <class T>
MatrixView<const T> backward(const Layer& any, const LayerCall<T>& call, MatrixView<const T> x,
                             MatrixView<const T> y, MatrixView<const T> dy, Matrix<T>* dx) {
    return std::visit([&](const auto& l) { return layer::backward<T>(l, call, x, y, dy, dx); }, any);
}

#define CMLP_LAYERS(T)                                                                                    \
    template void reset_parameters<T>(const Layer&, std::span<const MatrixView<T>>, std::uint64_t, Index, \
                                      Activation);                                                        \
    template MatrixView<const T> forward<T>(const Layer&, const LayerCall<T>&, MatrixView<const T>,       \
                                            Matrix<T>&);                                                  \
    template MatrixView<const T> backward<T>(const Layer&, const LayerCall<T>&, MatrixView<const T>,      \
                                             MatrixView<const T>, MatrixView<const T>, Matrix<T>*);
CMLP_LAYERS(float)
CMLP_LAYERS(double)
#undef CMLP_LAYERS

}  // namespace cmlp::inline v0_1
