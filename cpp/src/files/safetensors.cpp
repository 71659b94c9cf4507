// The safetensors layout: 8 bytes of header length, a JSON header padded to 8 bytes, the arrays without gaps.
#include "files/safetensors.hpp"

#include <cmlp/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace cmlp::inline v0_1::safetensors {
namespace {

constexpr std::size_t prefix_bytes = 8, line_bytes = 64, max_header_bytes = 100'000'000;
constexpr std::string_view metadata_key = "__metadata__";
const json::Limits header_limits = {.bytes = max_header_bytes, .values = 131'072, .depth = 4};

struct Element {
    std::string_view dtype;
    std::size_t size;
};
constexpr Element elements[] = {{"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4}, {"I32", 4},
                                {"U32", 4}, {"F16", 2}, {"BF16", 2}, {"I16", 2}, {"U16", 2},
                                {"I8", 1},  {"U8", 1},  {"BOOL", 1}};

std::string quoted(std::string_view name) { return json::write(name); }

// Elements x size of one, or a refusal before anything is allocated.
std::size_t tensor_bytes(const std::string& name, std::string_view dtype, const std::vector<Index>& shape) {
    std::size_t bytes = element_size(dtype);
    for (const Index extent : shape) {
        require(extent >= 0, "tensor ", quoted(name), " has a negative extent");
        require(!__builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes),
                "the shape of tensor ", quoted(name), " overflows");
    }
    return bytes;
}

bool is_aligned(const Tensor& tensor) { return tensor.name == aligned_name; }

// Order of the arrays in the file: the aligned one, then wide elements first, so that each starts at a multiple of its
// own size.
std::vector<std::size_t> storage_order(const std::vector<Tensor>& tensors) {
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (is_aligned(tensors[a]) != is_aligned(tensors[b])) return is_aligned(tensors[a]);
        const auto of_a = element_size(tensors[a].dtype), of_b = element_size(tensors[b].dtype);
        return of_a != of_b ? of_a > of_b : a < b;
    });
    return order;
}

void check(const File& file) {
    std::vector<std::string_view> names = {metadata_key};
    for (const Tensor& tensor : file.tensors) {
        names.push_back(tensor.name);
        const std::size_t bytes = tensor_bytes(tensor.name, tensor.dtype, tensor.shape);
        require(tensor.data.size() == bytes, "save: tensor ", quoted(tensor.name), " has ",
                tensor.data.size(), " bytes, its shape needs ", bytes);
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    require(twice == names.end(), "save: two tensors have the name ",
            quoted(twice == names.end() ? "" : *twice));
}

json::Value describe(const Tensor& tensor, std::size_t begin) {
    json::Array shape(tensor.shape.begin(), tensor.shape.end());
    const auto first = static_cast<Index>(begin), last = static_cast<Index>(begin + tensor.data.size());
    return json::Object{
        {"dtype", tensor.dtype}, {"shape", std::move(shape)}, {"data_offsets", json::Array{first, last}}};
}

json::Object describe_metadata(const File& file) {
    json::Object metadata;
    for (const auto& [key, text] : file.metadata)
        if (key != checksum_key) metadata.push_back({key, text});
    metadata.push_back({std::string(checksum_key), checksum(file)});
    return metadata;
}

// Length and header as written in the file.
std::string head(const File& file) {
    check(file);
    std::vector<std::size_t> begins(file.tensors.size());
    std::size_t end = 0;
    for (const std::size_t i : storage_order(file.tensors)) {
        begins[i] = end;
        end += file.tensors[i].data.size();
    }
    json::Object header{{std::string(metadata_key), describe_metadata(file)}};
    for (std::size_t i = 0; i < begins.size(); ++i)
        header.push_back({file.tensors[i].name, describe(file.tensors[i], begins[i])});
    std::string text = json::write(header);
    json::parse(text, header_limits);  // what cannot be read back is not written
    const std::size_t unit = std::ranges::any_of(file.tensors, is_aligned) ? line_bytes : 8;
    text.resize((prefix_bytes + text.size() + unit - 1) / unit * unit - prefix_bytes, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), prefix_bytes) + text;
}

