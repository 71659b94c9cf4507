// What the checksum of a file covers: its content, so that another writer's order and spaces do not change it.
#include <algorithm>
#include <numeric>

#include "base/crc64.hpp"
#include "base/json.hpp"
#include "files/safetensors.hpp"

namespace cmlp::inline v0_1::safetensors {
namespace {

std::vector<std::size_t> by_name(const File& file) {
    std::vector<std::size_t> sorted(file.tensors.size());
    std::iota(sorted.begin(), sorted.end(), std::size_t{0});
    std::ranges::sort(sorted, {}, [&](std::size_t i) -> const std::string& { return file.tensors[i].name; });
    return sorted;
}

// [{metadata}, [[name, dtype, shape], ...]] with sorted keys and names, without the checksum and places in the file.
std::string content_header(const File& file, const std::vector<std::size_t>& sorted) {
    json::Object metadata;
    for (const auto& [key, text] : file.metadata)
        if (key != checksum_key) metadata.push_back({key, text});
    json::Array tensors;
    for (const std::size_t i : sorted) {
        const auto& [name, dtype, shape, data] = file.tensors[i];
        tensors.push_back(json::Array{name, dtype, json::Array(shape.begin(), shape.end())});
    }
    return json::write(json::Array{std::move(metadata), std::move(tensors)});
}

}  // namespace

std::string checksum(const File& file, std::span<const std::string_view> data) {
    const std::vector<std::size_t> sorted = by_name(file);
    Crc64 crc;
    crc.add(content_header(file, sorted));
    for (const std::size_t i : sorted) crc.add(data[i]);
    return crc.text();
}

}  // namespace cmlp::inline v0_1::safetensors
