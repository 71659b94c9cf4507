// Models as files: safetensors layout, the layers and settings as JSON in its metadata. Names are stored, never numbers.
#pragma once

#include <cmlp/network/network.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace cmlp {

/// A network of either precision.
using AnyNetwork = std::variant<std::unique_ptr<Network<float>>, std::unique_ptr<Network<double>>>;

/// The bytes of a model file; metadata keys must not be "cmlp", which holds the layers.
template <class T>
std::string to_bytes(const Network<T>& network);

/// The network in the bytes of a model file; throws std::invalid_argument with one sentence on anything else.
AnyNetwork from_bytes(std::string_view bytes);

/// Writes a model file in one step: whatever happens, the old file or the new one is there, whole.
template <class T>
void save(const Network<T>& network, const std::string& path);

/// The network in a model file, in the precision it was saved in; throws std::invalid_argument.
AnyNetwork load_any(const std::string& path);

/// The same, converted where the precision differs.
template <class T>
std::unique_ptr<Network<T>> load(const std::string& path);

}  // namespace cmlp