// A tensor and where its data are, counted from the end of the header.
struct Entry {
    Tensor tensor;
    std::size_t begin = 0, end = 0;
};

Entry parse_entry(const std::string& name, const json::Value& value) {
    require(value.as_object().size() == 3, "tensor ", quoted(name), " needs dtype, shape and data_offsets");
    Entry entry{.tensor = {.name = name, .dtype = value.at("dtype").as_string(), .shape = {}, .data = {}}};
    for (const json::Value& extent : value.at("shape").as_array())
        entry.tensor.shape.push_back(static_cast<Index>(extent.as_integer()));
    const json::Array& offsets = value.at("data_offsets").as_array();
    require(offsets.size() == 2 && offsets[0].as_integer() >= 0 &&
                offsets[1].as_integer() >= offsets[0].as_integer(),
            "tensor ", quoted(name), " has impossible offsets");
    entry.begin = static_cast<std::size_t>(offsets[0].as_integer());
    entry.end = static_cast<std::size_t>(offsets[1].as_integer());
    const std::size_t bytes = tensor_bytes(name, entry.tensor.dtype, entry.tensor.shape);
    require(entry.end - entry.begin == bytes, "tensor ", quoted(name), " has ", entry.end - entry.begin,
            " bytes, its shape needs ", bytes);
    return entry;
}

// The arrays must fill the buffer exactly: no gap, no overlap, nothing after.
void check_cover(const std::vector<Entry>& entries, std::size_t buffer_bytes) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    for (const Entry& entry : entries) ranges.emplace_back(entry.begin, entry.end);
    std::sort(ranges.begin(), ranges.end());
    std::size_t end = 0;
    for (const auto& [begin, next] : ranges) {
        require(begin == end, "its arrays overlap or leave a gap at byte ", std::min(begin, end),
                " of the data");
        end = next;
    }
    require(end == buffer_bytes, "its arrays take ", end, " bytes, the file has ", buffer_bytes);
}

std::map<std::string, std::string> parse_metadata(const json::Value& value) {
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.as_object()) metadata.emplace(key, text.as_string());
    return metadata;
}

// Reads the header alone, so that a bad file costs no more than that.
std::vector<Entry> parse_header(std::string_view text, std::size_t buffer_bytes, File& file) {
    require(text.starts_with('{'), "its header does not start with '{'");
    const json::Value header = json::parse(text, header_limits);
    std::vector<Entry> entries;
    for (const auto& [key, value] : header.as_object()) {
        if (key == metadata_key) {
            file.metadata = parse_metadata(value);
        } else {
            entries.push_back(parse_entry(key, value));
        }
    }
    check_cover(entries, buffer_bytes);
    return entries;
}

void check_content(std::string_view source, const File& file, std::span<const std::string_view> data) {
    const auto stated = file.metadata.find(std::string(checksum_key));
    if (stated == file.metadata.end()) return;  // of a version before checksums, or of another writer
    const std::string found = checksum(file, data);
    if (stated->second != found)
        fail_damaged(source, "its checksum is " + quoted(stated->second) + ", that of its content " + found);
}

// take(tensor, offset, size) gets the data of a tensor, fetch(offset, span) bytes of a file of the given size.
File parse(std::size_t size, auto&& fetch, auto&& take) {
    require(size >= prefix_bytes, "it has ", size, " bytes");
    std::uint64_t length = 0;
    fetch(0, std::as_writable_bytes(std::span(&length, 1)));
    require(length <= std::min(size - prefix_bytes, max_header_bytes), "its header would have ", length,
            " bytes, ", size - prefix_bytes, " are there and ", max_header_bytes, " allowed");
    std::string text(length, '\0');
    fetch(prefix_bytes, std::as_writable_bytes(std::span(text)));
    File file;
    std::vector<Entry> entries = parse_header(text, size - prefix_bytes - length, file);
    for (Entry& entry : entries) {
        take(entry.tensor, prefix_bytes + length + entry.begin, entry.end - entry.begin);
        file.tensors.push_back(std::move(entry.tensor));
    }
    return file;
}

