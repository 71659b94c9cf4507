// The fields of a layer as JSON and back: one overload for each type a field may have.
#pragma once

#include <cmlp/layers/layer_types.hpp>

#include "base/json.hpp"

namespace cmlp::inline v0_1 {

inline json::Value to_json(bool value) { return value; }
inline json::Value to_json(double value) { return value; }
inline json::Value to_json(Index value) { return static_cast<std::int64_t>(value); }
inline json::Value to_json(Activation value) { return name(value); }
inline json::Value to_json(Parametrization value) { return name(value); }
inline json::Value to_json(EnsembleInit value) { return name(value); }
inline json::Value to_json(const std::optional<Initializer>& value) { return name_or_auto(value); }
inline json::Value to_json(const std::vector<Index>& values) {
    json::Array array;
    for (const Index value : values) array.push_back(static_cast<std::int64_t>(value));
    return array;
}
inline json::Value to_json(const std::vector<std::vector<double>>& rows) {
    json::Array array;
    for (const auto& row : rows) array.push_back(json::Array(row.begin(), row.end()));
    return array;
}
inline json::Value to_json(const Settings& settings) {
    json::Object object;
    for (const auto& [key, value] : settings) object.push_back({key, value});
    return object;
}

inline void from_json(const json::Value& json, bool& value) { value = json.as_bool(); }
inline void from_json(const json::Value& json, double& value) { value = json.as_real(); }
inline void from_json(const json::Value& json, Index& value) {
    value = static_cast<Index>(json.as_integer());
}
template <class E>
    requires std::is_enum_v<E>
void from_json(const json::Value& json, E& value) {
    value = parse<E>(json.as_string());
}
inline void from_json(const json::Value& json, std::optional<Initializer>& value) {
    value = parse_or_auto(json.as_string());
}
inline void from_json(const json::Value& json, std::vector<Index>& values) {
    values.clear();
    for (const json::Value& item : json.as_array()) values.push_back(static_cast<Index>(item.as_integer()));
}
inline void from_json(const json::Value& json, std::vector<std::vector<double>>& rows) {
    rows.clear();
    for (const json::Value& row : json.as_array()) {
        rows.emplace_back();
        for (const json::Value& item : row.as_array()) rows.back().push_back(item.as_real());
    }
}
inline void from_json(const json::Value& json, Settings& settings) {
    settings.clear();
    for (const json::Member& member : json.as_object()) settings[member.key] = member.value.as_real();
}

inline json::Value describe(const NamedLayer& named) {
    json::Object object{{"name", named.name}, {"type", type_name(named.layer)}};
    Layer layer = named.layer;
    std::visit(
        [&](auto& l) {
            l.fields([&](const char* key, auto& value) { object.push_back({key, to_json(value)}); });
        },
        layer);
    return object;
}

// A field that older files of this format lack; its default is what they mean.
inline bool is_later(std::string_view key) { return key == "parametrization" || key == "columns"; }

inline NamedLayer layer_from(const json::Value& json) {
    NamedLayer named{json.at("name").as_string(), make_layer(json.at("type").as_string())};
    std::visit(
        [&](auto& l) {
            l.fields([&](const char* key, auto& value) {
                if (is_later(key) && !json.find(key)) return;
                from_json(json.at(key), value);
            });
        },
        named.layer);
    return named;
}

}  // namespace cmlp::inline v0_1
