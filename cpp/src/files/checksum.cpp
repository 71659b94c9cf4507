// What the checksum of a file covers: its content, so that another writer's order and spaces do not change it.
#include <algorithm>

#include "base/crc64.hpp"
#include "base/json.hpp"
#include "files/safetensors.hpp"

namespace cmlp::inline v0_1::safetensors {
namespace {

std::vector<const Tensor*> by_name(const File& file) {
    std::vector<const Tensor*> sorted;
    for (const Tensor& tensor : file.tensors) sorted.push_back(&tensor);
    std::ranges::sort(sorted, {}, &Tensor::name);
    return sorted;
}

// [{metadata}, [[name, dtype, shape], ...]] with sorted keys and names, without the checksum and places in the file.
std::string content_header(const File& file, const std::vector<const Tensor*>& sorted) {
    json::Object metadata;
    for (const auto& [key, text] : file.metadata)
        if (key != checksum_key) metadata.push_back({key, text});
    json::Array tensors;
    for (const Tensor* tensor : sorted)
        tensors.push_back(json::Array{tensor->name, tensor->dtype,
                                      json::Array(tensor->shape.begin(), tensor->shape.end())});
    return json::write(json::Array{std::move(metadata), std::move(tensors)});
}

}  // namespace

std::string checksum(const File& file) {
    const std::vector<const Tensor*> sorted = by_name(file);
    Crc64 crc;
    crc.add(content_header(file, sorted));
    for (const Tensor* tensor : sorted)
        crc.add({reinterpret_cast<const char*>(tensor->data.data()), tensor->data.size()});
    return crc.text();
}

}  // namespace cmlp::inline v0_1::safetensors
