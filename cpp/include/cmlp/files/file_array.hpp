// An array of a model file, whatever its elements are.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

/// An array of a model file: row-major elements of a type named as safetensors name it ("F32", "F64", "I64" ...).
struct FileArray {
    std::string name;
    std::string dtype;
    std::vector<Index> shape;     ///< () for one number
    std::vector<std::byte> data;  ///< product of shape x size of dtype
    bool operator==(const FileArray&) const = default;
};

}  // namespace cmlp::inline v0_1
