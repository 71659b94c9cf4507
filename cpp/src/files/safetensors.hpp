// The container of model files: named arrays and text metadata in the safetensors layout, written atomically.
#pragma once

#include <cmlp/files/file_array.hpp>

#include <bit>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cmlp::inline v0_1::safetensors {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

using Tensor = FileArray;

/// Bytes as text.
inline std::string_view text_of(std::span<const std::byte> data) {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// What one file holds; tensors keep their order.
struct File {
    std::vector<Tensor> tensors;
    std::map<std::string, std::string> metadata;
    bool operator==(const File&) const = default;
};

/// The data of each tensor.
inline std::vector<std::string_view> data_of(const File& file) {
    std::vector<std::string_view> data;
    for (const Tensor& tensor : file.tensors) data.push_back(text_of(tensor.data));
    return data;
}

/// Bytes of one element; throws std::invalid_argument for an unknown type.
std::size_t element_size(std::string_view dtype);

/// The metadata's key of the checksum that every written file has.
constexpr std::string_view checksum_key = "cmlp.checksum";

/// The array that begins at a multiple of 64 bytes in the file, so that it can be used where it is mapped.
constexpr std::string_view aligned_name = "cmlp.flat";

/// "crc64:<16 digits>", the CRC-64/XZ of the content: [{metadata}, [[name, dtype, shape], ...]] as compact JSON with
/// keys and names sorted and without the checksum, then the data of the tensors in the order of their names.
std::string checksum(const File& file, std::span<const std::string_view> data);
inline std::string checksum(const File& file) { return checksum(file, data_of(file)); }

/// Throws FileError "load: <source> is not a cmlp model: <reason>"; text from the file is escaped in the reason.
[[noreturn]] void fail_foreign(std::string_view source, std::string_view reason);

/// Throws FileError "load: <source> is damaged: <reason>; ..." with what to do about it.
[[noreturn]] void fail_damaged(std::string_view source, const std::string& reason);

/// The bytes of a file with its checksum among the metadata; throws std::invalid_argument when data do not fit their
/// shape or a name occurs twice.
std::string to_bytes(const File& file);

/// What bytes made by to_bytes hold; throws FileError "load: <source> is not a cmlp model: ...", and where the
/// content does not have the checksum in its metadata; it may have none. Without verify the two are not compared.
File from_bytes(std::string_view bytes, std::string_view source = "the byte string", bool verify = true);

/// Replaces the file at path in one step, keeping its mode: whatever happens, the old file or the new one is
/// complete. Throws std::invalid_argument as to_bytes, and when the system refuses.
void write(const std::string& path, const File& file);

/// The file at path; throws FileError as from_bytes, and when it cannot be opened. Allocates the
/// size of the arrays and a few times that of the header, never what a count merely claims.
File read(const std::string& path, bool verify = true);

/// The aligned array of a mapped file.
struct MappedArray {
    std::span<const std::byte> bytes;
    std::string dtype;
    std::shared_ptr<const void> owner;  // null: nothing is mapped
};

/// A mapped file: all arrays without their data, and the aligned one.
struct Mapped {
    File file;
    MappedArray array;
};

/// Maps the file at path; throws FileError as read, and when it has no aligned array.
Mapped map(const std::string& path, bool verify = true);

}  // namespace cmlp::inline v0_1::safetensors
