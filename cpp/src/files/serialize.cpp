// A network to and from the container: layers through their fields, parameters as they are shown.
#include <cmlp/files/serialize.hpp>

#include <istream>
#include <iterator>
#include <ostream>
#include <set>

#include "files/fields.hpp"
#include "files/tensors.hpp"
#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr int format_version = 2, first_with_checksum = 2;

constexpr std::string_view state_key = "cmlp.state", state_prefix = "cmlp.state.";
constexpr std::string_view own_keys[] = {"cmlp", safetensors::checksum_key, state_key};

void add(safetensors::File& file, const FileState& state) {
    if (!state.text.empty()) file.metadata[std::string(state_key)] = state.text;
    for (const FileArray& array : state.arrays) {
        file.tensors.push_back(array);
        file.tensors.back().name.insert(0, state_prefix);
    }
}

// What is beside the network, taken out of the file. A layer of C++ may have a name that begins like those arrays.
FileState take_state(safetensors::File& file, const std::vector<NamedLayer>& layers) {
    std::set<std::string, std::less<>> own;
    for (const NamedLayer& named : layers)
        for (const ParameterSpec& spec : parameter_specs(named.layer))
            own.insert(parameter_name(named, spec));
    FileState state;
    const auto beside = [&](const FileArray& array) {
        return array.name.starts_with(state_prefix) && !own.contains(array.name);
    };
    for (FileArray& array : file.tensors) {
        if (!beside(array)) continue;
        state.arrays.push_back(std::move(array));
        state.arrays.back().name.erase(0, state_prefix.size());
        array.name = std::string(state_prefix);  // it has no name of its own any longer
    }
    std::erase_if(file.tensors, beside);
    if (const auto text = file.metadata.find(std::string(state_key)); text != file.metadata.end())
        state.text = text->second;
    return state;
}

template <class T>
safetensors::File file_of(const Network<T>& network, const FileState& state = {}, SaveOptions options = {}) {
    json::Array layers;
    for (const NamedLayer& layer : network.layers()) layers.push_back(describe(layer));
    json::Object object{{"format", format_version},
                        {"dtype", dtype_name<T>},
                        {"seed", static_cast<std::int64_t>(network.seed())},
                        {"step", static_cast<std::int64_t>(network.pass_count())},
                        {"layers", std::move(layers)}};
    if (network.precision() == Precision::bf16) object.push_back({"precision", std::string("bf16")});
    if (options.mappable) object.push_back({"flat", flat_layout});
    for (const std::string_view own : own_keys)
        require(!network.metadata.contains(std::string(own)), "save: metadata must not have the key '", own,
                "'");
    safetensors::File file{{}, network.metadata};
    file.metadata["cmlp"] = json::write(object);
    for (const auto& p : network.parameters()) file.tensors.push_back(tensor_of<T>(p));
    for (const auto& b : network.buffers()) file.tensors.push_back(tensor_of<T>(b));
    if (options.mappable) file.tensors.push_back(flat_tensor(network));
    add(file, state);
    return file;
}

using TensorsByName = std::map<std::string, const safetensors::Tensor*, std::less<>>;

// No count in the description is trusted: the layers' parameters must be the file's tensors before memory is taken.
TensorsByName matched(const std::vector<NamedLayer>& layers, const safetensors::File& file) {
    TensorsByName tensors;
    for (const auto& tensor : file.tensors) tensors[tensor.name] = &tensor;
    size_t count = 0;
    for (const NamedLayer& named : layers)
        for (const ParameterSpec& spec : parameter_specs(named.layer)) {
            const auto found = tensors.find(parameter_name(named, spec));
            require(found != tensors.end() && found->second->shape == shown_shape(spec),
                    "there is no tensor '", parameter_name(named, spec), "' of its layer's shape");
            ++count;
        }
    require(count == file.tensors.size(), "there are tensors that no layer has");
    return tensors;
}

Precision precision_of(const json::Value& json) {
    const json::Value* named = json.find("precision");
    if (!named) return Precision::own;
    require(named->as_string() == "bf16", "unknown precision '", named->as_string(), "'; choose from bf16");
    return Precision::bf16;
}

template <class T>
void require_finite(const Network<T>& network) {
    for (const auto* all : {&network.parameters(), &network.buffers()})
        for (const auto& p : *all)
            require(ops::first_nonfinite<T>(p.value) < 0, "tensor '", p.name,
                    "' has a number that is not finite; LoadOptions::non_finite takes it");
}

template <class T>
Network<T> read(std::vector<NamedLayer> layers, const TensorsByName& tensors, std::uint64_t seed) {
    Network<T> network(std::move(layers), seed, false);
    for (const auto& p : network.parameters()) fill(p, *tensors.at(p.name));
    for (const auto& b : network.buffers()) fill(b, *tensors.at(b.name));
    return network;
}

template <class T>
Network<T> build(std::vector<NamedLayer> layers, const json::Value& json, const TensorsByName& tensors,
                 safetensors::File& file, const safetensors::MappedArray& mapped, LoadOptions options) {
    const auto seed = static_cast<std::uint64_t>(json.at("seed").as_integer());
    Network<T> network = mapped.owner ? Network<T>(std::move(layers), shared_state<T>(mapped), seed)
                                      : read<T>(std::move(layers), tensors, seed);
    network.set_pass_count(static_cast<std::uint64_t>(json.at("step").as_integer()));
    network.set_precision(precision_of(json));
    if (!options.non_finite) require_finite(network);
    for (const std::string_view own : own_keys) file.metadata.erase(std::string(own));
    network.metadata = std::move(file.metadata);
    network.set_training(false);
    return network;
}

