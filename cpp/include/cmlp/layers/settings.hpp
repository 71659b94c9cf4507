// Settings of layers that are one of a few names.
#pragma once

#include <cmlp/runtime/registry.hpp>

#include <optional>
#include <string_view>

namespace cmlp::inline v0_1 {

/// How a Linear's weights enter its formula.
enum class Parametrization { standard, ntk };

/// What the factors of a BatchEnsemble's members start from: ones, +1 or -1, N(0, 1).
enum class EnsembleInit { ones, signs, normal };

/// Their names, and back; parse throws std::invalid_argument listing the names there are.
[[nodiscard]] std::string_view name(Parametrization value);
[[nodiscard]] std::string_view name(EnsembleInit value);
template <>
Parametrization parse<Parametrization>(std::string_view text);
template <>
EnsembleInit parse<EnsembleInit>(std::string_view text);

/// The initializer's name, "auto" for none; and back.
[[nodiscard]] std::string_view name_or_auto(const std::optional<Initializer>& initializer);
[[nodiscard]] std::optional<Initializer> parse_or_auto(std::string_view text);

}  // namespace cmlp::inline v0_1
