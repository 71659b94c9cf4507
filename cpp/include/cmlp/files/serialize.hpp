// Models as files: safetensors layout, the layers and settings as JSON in its metadata. Names are stored,
// never numbers.
#pragma once

#include <cmlp/files/file_array.hpp>
#include <cmlp/network/network.hpp>

#include <filesystem>
#include <iosfwd>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cmlp::inline v0_1 {

/// A network of either precision.
using AnyNetwork = std::variant<Network<float>, Network<double>>;

/// What a loader lets pass that it refuses otherwise.
struct LoadOptions {
    bool convert = false;     ///< a model of the other precision, its numbers rounded
    bool non_finite = false;  ///< weights that are NaN or infinite
    bool verify = true;       ///< whether a file that does not have its checksum is refused
    /// The weights stay in the file (one of SaveOptions::mappable), which is mapped read-only: all processes that map
    /// it share their memory. The network predicts and is never trained; a copy of it is. The file may be replaced or
    /// removed meanwhile, not truncated in place. Excludes convert; FileState is not read.
    bool map = false;
};

/// What a file is written for.
struct SaveOptions {
    bool mappable =
        false;  ///< LoadOptions::map: the weights are in the file twice, also as they lie in memory
};

/// What a model file may hold beside a network, such as the state of its training: a text (the metadata "cmlp.state")
/// and arrays, which are written under "cmlp.state." and their names.
struct FileState {
    std::string text;
    std::vector<FileArray> arrays;
};

/// A network, and what its file holds beside it.
struct NetworkAndState {
    AnyNetwork network;
    FileState state;  ///< empty where there is none
};

/// The bytes of a model file; metadata keys must not be "cmlp", which holds the layers, "cmlp.checksum" or
/// "cmlp.state".
template <class T>
[[nodiscard]] std::string to_bytes(const Network<T>& network);

/// The network in the bytes of a model file; throws FileError with one sentence on anything else.
[[nodiscard]] AnyNetwork from_bytes(std::string_view bytes, LoadOptions options = {});

/// Writes a model file in one step: after any failure the complete old file or the complete new one exists.
/// Throws FileError where the system refuses.
template <class T>
void save(const Network<T>& network, const std::filesystem::path& path, const FileState& state = {},
          SaveOptions options = {});
/// Writes those bytes to a stream; throws FileError where it fails.
template <class T>
void save(const Network<T>& network, std::ostream& stream);

/// The network alone in a model file, or in the rest of a stream, in the precision it was saved in; in evaluation
/// mode. Throws FileError, also where the content does not have the checksum that was written with it; files of
/// versions before checksums have none.
[[nodiscard]] AnyNetwork load(const std::filesystem::path& path, LoadOptions options = {});
[[nodiscard]] AnyNetwork load(std::istream& stream, LoadOptions options = {});

/// The network in a model file and what the file holds beside it.
[[nodiscard]] NetworkAndState load_with_state(const std::filesystem::path& path, LoadOptions options = {});

/// The network in a known precision; another one is refused unless the options say convert.
template <class T>
[[nodiscard]] Network<T> load(const std::filesystem::path& path, LoadOptions options = {});
template <class T>
[[nodiscard]] Network<T> load(std::istream& stream, LoadOptions options = {});

}  // namespace cmlp::inline v0_1