File parse_or_explain(std::string_view source, std::size_t size, auto&& fetch, auto&& take) {
    try {
        return parse(size, fetch, take);
    } catch (const std::invalid_argument& error) {
        fail_foreign(source, error.what());
    }
}

// The file with its data copied.
File copy_of(std::string_view source, bool verify, std::size_t size, auto&& fetch) {
    File file = parse_or_explain(source, size, fetch, [&](Tensor& tensor, std::size_t at, std::size_t bytes) {
        tensor.data.resize(bytes);
        fetch(at, std::span(tensor.data));
    });
    if (verify) check_content(source, file, data_of(file));
    return file;
}

auto fetch_from(std::span<const std::byte> bytes) {
    return [bytes](std::size_t offset, std::span<std::byte> out) {
        std::ranges::copy(bytes.subspan(offset, out.size()), out.begin());
    };
}

// Header and arrays in the order of the file; the views borrow from both arguments.
std::vector<std::string_view> pieces(const std::string& header, const File& file) {
    std::vector<std::string_view> result = {header};
    for (const std::size_t i : storage_order(file.tensors)) result.push_back(text_of(file.tensors[i].data));
    return result;
}

}  // namespace

std::size_t element_size(std::string_view dtype) {
    for (const Element& element : elements)
        if (element.dtype == dtype) return element.size;
    fail("unknown element type ", quoted(dtype));
}

void fail_foreign(std::string_view source, std::string_view reason) {
    throw FileError("load: " + std::string(source) + " is not a cmlp model: " + printable(reason));
}

void fail_damaged(std::string_view source, const std::string& reason) {
    throw FileError("load: " + std::string(source) + " is damaged: " + printable(reason) +
                    "; copy it again from its source, or load it all the same with verify=False");
}

std::string to_bytes(const File& file) {
    const std::string header = head(file);
    std::string bytes;
    for (const std::string_view piece : pieces(header, file)) bytes += piece;
    return bytes;
}

File from_bytes(std::string_view bytes, std::string_view source, bool verify) {
    return copy_of(source, verify, bytes.size(), fetch_from(std::as_bytes(std::span(bytes))));
}

void write(const std::string& path, const File& file) {
    const std::string header = head(file);
    replace_file(path, pieces(header, file));
}

File read(const std::string& path, bool verify) {
    const InputFile file(path);
    return copy_of(path, verify, file.size(),
                   [&](std::size_t offset, std::span<std::byte> out) { file.read(offset, out); });
}

Mapped map(const std::string& path, bool verify) {
    const auto memory = std::make_shared<const MappedFile>(path);
    const std::span<const std::byte> bytes = memory->bytes();
    Mapped mapped;
    std::vector<std::string_view> data;
    const auto take = [&](const Tensor& tensor, std::size_t at, std::size_t size) {
        data.push_back(text_of(bytes.subspan(at, size)));
        if (!is_aligned(tensor)) return;
        require(at % line_bytes == 0, "tensor '", aligned_name, "' begins at byte ", at, ", no multiple of ",
                line_bytes, "; save it again with mappable=True");
        mapped.array = {bytes.subspan(at, size), tensor.dtype, memory};
    };
    mapped.file = parse_or_explain(path, bytes.size(), fetch_from(bytes), take);
    if (verify) check_content(path, mapped.file, data);
    if (!mapped.array.owner)
        throw FileError("load: mmap: " + path + " has no mapped weights; save it with mappable=True");
    return mapped;
}

}  // namespace cmlp::inline v0_1::safetensors
