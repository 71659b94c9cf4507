// Layers from and to their fields, as Python has them.
#pragma once

#include <cmlp/network/network.hpp>

#include <type_traits>

#include "bindings.hpp"

namespace cmlp::layer_fields {

template <class E>
    requires std::is_enum_v<E>
void read(const py::handle& from, E& value) {
    value = parse<E>(py::cast<std::string>(from));
}
inline void read(const py::handle& from, std::optional<Initializer>& value) {
    value = parse_or_auto(py::cast<std::string>(from));
}
template <class V>
    requires(!std::is_enum_v<V>)
void read(const py::handle& from, V& value) {
    value = py::cast<V>(from);
}
template <class E>
    requires std::is_enum_v<E>
py::object write(E value) {
    return py::str(std::string(name(value)));
}
inline py::object write(const std::optional<Initializer>& value) {
    return py::str(std::string(name_or_auto(value)));
}
template <class V>
    requires(!std::is_enum_v<V>)
py::object write(const V& value) {
    return py::cast(value);
}

inline NamedLayer make_named(const std::string& name, const std::string& type, const py::dict& fields) {
    NamedLayer named{name, make_layer(type)};
    size_t used = 0;
    std::visit(
        [&](auto& layer) {
            layer.fields([&](const char* key, auto& value) {
                if (!fields.contains(key)) return;
                read(fields[key], value);
                ++used;
            });
        },
        named.layer);
    require(used == fields.size(), type, ": a field is unknown");
    return named;
}

inline py::list describe(std::vector<NamedLayer> layers) {
    py::list all;
    for (NamedLayer& named : layers) {
        py::dict fields;
        std::visit(
            [&](auto& layer) {
                layer.fields([&](const char* key, auto& value) { fields[key] = write(value); });
            },
            named.layer);
        all.append(py::make_tuple(named.name, std::string(type_name(named.layer)), fields));
    }
    return all;
}

}  // namespace cmlp::layer_fields