// The key of a checksum may be what is damaged, so a missing one is an error where the format has it.
void check_format(std::int64_t format, const safetensors::File& file, const std::string& source,
                  LoadOptions options) {
    require(1 <= format && format <= format_version, "its format is ", format, ", this version reads 1 to ",
            format_version);
    if (options.verify && format >= first_with_checksum &&
        !file.metadata.contains(std::string(safetensors::checksum_key)))
        safetensors::fail_damaged(source, "its checksum is missing");
}

void check_layout(const json::Value& json, const std::string& source) {
    const json::Value* layout = json.find("flat");
    if (!layout || layout->as_integer() != flat_layout)
        throw FileError("load: mmap: the mapped weights of " + source +
                        " are placed as another version of cmlp does; save it again with mappable=True");
}

NetworkAndState network_of(safetensors::File file, const std::string& source, LoadOptions options,
                           const safetensors::MappedArray& mapped = {}) {
    try {
        const auto text = file.metadata.find("cmlp");
        require(text != file.metadata.end(), "the metadata have no key 'cmlp'");
        const json::Value json = json::parse(text->second);
        check_format(json.at("format").as_integer(), file, source, options);
        if (mapped.owner) check_layout(json, source);
        std::vector<NamedLayer> layers;
        for (const json::Value& item : json.at("layers").as_array()) layers.push_back(layer_from(item));
        std::erase_if(file.tensors,
                      [](const FileArray& array) { return array.name == safetensors::aligned_name; });
        FileState state = take_state(file, layers);
        const TensorsByName tensors = matched(layers, file);
        if (json.at("dtype").as_string() == dtype_name<float>)
            return {build<float>(std::move(layers), json, tensors, file, mapped, options), std::move(state)};
        return {build<double>(std::move(layers), json, tensors, file, mapped, options), std::move(state)};
    } catch (const FileError&) {
        throw;
    } catch (const std::invalid_argument& error) {
        safetensors::fail_foreign(source, error.what());
    }
}

AnyNetwork network_of_bytes(std::string_view bytes, const std::string& source, LoadOptions options) {
    require(!options.map, "load: map is for a file with a path, not for ", source);
    return network_of(safetensors::from_bytes(bytes, source, options.verify), source, options).network;
}

}  // namespace

template <class T>
std::string to_bytes(const Network<T>& network) {
    return safetensors::to_bytes(file_of(network));
}

AnyNetwork from_bytes(std::string_view bytes, LoadOptions options) {
    return network_of_bytes(bytes, "the byte string", options);
}

template <class T>
void save(const Network<T>& network, const std::filesystem::path& path, const FileState& state,
          SaveOptions options) {
    safetensors::write(path.string(), file_of(network, state, options));
}

template <class T>
void save(const Network<T>& network, std::ostream& stream) {
    const std::string bytes = to_bytes(network);
    stream.write(bytes.data(), std::ssize(bytes));
    if (!stream) throw FileError("save: the stream failed");
}

NetworkAndState load_with_state(const std::filesystem::path& path, LoadOptions options) {
    const std::string name = path.string();
    if (!options.map) return network_of(safetensors::read(name, options.verify), name, options);
    require(!options.convert,
            "load: map and convert exclude each other, mapped numbers are those of the file");
    auto [file, array] = safetensors::map(name, options.verify);
    return {network_of(std::move(file), name, options, array).network, {}};
}

AnyNetwork load(const std::filesystem::path& path, LoadOptions options) {
    return load_with_state(path, options).network;
}

AnyNetwork load(std::istream& stream, LoadOptions options) {
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    if (stream.bad()) throw FileError("load: the stream failed");
    return network_of_bytes(bytes, "the stream", options);
}

namespace {

template <class T>
Network<T> in_precision(AnyNetwork any, LoadOptions options) {
    return std::visit(
        [&]<class U>(Network<U>&& network) {
            if constexpr (std::is_same_v<T, U>)
                return std::move(network);
            else if (options.convert)
                return Network<T>(network);
            else
                throw FileError(std::string("load: the model is of precision ") + dtype_name<U> + ", not " +
                                dtype_name<T> + "; LoadOptions::convert rounds it");
        },
        std::move(any));
}

}  // namespace

template <class T>
Network<T> load(const std::filesystem::path& path, LoadOptions options) {
    return in_precision<T>(load(path, options), options);
}

template <class T>
Network<T> load(std::istream& stream, LoadOptions options) {
    return in_precision<T>(load(stream, options), options);
}

#define CMLP_SERIALIZE(T)                                                                                  \
    template std::string to_bytes<T>(const Network<T>&);                                                   \
    template void save<T>(const Network<T>&, const std::filesystem::path&, const FileState&, SaveOptions); \
    template void save<T>(const Network<T>&, std::ostream&);                                               \
    template Network<T> load<T>(const std::filesystem::path&, LoadOptions);                                \
    template Network<T> load<T>(std::istream&, LoadOptions);
CMLP_SERIALIZE(float)
CMLP_SERIALIZE(double)
#undef CMLP_SERIALIZE

}  // namespace cmlp::inline v0_1
